// Toasts: from HX-Trigger "toast" {message, kind, linkText, linkUrl}; failures nobody announced get one too.
const STAY = 6000;
const ICONS = { ok: ".ok", warn: ".warn", bad: ".bad" };

function leave(toast) {
  if (toast.matches("[data-stays]")) return;
  setTimeout(() => (toast.matches(":hover, :focus-within") ? leave(toast) : toast.remove()), STAY);
}

function show({ message, kind = "ok", linkText, linkUrl }) {
  const template = document.querySelector("template#toast");
  if (!template) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  for (const icon of toast.querySelectorAll(":scope > .icon")) if (!icon.matches(ICONS[kind])) icon.remove();
  const text = toast.querySelector(".grow");
  text.textContent = message;
  if (linkUrl) {
    const link = Object.assign(document.createElement("a"), { href: linkUrl, textContent: linkText });
    text.append(" ", link);
  }
  toast.toggleAttribute("data-stays", kind === "bad");
  document.querySelector(".toasts").append(toast);
  leave(toast);
}

document.addEventListener("toast", (event) => show(event.detail));
document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast")?.remove());
// A part that asks by itself does so again in a moment: that it was refused meanwhile is no news.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (xhr.status >= 400 && !requestConfig.triggeringEvent) event.preventDefault();
});

document.addEventListener("htmx:responseError", (event) => {
  const announced = event.detail.xhr.getResponseHeader("HX-Trigger")?.includes('"toast"');
  const message = `That did not work (${event.detail.xhr.status}). Reload the page and try again; the log has the details.`;
  if (!announced) show({ message, kind: "bad" });
});

// Parts that poll try again by themselves: only what a person did is worth a word.
document.addEventListener("htmx:sendError", (event) => {
  const asked = ["click", "submit", "change"].includes(event.detail.requestConfig.triggeringEvent?.type);
  if (asked) show({ message: "The dashboard does not answer. Is `up` still running?", kind: "bad" });
});

document.querySelectorAll(".toasts > .toast").forEach(leave);
