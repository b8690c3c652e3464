// [data-keep-open]: a part that loads itself anew leaves each <details id> as the person had it.
let kept = new Map();

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!("keepOpen" in detail.target.dataset)) return;
  kept = new Map([...detail.target.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
});

document.addEventListener("htmx:load", ({ detail }) => {
  if (!("keepOpen" in detail.elt.dataset)) return;
  for (const one of detail.elt.querySelectorAll("details[id]")) one.open = kept.get(one.id) ?? one.open;
});
