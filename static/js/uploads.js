// [data-drop]: a file field that files are dropped on. It shows when they hang over it, and how much has been sent.
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    const zone = event.target.closest?.("[data-drop]");
    zone?.classList.toggle("over", type === "dragenter" || type === "dragover");
    // Beside it a file would take the place of the page.
    if (!zone && carriesFiles(event) && document.querySelector("[data-drop]")) event.preventDefault();
  });
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
