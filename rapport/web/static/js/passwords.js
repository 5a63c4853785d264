// Password fields: an eye that shows what was typed, and how long a new one is.

document.addEventListener("click", (event) => {
  const eye = event.target.closest("[data-reveal]");
  if (!eye) return;
  const field = eye.parentElement.querySelector("input");
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  eye.setAttribute("aria-pressed", String(shown));
});

document.addEventListener("input", (event) => {
  const hint = document.querySelector(`[data-length-of="${event.target.id}"]`);
  if (hint) say(hint, event.target.value.length);
});

function say(hint, length) {
  const least = Number(hint.dataset.least);
  hint.textContent =
    length === 0 ? hint.dataset.empty
    : length < least ? `${length} characters; ${least} are the least.`
    : `${length} characters. Good; a short sentence is better than symbols.`;
}

const reveal = (root) => root.querySelectorAll("[data-reveal]").forEach((eye) => { eye.hidden = false; });
reveal(document);
document.addEventListener("htmx:load", (event) => reveal(event.detail.elt));
