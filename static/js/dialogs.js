// Native dialogs: what htmx loads into #dialog opens; [data-dialog="id"] opens one of the page; [data-close] closes.

// One that is a page of its own has nothing to close: its form is sent as a page's is, and the answer leads on.
document.querySelectorAll(".dialog.shown form[hx-target='#dialog']").forEach((form) => form.removeAttribute("hx-post"));

function show(dialog) {
  if (!dialog || dialog.open) return;
  const wrong = dialog.querySelector("[aria-invalid=true]");
  if (wrong) {
    // Not only the focus: htmx would give it to what carries the attribute once more.
    for (const field of dialog.querySelectorAll("[autofocus]")) field.autofocus = false;
    wrong.autofocus = true;
  }
  dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "dialog") show(event.detail.target.querySelector("dialog"));
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) show(document.getElementById(opener.dataset.dialog));
  const closer = event.target.closest("dialog [data-close]");
  if (!closer) return;
  event.preventDefault();
  closer.closest("dialog").close();
});

// The server closes the dialog a form was sent from.
document.addEventListener("dialog-close", () => document.querySelector("#dialog > dialog")?.close());

// A closed one is gone, so that a late answer has nothing to reopen. "close" does not bubble.
document.addEventListener("close", (event) => {
  if (event.target.matches("#dialog > dialog")) event.target.remove();
}, true);
