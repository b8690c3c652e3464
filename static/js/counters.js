// <output data-count-of="id_caption" data-limit="280" data-rule="x">: characters used, as the platform counts them.
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const LIGHT = [[0, 4351], [8192, 8205], [8208, 8223], [8242, 8247]];
const LINK = /https?:\/\/\S+/g;

// X: a link is 23, an emoji 2, Latin and its neighbours 1, all else 2. The server's count decides.
function weight(text) {
  let sum = (text.match(LINK) ?? []).length * 23;
  const graphemes = new Intl.Segmenter().segment(text.replace(LINK, "").normalize("NFC"));
  for (const { segment } of graphemes) {
    if (/\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(segment)) sum += 2;
    else for (const sign of segment) sum += LIGHT.some(([from, to]) => sign.codePointAt(0) >= from && sign.codePointAt(0) <= to) ? 1 : 2;
  }
  return sum;
}

function update(counter) {
  const field = document.getElementById(counter.dataset.countOf);
  const text = field?.value ?? "";
  const limit = Number(counter.dataset.limit);
  const used = counter.dataset.rule === "x" ? weight(text) : [...text].length;
  counter.textContent = `${grouped(used)} of ${grouped(limit)}`;
  counter.classList.toggle("bad", used > limit);
  if (used > limit) field?.setAttribute("aria-invalid", "true");
  else if (!field?.hasAttribute("aria-describedby")) field?.removeAttribute("aria-invalid");
}

function updateAll(root) {
  root.querySelectorAll("[data-count-of]").forEach(update);
}

document.addEventListener("input", (event) => {
  if (event.target.id) document.querySelectorAll(`[data-count-of="${CSS.escape(event.target.id)}"]`).forEach(update);
});
document.addEventListener("htmx:load", (event) => updateAll(event.detail.elt.parentNode ?? document));
updateAll(document);
