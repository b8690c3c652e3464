// #said: what screen readers are told, from HX-Trigger "job-said" {text}.
document.addEventListener("job-said", (event) => {
  document.getElementById("said").textContent = event.detail.text;
});
