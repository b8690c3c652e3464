// <details class="menu">: one open at a time; a click outside, a choice or Escape closes it.
const open = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of open()) {
    const chosen = event.target.closest(".panel :is(a, button)");
    if (!menu.contains(event.target) || (chosen && menu.contains(chosen))) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of open()) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
});

// What loads itself anew keeps its open menu, also where it only comes along with another part.
let kept;
document.addEventListener("htmx:beforeSwap", () => {
  kept = document.querySelector("details.menu[open] > summary")?.id;
});
document.addEventListener("htmx:afterSwap", () => {
  if (kept) document.getElementById(kept)?.parentElement.setAttribute("open", "");
  kept = undefined;
});

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
