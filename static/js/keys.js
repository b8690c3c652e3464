// [data-keys]: while it or something in it is focused, a key presses what has it as its data-key.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const key = event.target.closest("[data-keys]")?.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!key) return;
  event.preventDefault();
  key.click();
});
