// What every page does by itself: menus, the sidebar as a drawer, questions before a download, keys that lead elsewhere.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// Said to those who listen to the page.
export const say = (text) => { $("#live").textContent = text; };

export const typing = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || event.isComposing ||
  event.target.closest?.("input, textarea, select, [contenteditable=true], dialog[open], [popover]:popover-open");

// A menu opens under its button, inside the window; arrows move in it.
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.(".menu[popover]")) return;
  const button = $$(`[popovertarget="${menu.id}"]`).find((one) => one.checkVisibility());
  const opened = event.newState === "open";
  button?.setAttribute("aria-expanded", opened);
  if (!opened || !button) return;
  const at = button.getBoundingClientRect();
  const below = at.bottom + 4 + menu.offsetHeight < innerHeight;
  Object.assign(menu.style, {
    inset: "auto", margin: 0,
    top: `${below ? at.bottom + 4 : at.top - 4 - menu.offsetHeight}px`,
    left: `${Math.max(8, Math.min(innerWidth - menu.offsetWidth - 8, at.right - menu.offsetWidth))}px`,
  });
  $("[role=menuitem]", menu)?.focus();
}, true);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".menu:popover-open");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !step) return;
  event.preventDefault();
  const items = $$("[role=menuitem]", menu);
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
});

// Below 1181 pixels the sidebar is a drawer.
const drawer = (open) => {
  const app = $(".app");
  if (!app) return;
  const opener = open ? document.activeElement : $("[data-nav-open][aria-expanded=true]");
  if (open) app.dataset.nav = "open"; else delete app.dataset.nav;
  $$("[data-nav-open]").forEach((button) => button.setAttribute("aria-expanded", open && button === opener));
  (open ? $("#side a") : opener)?.focus();
};
const drawerOpen = () => $(".app")?.dataset.nav === "open";

document.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest?.(selector);
  if (hit("[data-nav-open]")) { event.preventDefault(); drawer(!drawerOpen()); return; }
  if (drawerOpen() && (hit("[data-nav-close]") || !hit(".side"))) { event.preventDefault(); drawer(false); return; }
  if (hit("[data-keys]")) { hit(".menu")?.hidePopover(); $("#keys")?.showModal(); return; }
  const risky = hit("[data-confirm]");
  if (risky && !confirm(risky.dataset.confirm)) event.preventDefault();
  if (event.target.matches?.("dialog")) event.target.close();
});

// htmx would take a click that asks for a new tab.
document.addEventListener("click", (event) => {
  if ((event.ctrlKey || event.metaKey || event.shiftKey) && event.target.closest?.("a[hx-get]")) event.stopImmediatePropagation();
}, true);

// A link that acts as a button also answers to Space.
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches?.("a[role=button]")) { event.preventDefault(); event.target.click(); }
});

let went = 0;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && drawerOpen()) { drawer(false); event.stopImmediatePropagation(); return; }
  if (typing(event)) return;
  if (event.key === "?") { event.preventDefault(); $("#keys")?.showModal(); return; }
  const place = { i: "#nav-inbox", c: "#nav-contacts", o: "#nav-companies" }[event.key];
  if (place && Date.now() - went < 900) { event.stopImmediatePropagation(); $(place)?.click(); }
  went = event.key === "g" ? Date.now() : 0;
}, true);
