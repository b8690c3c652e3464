// [data-drop]: a file field that files are dropped on. It shows when they hang over it, and how much has been sent.
for (const [type, over] of [["dragenter", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(type, (event) => event.target.closest?.("[data-drop]")?.classList.toggle("over", over));
}

document.addEventListener("htmx:xhr:progress", ({ target, detail }) => {
  const sending = target.closest?.("[data-drop]")?.querySelector(".sending");
  if (!sending) return;
  const [bar, said] = sending.children;
  const part = Math.floor((100 * detail.loaded) / detail.total);
  sending.hidden = false;
  if (part < 100) bar.value = part;
  else bar.removeAttribute("value");
  said.textContent = part < 100 ? `${part} % sent` : "Looking at each image";
});
