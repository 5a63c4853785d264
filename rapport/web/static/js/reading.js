// The inbox: moving in the list, opening conversations, and the frames emails are shown in.

import { cancel, look, taken } from "./ahead.js";
import { $, $$, typing } from "./page.js";
import { wait } from "./waiting.js";

const inbox = () => $("#inbox");
const rows = () => $$("#rows [role=row]");
const opened = () => $("#reader")?.dataset.thread;
const wide = () => matchMedia("(min-width: 721px)").matches;
const roomy = () => matchMedia("(min-width: 1181px)").matches;
const link = (row) => $("a.subj", row);

// ---- the list is one stop for Tab; J, K and the arrows move in it ----

function current() {
  return document.activeElement?.closest?.("#rows [role=row]") ?? $("#rows .cursor") ?? $("#rows [aria-selected=true]");
}

function stop(row) {
  rows().forEach((other) => { other.tabIndex = -1; });
  if (row) row.tabIndex = 0;
}

function focus(row) {
  $$("#rows .cursor").forEach((other) => other.classList.remove("cursor"));
  row.classList.add("cursor");
  stop(row);
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

let resting;
function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(current());
  const row = all[Math.max(0, Math.min(all.length - 1, here < 0 ? 0 : here + step))];
  focus(row);
  look(row);
  if (all.indexOf(row) > all.length - 5) $("#next-page")?.click();
  clearTimeout(resting);
  // With a conversation open, the next one follows the cursor as soon as it rests.
  if (opened() && wide()) resting = setTimeout(() => open(row), 90);
}

let toSubject = false;
function open(row, { enter = false } = {}) {
  toSubject = enter;
  if (row.dataset.thread === opened() && inbox().dataset.view === "thread") { if (enter) $("#subject")?.focus(); return; }
  link(row).click();
}

function mark() {
  const thread = opened();
  rows().forEach((row) => row.setAttribute("aria-selected", row.dataset.thread === thread));
  if (!$("#rows [tabindex='0']")) stop($("#rows [aria-selected=true]") ?? rows()[0]);
  const all = rows();
  const here = all.findIndex((row) => row.dataset.thread === thread);
  $$("#reader [data-step]").forEach((button) => {
    const next = here < 0 ? null : all[here + Number(button.dataset.step)];
    if (next) { button.href = link(next).href; button.removeAttribute("aria-disabled"); }
    else if (here >= 0) { button.removeAttribute("href"); button.setAttribute("aria-disabled", "true"); }
  });
  panel();
}

document.addEventListener("click", (event) => {
  const row = event.target.closest?.("#rows [role=row]");
  if (row && event.detail) focus(row);
  const step = event.target.closest?.("[data-step]");
  const selected = $("#rows [aria-selected=true]");
  if (step && selected) {
    event.preventDefault();
    const next = rows()[rows().indexOf(selected) + Number(step.dataset.step)];
    if (next) { focus(next); step.focus(); open(next); }
  }
});

// ---- one request changes the reading pane and the panel; the rest stays ----

let waiting = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (target.id !== "reader") return;
  const row = elt.closest("[role=row]");
  if (row) rows().forEach((other) => other.setAttribute("aria-selected", other === row));
  const html = row && taken(link(row).getAttribute("href"));
  if (html) { event.preventDefault(); show(html, link(row).href); return; }
  if (row) expect(row);
});

// It is here already, because somebody was expected to open it.
function show(html, url) {
  history.pushState({ htmx: true }, "", url);
  htmx.swap($("#reader"), html, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 20 });
}

// On a telephone the list gives way to the shape of the conversation, and comes back if nothing does.
function expect(row) {
  const view = inbox().dataset.view;
  const reader = $("#reader");
  const panes = reader.checkVisibility() ? [[reader, "shape-reader"], [$("#context"), "shape-context"]] : [[$(".list"), ""], [reader, "shape-reader"]];
  waiting?.end();
  const began = wait(panes, {
    what: "The conversation",
    again: () => link(row).click(),
    shaped: () => { inbox().dataset.view = "thread"; },
  });
  waiting = { ...began, fail: () => { began.end(); inbox().dataset.view = view; mark(); } };
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const owed = detail.target.id === "reader" && detail.shouldSwap ? waiting?.owed() : 0;
  if (owed) detail.swapOverride = `outerHTML swap:${Math.ceil(owed)}ms`;
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.elt.id === "reader" || detail.target?.id === "reader") { waiting?.end(); waiting = null; }
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.elt.id === "next-page" || detail.target?.id === "next-page") { mark(); return; }
  if (!["reader", "context"].includes(detail.elt.id)) return;
  inbox().dataset.view = opened() ? "thread" : "list";
  mark();
  if (detail.elt.id === "reader") arrive();
});

function arrive({ first = false } = {}) {
  const lost = !document.activeElement || document.activeElement === document.body;
  if (toSubject || (lost && opened() && !first)) $("#subject")?.focus({ preventScroll: true });
  else if (lost && !first) ($("#rows [tabindex='0']") ?? $("#list-title"))?.focus();
  toSubject = false;
  const newest = $("#messages .msg.new") ?? $("#messages .msg:not(.shut):last-of-type");
  const pane = $("#conv");
  const top = newest && pane ? newest.getBoundingClientRect().top - pane.getBoundingClientRect().top : 0;
  if (top > pane?.clientHeight * 0.7) pane.scrollTop += top - 8;
}

// What is not there has a page that says so; what broke or was not reached says it itself (toast.js).
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, ({ detail }) => {
    if (detail.target?.id !== "reader") return;
    waiting?.fail();
    waiting = null;
    if (detail.xhr.status >= 400 && detail.xhr.status < 500) location.assign(detail.pathInfo.requestPath);
  });
}

// Another list is another page. Until it is here, this one takes its shape.
document.addEventListener("click", (event) => {
  const other = event.target.closest?.("#side a[href^='/inbox/']");
  if (!other || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  cancel();
  waiting?.end();
  const panes = [[$(".list"), "shape-list"], [$("#reader"), "shape-reader"], [$("#context"), "shape-context"]].filter(([pane]) => pane);
  waiting = wait(panes, {
    what: "The list",
    again: () => location.assign(other.href),
    shaped: ([list]) => { title(list, other); },
  });
});
addEventListener("pageshow", () => { waiting?.end(); waiting = null; });

function title(list, other) {
  const mailbox = other.closest(".tree") ?? document;
  const dot = $(".sw-dot", other) ?? (other.matches(".sub") ? $("[aria-current] .sw-dot", mailbox) : null);
  $(".sw-dot", list).style.cssText = dot?.style.cssText ?? "display:none";
  $(".txt", list).textContent = $(".txt", other).textContent;
}

// Back and forward inside one list change the reading pane alone. We hear it before htmx does.
addEventListener("popstate", (event) => {
  const list = inbox()?.dataset.list;
  if (!list || !location.pathname.startsWith(list === "/inbox/" ? "/inbox/" : list)) return;
  if (list === "/inbox/" && /^\/inbox\/(?!thread\/)./.test(location.pathname)) return;
  if (location.search.includes("unread=1") !== inbox().dataset.query.includes("unread=1")) return;
  event.stopImmediatePropagation();
  htmx.ajax("GET", location.pathname + location.search, { target: "#reader", swap: "outerHTML" });
});

// ---- the panel about the contact ----

function panel() {
  const off = localStorage.getItem("panel") === "off";
  if (off) inbox().dataset.ctx = "off"; else delete inbox().dataset.ctx;
  const shown = roomy() ? !off : inbox().dataset.drawer === "open";
  $$("[data-context]").forEach((button) => button.setAttribute("aria-pressed", shown));
}

function togglePanel() {
  if (!opened()) return;
  if (roomy()) localStorage.setItem("panel", localStorage.getItem("panel") === "off" ? "on" : "off");
  else if (inbox().dataset.drawer === "open") delete inbox().dataset.drawer;
  else { inbox().dataset.drawer = "open"; }
  panel();
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-context]")) togglePanel();
  else if (event.target === inbox() && inbox().dataset.drawer === "open") togglePanel();
  const details = event.target.closest?.("[data-details]");
  if (details) {
    const list = document.getElementById(details.dataset.details);
    list.hidden = !list.hidden;
    details.lastChild.textContent = list.hidden ? "Show details" : "Hide details";
    details.closest(".menu").hidePopover();
  }
  const print = event.target.closest?.("[data-print]");
  if (print) {
    print.closest(".menu").hidePopover();
    document.getElementById(print.dataset.print)?.contentWindow.print();
  }
});

// ---- keys ----

function between(step) {
  const heads = $$("#messages .msg").filter((message) => message.checkVisibility()).map((message) => $("[id^='h-']", message));
  const here = heads.findIndex((head) => head.closest(".msg").contains(document.activeElement));
  const head = heads[Math.max(0, Math.min(heads.length - 1, here < 0 ? (step > 0 ? 0 : heads.length - 1) : here + step))];
  head?.focus();
  head?.closest(".msg").scrollIntoView({ block: "nearest" });
}

function nextUnread() {
  const all = rows();
  const here = all.indexOf(current());
  const row = [...all.slice(here + 1), ...all.slice(0, here + 1)].find((other) => other.classList.contains("unread"));
  if (row) { focus(row); open(row); }
}

function back() {
  if (inbox().dataset.drawer === "open") { togglePanel(); return; }
  const row = $("#rows [aria-selected=true]");
  if (wide() && row && $("#reader").contains(document.activeElement)) { focus(row); return; }
  if (opened()) $("[data-back]")?.click();
}

const keys = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  n: () => between(1), p: () => between(-1), ".": nextUnread, i: togglePanel, Escape: back,
};

document.addEventListener("keydown", (event) => {
  if (!inbox() || typing(event)) return;
  const inList = event.target.closest?.("#rows") ?? event.target === document.body;
  // In the reading pane the arrows scroll.
  if (event.key.startsWith("Arrow") && !inList) return;
  const row = event.target.closest?.("#rows [role=row]");
  if (event.key === "Enter" && row) { event.preventDefault(); open(row, { enter: true }); return; }
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

// ---- the frames: as high as what they hold ----

// The frame's own document may not load a font; we hand it ours.
const font = document.querySelector("link[rel=preload][as=font]");
let inter = null;

function dress(frame) {
  const inside = frame.contentDocument;
  const view = frame.contentWindow;
  inter ??= font ? fetch(font.href).then((answer) => answer.arrayBuffer()) : null;
  inter?.then((bytes) => view.FontFace && inside.fonts.add(new view.FontFace("Inter", bytes, { weight: "100 900" })));
  // A mail with colours of its own is shown as it is, on its light sheet.
  frame.classList.toggle("sheet", view.getComputedStyle(inside.documentElement).colorScheme !== "light dark");
}

function fit(frame) {
  const inside = frame.contentDocument;
  if (!inside?.body || inside.URL === "about:blank") return;
  const measure = () => {
    const high = Math.max(Math.ceil(inside.documentElement.getBoundingClientRect().height), inside.body.offsetHeight);
    frame.classList.add("fit");
    if (high > 0) frame.style.height = `${high + (inside.documentElement.scrollWidth > inside.documentElement.clientWidth ? 14 : 0)}px`;
  };
  dress(frame);
  measure();
  new ResizeObserver(measure).observe(inside.documentElement);
  // Keys pressed inside the email are still ours.
  inside.addEventListener("keydown", (event) => {
    const again = new KeyboardEvent("keydown", { key: event.key, ctrlKey: event.ctrlKey, metaKey: event.metaKey, altKey: event.altKey, bubbles: true, cancelable: true });
    if (!event.key.startsWith("Arrow") && event.key !== "Tab") frame.dispatchEvent(again);
  });
}

document.addEventListener("load", (event) => { if (event.target.matches?.("iframe[data-frame]")) fit(event.target); }, true);
$$("iframe[data-frame]").forEach((frame) => { if (frame.contentDocument?.readyState === "complete") fit(frame); });

// ---- at the start, and whenever the list changed ----

document.addEventListener("rapport:rows", mark);
if (inbox()) { mark(); if (opened()) arrive({ first: true }); }
