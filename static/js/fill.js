// [data-fill="id"] puts data-value, or with data-random a new seed, into a field.
const LARGEST_SEED = 2 ** 53 - 1;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fill]");
  if (!button) return;
  const field = document.getElementById(button.dataset.fill);
  field.value = "random" in button.dataset ? Math.floor(Math.random() * LARGEST_SEED) : button.dataset.value;
  field.closest("details")?.setAttribute("open", "");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
