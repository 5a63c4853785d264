// What happens while the page is open: one stream per tab. An event says only what changed; we ask for it again.

import { milestones } from "./milestones.js";
import { $, $$, say } from "./page.js";
import { clear, fail } from "./toast.js";

const app = $(".app");
const EVERY = 30_000;
let last = app?.dataset.since ?? "";
let stream = null;
let polling = null;

const get = async (url, target = "") => {
  const answer = await fetch(url, { headers: target ? { "HX-Request": "true", "HX-Target": target } : {} });
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") { location.reload(); return ""; }
  return answer.status === 200 ? answer.text() : "";
};
const parse = (html) => new DOMParser().parseFromString(html, "text/html");

// Many events in a row are one refresh.
const soon = (act, wait) => {
  let timer = null;
  return () => { timer ??= setTimeout(() => { timer = null; act(); }, wait); };
};

// ---- the sidebar ----

let shown = "";
const sidebar = soon(async () => {
  const body = $("#side-body");
  const html = body && await get(body.dataset.sidebar);
  if (!html || html === shown) return;
  shown = html;
  const focused = body.contains(document.activeElement) ? document.activeElement.id : "";
  const folded = $$("details[open]", body).map((details) => details.id);
  const scrolled = $(".mailboxes", body)?.scrollTop ?? 0;
  body.innerHTML = html;
  folded.forEach((id) => { const details = document.getElementById(id); if (details) details.open = true; });
  $(".mailboxes", body).scrollTop = scrolled;
  if (focused) document.getElementById(focused)?.focus();
  counts();
  milestones();
}, 200);

const plain = () => document.title.replace(/^\(\d+\) /, "");
function counts() {
  const unread = Number($("[data-unread-total]")?.dataset.unreadTotal ?? 0);
  $$(".badge[data-unread]").forEach((badge) => { badge.hidden = !unread; badge.firstChild.textContent = unread; });
  document.title = unread ? `(${unread}) ${plain()}` : plain();
}

const tabs = soon(async () => {
  const inbox = $("#inbox");
  const html = inbox && await get(inbox.dataset.list + inbox.dataset.query, "tabs");
  if (html) $("#tabs").innerHTML = html;
}, 300);

// ---- the list ----

const list = () => $("#rows");
let waiting = new Set();
const still = () => list().scrollTop < 4 && !list().matches(":hover");

// A first sync tells of hundreds of conversations: a handful is asked for one by one, more of them as one list.
const HANDFUL = 5;
const changed = new Map();
let gathering = null;

function listed(thread, arrived) {
  changed.set(thread, arrived || changed.get(thread));
  gathering ??= setTimeout(gathered, 30);
}

async function gathered() {
  const batch = [...changed];
  changed.clear();
  if (batch.length > HANDFUL && list() && still()) await top();
  else batch.forEach(([thread, arrived]) => row(thread, arrived));
  gathering = changed.size ? setTimeout(gathered, 300) : null;
}

async function row(thread, arrived) {
  const inbox = $("#inbox");
  if (!inbox) return;
  const known = document.getElementById(`row-${thread}`);
  // Older mail that a sync brings in belongs to a later page.
  if (!known && !arrived && $("#next-page")) return;
  const html = await get(`${inbox.dataset.list}row/${thread}${inbox.dataset.query}`);
  const old = document.getElementById(`row-${thread}`);
  const fresh = html && parse(html).body.firstElementChild;
  if (!fresh) { if (old && still()) leave(old); return; }
  if (list().hidden) { top(); return; }
  if (old && old.dataset.at === fresh.dataset.at) { put(fresh, (node) => old.replaceWith(node), old); return; }
  if (!old && inbox.dataset.query && !fresh.classList.contains("unread")) return;
  if (!still()) {
    if (arrived) { waiting.add(thread); pill(); }
    return;
  }
  const had = old?.contains(document.activeElement);
  if (old) leave(old);
  place(fresh);
  if (had) document.getElementById(fresh.id)?.focus({ preventScroll: true });
  if (arrived) say("1 new email");
}

function put(fresh, how, old) {
  const had = old?.contains(document.activeElement);
  if (old?.classList.contains("cursor")) fresh.classList.add("cursor");
  how(fresh);
  htmx.process(fresh);
  document.dispatchEvent(new Event("rapport:rows"));
  if (had) { fresh.tabIndex = 0; fresh.focus({ preventScroll: true }); }
}

function leave(old) {
  const group = old.parentElement;
  old.remove();
  if (!$("[role=row]", group)) group.remove();
}

function place(fresh) {
  const after = $$("[role=row]", list()).find((other) => other.dataset.at < fresh.dataset.at);
  if (!after && $("#next-page")) return;
  const day = fresh.dataset.day;
  if (after?.dataset.day === day) { put(fresh, (node) => after.before(node)); return; }
  const groups = $$("[role=rowgroup]", list());
  const same = groups.findLast((group) => group.dataset.day === day);
  if (same) { put(fresh, (node) => same.append(node)); return; }
  const group = document.createElement("div");
  const head = document.createElement("div");
  group.setAttribute("role", "rowgroup");
  group.setAttribute("aria-label", day);
  group.dataset.day = day;
  head.className = "day";
  head.ariaHidden = "true";
  head.textContent = day;
  group.append(head);
  (after?.parentElement ?? null) ? after.parentElement.before(group) : list().prepend(group);
  put(fresh, (node) => group.append(node));
}

function pill() {
  const button = $("#new-pill");
  const text = `${waiting.size} new ${waiting.size === 1 ? "email" : "emails"}`;
  button.hidden = !waiting.size;
  if (waiting.size) { $("span", button).textContent = text; say(text); }
}

async function top() {
  const inbox = $("#inbox");
  if (!inbox) return;
  const page = parse(await get(inbox.dataset.list + inbox.dataset.query));
  const fresh = $("#rows", page);
  if (!fresh) return;
  const focused = list().contains(document.activeElement) ? document.activeElement.closest("[role=row]")?.id : "";
  list().innerHTML = fresh.innerHTML;
  list().hidden = fresh.hidden;
  $("#no-rows")?.remove();
  const empty = $("#no-rows", page);
  if (empty) list().after(empty);
  list().scrollTop = 0;
  htmx.process(list());
  waiting = new Set();
  pill();
  document.dispatchEvent(new Event("rapport:rows"));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => { if (event.target.closest?.("#new-pill")) top(); });
document.addEventListener("pointerleave", (event) => {
  if (event.target === list() && waiting.size && list().scrollTop < 4) top();
}, true);

// ---- the open conversation: what is new is added, what is there stays as it is ----

async function conversation() {
  const thread = $("#reader")?.dataset.thread;
  if (!thread) return;
  const page = parse(await get(location.pathname + location.search, "reader"));
  if ($("#reader")?.dataset.thread !== thread || !$("#messages", page)) return;
  const here = new Set($$("#messages .msg").map((message) => message.id));
  const there = $$("#messages .msg", page);
  const ids = new Set(there.map((message) => message.id));
  there.filter((message) => !here.has(message.id)).forEach((message) => {
    $("#messages").append(message);
    htmx.process(message);
  });
  here.forEach((id) => { if (!ids.has(id)) document.getElementById(id).remove(); });
  const context = $("#context", page);
  if (context && context.innerHTML !== $("#context").innerHTML && !$("#context").matches(":hover")) $("#context").innerHTML = context.innerHTML;
}

// ---- pieces of other pages that say what they are about: data-live-on="contact:<uuid>" ----

async function pieces(subject) {
  const wanted = $$(`[data-live-on~="${subject}"]`).filter((piece) => piece.id);
  if (!wanted.length) return;
  const page = parse(await get(location.href));
  wanted.forEach((piece) => {
    const fresh = page.getElementById(piece.id);
    if (!fresh) { location.reload(); return; }
    if (fresh.innerHTML === piece.innerHTML) return;
    piece.innerHTML = fresh.innerHTML;
    htmx.process(piece);
  });
}

// ---- the stream ----

const heard = {
  thread(uuid, what) {
    document.dispatchEvent(new Event("rapport:thread"));
    listed(uuid, what === "arrived");
    if ($("#reader")?.dataset.thread === uuid) conversation();
    sidebar();
    tabs();
  },
  account(uuid) {
    // The first mailbox: what said that there is none becomes the inbox.
    if ($("[data-until-mailbox]") && !$("dialog[open]")) { location.reload(); return; }
    sidebar();
    pieces(`account:${uuid}`);
  },
  contact(uuid) { pieces(`contact:${uuid}`); if ($(`#context a[href*="${uuid}"]`)) conversation(); },
  company(uuid) { pieces(`company:${uuid}`); },
  all() { catchUp(); },
};

function catchUp() {
  sidebar();
  tabs();
  conversation();
  $$("[data-live-on]").slice(0, 1).forEach((piece) => pieces(piece.dataset.liveOn.split(" ")[0]));
  if (list() && still()) top();
}

// Said once it lasts: a restart takes a moment, and nobody needs to know.
const SILENT = 8_000;
let silence = null;
let lost = null;

function tell() {
  const at = new Date(Date.now() - SILENT).toTimeString().slice(0, 5);
  if (!document.hidden) lost = fail(`Rapport has not answered since ${at}. What is here stays readable; we keep trying by ourselves.`);
}

function listen() {
  if (stream || document.hidden) return;
  stream = new EventSource(`${app.dataset.live}?since=${last}`);
  Object.entries(heard).forEach(([kind, act]) => stream.addEventListener(kind, (event) => {
    last = event.lastEventId || last;
    act(...event.data.split(" "));
  }));
  stream.addEventListener("bye", () => { location.reload(); });
  stream.onopen = () => {
    clearInterval(polling);
    clearTimeout(silence);
    polling = silence = null;
    clear(lost);
  };
  stream.onerror = () => {
    silence ??= setTimeout(tell, SILENT);
    polling ??= setInterval(() => { catchUp(); if (!stream) listen(); }, EVERY);
    if (stream.readyState === EventSource.CLOSED) stream = null;
  };
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { stream?.close(); stream = null; clearInterval(polling); polling = null; } else listen();
});
addEventListener("pagehide", () => { stream?.close(); stream = null; });
addEventListener("pageshow", () => { if (app) listen(); });
document.addEventListener("htmx:afterSettle", counts);

if (app) { counts(); listen(); }
