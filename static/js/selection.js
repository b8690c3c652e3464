// Rows chosen by .select-row: how many there are stands in [data-selected-count]; [data-select] takes all or none.
const boxes = () => [...document.querySelectorAll(".select-row")];

function count() {
  const said = document.querySelector("[data-selected-count]");
  if (said) said.textContent = `${boxes().filter((box) => box.checked).length} selected`;
}

document.addEventListener("change", (event) => event.target.matches(".select-row") && count());
document.addEventListener("htmx:afterSettle", count);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-select]");
  if (!button) return;
  for (const box of boxes()) box.checked = button.dataset.select === "all";
  count();
  if (button.dataset.select === "none") boxes()[0]?.focus();
});

// A list that loads itself anew waits while someone types in it or has chosen rows, and catches up once they have left it.
const isHeld = (list) =>
  list.contains(document.activeElement) ||
  list.querySelector(".select-row:checked") ||
  [...list.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const list = detail.target;
  const byItself = ["job-finished", "job-progressed", "jobs-moved", "left"].includes(detail.requestConfig.triggeringEvent?.type);
  if (!byItself || !("keepTyped" in list.dataset) || !isHeld(list)) return;
  detail.shouldSwap = false;
  list.dataset.behind = "";
});

function catchUp() {
  const list = document.querySelector("[data-behind]");
  if (!list || isHeld(list)) return;
  delete list.dataset.behind;
  list.dispatchEvent(new Event("left"));
}

document.addEventListener("focusout", () => setTimeout(catchUp));
document.addEventListener("htmx:afterRequest", ({ detail: { elt, xhr, requestConfig } }) => {
  // What was saved where it stands is typed no longer.
  const saved = xhr.status === 200 && requestConfig.verb === "post" ? elt.querySelectorAll("[data-keep-typed] textarea") : [];
  for (const area of saved) area.defaultValue = requestConfig.parameters[area.name] ?? area.defaultValue;
  setTimeout(catchUp);
});
