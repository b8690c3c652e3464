// A form is sent once: the second click of a double click does nothing. Its button is busy until the answer.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});

// Back in the browser shows the page as it was: let it be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }
});

// htmx would queue the second one and send it after the first. What carries [data-live] may ask again and again.
document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.verb !== "get" && event.detail.elt.dataset.sent) event.preventDefault();
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.requestConfig.verb !== "get" && !("live" in detail.elt.dataset)) detail.elt.dataset.sent = "yes";
  button(detail)?.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  delete detail.elt.dataset.sent;
  button(detail)?.removeAttribute("aria-busy");
});

function button({ elt, requestConfig }) {
  return requestConfig.triggeringEvent?.submitter ?? (elt.matches(".btn") ? elt : null);
}
