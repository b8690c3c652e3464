// [data-copy="id"] puts an element's text into the clipboard, also where the browser offers no clipboard (plain http).
function copyByHand(text) {
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const done = await copy(document.getElementById(button.dataset.copy).textContent);
  button.focus();
  const detail = done ? { message: "Copied the prompt." } : { message: "The browser does not let this page copy.", kind: "bad" };
  document.dispatchEvent(new CustomEvent("toast", { detail }));
});
