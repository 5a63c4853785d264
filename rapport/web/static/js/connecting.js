// The connect dialog: a test holds for exactly the fields it was made with, and nothing typed is ever lost.

const $ = (selector) => document.querySelector(selector);
const form = () => $("#servers");
const SIDES = ["incoming", "outgoing"];

// --- step 2: the servers -------------------------------------------------------------------------------------------

document.addEventListener("input", (event) => {
  if (event.target.form && event.target.form === form()) forget();
});

document.addEventListener("change", (event) => {
  const select = event.target.closest("#servers select");
  if (!select) return;
  const port = form().elements[select.name.replace("_security", "_port")];
  const usual = [select.dataset.ssl, select.dataset.starttls, select.dataset.none, ""];
  if (usual.includes(port.value.trim())) port.value = select.dataset[select.value];
});

document.addEventListener("click", (event) => {
  const fix = event.target.closest("[data-fix]");
  if (fix) return change(new URLSearchParams(fix.dataset.fix));
  if (event.target.closest("[data-disallow]")) change(new URLSearchParams("incoming_pin=&outgoing_pin="));
});

document.addEventListener("submit", (event) => {
  if ($("#test")?.getAttribute("aria-disabled") === "true" && event.target === form()) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target === form()) busy();
  if (event.target.id === "what") $("#connect")?.setAttribute("aria-disabled", "true");
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "res") settle();
  allowed();
  prepare();
});

for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    $("#connect")?.removeAttribute("aria-disabled");
    if (event.target !== form()) return;
    forget();
    show($("#not-tested").content.cloneNode(true));
    look();
  });
}

// Any edit makes the result one of other settings: it goes, and so does the way on.
function forget() {
  if (!$("#res").childElementCount) return;
  show();
  mark([]);
  const focused = $("#acts").contains(document.activeElement);
  $("#acts").replaceChildren($("#untested").content.cloneNode(true));
  if (focused) $("#test").focus();
}

function show(...pieces) {
  $("#res").replaceChildren(...pieces);
  $("#res").hidden = pieces.length === 0;
}

// The dialog scrolls, never the page behind it.
function reveal() {
  const body = $("#servers .d-body");
  body.scrollTop = body.scrollHeight;
}

function look() {
  $("#res").focus({ preventScroll: true });
  reveal();
}

function busy() {
  mark([]);
  const button = $("#test");
  button.setAttribute("aria-disabled", "true");
  button.lastChild.textContent = "Testing…";
  $("#choose")?.remove();
  const progress = $("#testing").content.cloneNode(true);
  for (const side of SIDES) {
    progress.querySelector(`[data-host=${side}]`).textContent = form().elements[`${side}_host`].value;
  }
  show(progress);
  reveal();
}

function settle() {
  const names = ($("#res [data-invalid]")?.dataset.invalid ?? "").split(" ").filter(Boolean);
  fold(names.some((name) => $("#where").contains(form().elements[name])));
  mark(names);
  look();
}

function mark(names) {
  for (const field of form().querySelectorAll(".in, .sel")) {
    const wrong = names.includes(field.name);
    field.toggleAttribute("aria-invalid", wrong);
    if (wrong) field.setAttribute("aria-invalid", "true");
    if (wrong) field.setAttribute("aria-describedby", "res");
    else field.removeAttribute("aria-describedby");
  }
}

// After a test the servers fold away, unless they are what is wrong.
function fold(stay) {
  const where = $("#where");
  const value = (name) => form().elements[name].value;
  where.classList.add("card");
  where.style.padding = "0 13px";
  where.lastElementChild.style.paddingBottom = "13px";
  where.querySelector("summary").hidden = false;
  where.querySelector("[data-summary]").textContent =
    SIDES.map((side) => `${value(`${side}_host`)}:${value(`${side}_port`)}`).join(" · ");
  where.open = stay;
}

function change(fields) {
  for (const [name, value] of fields) form().elements[name].value = value;
  forget();
  allowed();
  $("#live").textContent = "Changed. Test again.";
  $("#test").focus();
}

function allowed() {
  if (form()) $("#allowed").hidden = !SIDES.some((side) => form().elements[`${side}_pin`].value);
}

// --- step 3: what to sync --------------------------------------------------------------------------------------------

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.form?.id !== "what") return;
  if (field.name === "period") $("[data-period]").textContent = field.dataset.hint;
  if (field.matches("[data-group]")) inside(field).forEach((box) => { box.checked = field.checked; });
  count();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-all]")) return;
  const every = folders().every((box) => box.checked);
  folders().forEach((box) => { box.checked = !every; });
  count();
});

const folders = () => [...document.querySelectorAll("#what input[name=folders]")];

function prepare() {
  if ($("#what [data-all]")) $("#what [data-all]").hidden = false;
  if ($("#what")) count();
}

function count() {
  const chosen = folders().filter((box) => box.checked).length;
  $("[data-chosen]").textContent = `${chosen} of ${folders().length}`;
  $("[data-all]").textContent = chosen === folders().length ? "Select none" : "Select all";
  for (const group of document.querySelectorAll("#what [data-group]")) {
    const boxes = inside(group);
    group.checked = boxes.length > 0 && boxes.every((box) => box.checked);
    group.indeterminate = !group.checked && boxes.some((box) => box.checked);
  }
}

// The folders below one that holds no mail itself.
function inside(group) {
  const item = group.closest("li");
  const boxes = [];
  for (let next = item.nextElementSibling; next && Number(next.dataset.depth) > Number(item.dataset.depth); next = next.nextElementSibling) {
    boxes.push(...next.querySelectorAll("input[name=folders]"));
  }
  return boxes;
}

prepare();
allowed();
