// Forms of records: a field that may stand there several times grows an empty one when the last is filled.

document.addEventListener("input", (event) => {
  const several = event.target.closest("[data-several]");
  if (!several) return;
  const fields = [...several.querySelectorAll("input")];
  if (fields.at(-1).value === "") return;
  const next = fields.at(-1).cloneNode();
  next.value = "";
  next.placeholder = "";
  next.removeAttribute("aria-invalid");
  if (!next.getAttribute("aria-label").startsWith("Another")) {
    next.setAttribute("aria-label", `Another ${next.getAttribute("aria-label").toLowerCase()}`);
  }
  fields.at(-1).after(next);
});

// Details that turn into a form put the cursor into it, and the way back into the pencil's place.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "details") return;
  (document.querySelector("#details [aria-invalid=true]") ?? document.querySelector("#details [data-first]"))?.focus();
});
