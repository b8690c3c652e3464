// [data-save]: a form's Save button turns primary once something in the form has changed.
document.addEventListener("input", (event) => {
  event.target.form?.querySelector("[data-save]")?.classList.add("primary");
});
