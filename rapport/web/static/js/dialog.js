// Dialogs: a link that leads to one opens it over the page it stands on; its address is also a page by itself.
// With the dialog come the scripts of the forms in it.

import "./connecting.js";
import "./passwords.js";
import "./records.js";

const OPENS = "a[data-dialog], a[href^='/connect/']";
let invoker = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest(OPENS);
  if (!link || link.closest("dialog") || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  invoker = link;
  window.htmx.ajax("GET", link.getAttribute("href"), { target: host(), swap: "innerHTML" });
});

// A click beside a form closes nothing: what was typed stays.
document.addEventListener("click", (event) => {
  if (event.target.id === "dialog") event.stopImmediatePropagation();
}, true);

document.addEventListener("click", (event) => {
  const dialog = document.getElementById("dialog");
  if (!dialog || dialog.hasAttribute("data-whole") || !event.target.closest("#dialog [data-close]")) return;
  event.preventDefault();
  dialog.close();
});

document.addEventListener("htmx:afterSettle", () => present());
present();

// A dialog that has just come in becomes modal; a new step in it takes the focus to its heading.
function present() {
  const dialog = document.getElementById("dialog");
  if (!dialog) return;
  dialog.style.setProperty("--w", dialog.querySelector("[data-width]")?.dataset.width ?? "560px");
  if (!dialog.matches(":modal")) {
    dialog.open = false; // not close(): nobody has left
    dialog.showModal();
    dialog.addEventListener("close", leave);
  }
  const heading = dialog.querySelector("h2");
  if (heading && heading !== dialog.heading) {
    dialog.heading = heading;
    (dialog.querySelector("[aria-invalid=true]") ?? dialog.querySelector("[data-first]") ?? heading).focus({ preventScroll: true });
  }
}

// Esc on a whole page leads where its cross leads; over a page, the page is simply there again.
function leave(event) {
  const dialog = event.target;
  if (dialog.hasAttribute("data-whole")) {
    window.location.href = dialog.querySelector("[data-close]")?.href ?? "/";
    return;
  }
  dialog.remove();
  if (invoker?.isConnected) invoker.focus();
  invoker = null;
}

function host() {
  let place = document.getElementById("dialog-host");
  if (!place) {
    place = document.createElement("div");
    place.id = "dialog-host";
    document.body.append(place);
  }
  return place;
}
