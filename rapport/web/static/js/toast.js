// A failure that stays until it is dismissed: what happened, what is safe, and Retry. One at a time, the newest wins.

import { $ } from "./page.js";

let shown = null;

export function fail(text, again = null) {
  clear();
  shown = $("#toast-failed")?.content.firstElementChild.cloneNode(true) ?? null;
  if (!shown) return null;
  document.body.append(shown);
  $("span", shown).textContent = text;
  const retry = $("[data-again]", shown);
  retry.hidden = !again;
  retry.addEventListener("click", () => { clear(); again(); });
  $("[data-dismiss]", shown).addEventListener("click", () => clear());
  return shown;
}

export function clear(only = shown) {
  if (only && only === shown) { shown.remove(); shown = null; }
}

// ---- requests of htmx that fail ----

export const unreached = () => navigator.onLine
  ? "Rapport did not answer. It may be restarting; nothing was changed."
  : "You are offline. What is on the page stays readable.";

export function broken(answer) {
  const number = /<code[^>]*>([0-9a-f]{4}-[0-9a-f]{4})<\/code>/.exec(answer.responseText)?.[1];
  return `Something broke on our side. Nothing of yours is lost.${number ? ` Its number, for your administrator: ${number}.` : ""}`;
}

// Forms say themselves what went wrong with them; what is asked for again and again will be asked for again.
const quiet = (elt) => elt.closest("dialog") || elt.getAttribute("hx-trigger")?.startsWith("every");

document.addEventListener("htmx:sendError", ({ detail }) => {
  if (!quiet(detail.elt)) fail(unreached(), () => detail.elt.click());
});
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (quiet(detail.elt)) return;
  if (detail.xhr.status >= 500) fail(broken(detail.xhr), () => detail.elt.click());
  else if (detail.target?.id !== "reader") fail("That is no longer here. Reload the page to see what is.", () => location.reload());
});

let offline = null;
addEventListener("offline", () => { offline = fail(unreached()); });
addEventListener("online", () => clear(offline));
