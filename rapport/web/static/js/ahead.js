// Looking ahead: the conversation that the pointer or the cursor rests on is asked for before it is opened.

const REST = 65;
const FRESH = 5_000; // rights are asked again after that (R4)
let resting = null;
let asking = null;
let held = null;

const address = (row) => row.querySelector("a.subj")?.getAttribute("href");

export function look(row) {
  cancel();
  const url = row && address(row);
  if (!url || navigator.connection?.saveData || fresh(url)) return;
  resting = setTimeout(() => fetched(url), REST);
}

export function cancel() {
  clearTimeout(resting);
  asking?.abort();
  asking = null;
}

// What was fetched for this address, if that was just now; it is used once.
export function taken(url) {
  const found = fresh(url) ? held.html : null;
  cancel();
  held = null;
  return found;
}

const fresh = (url) => held?.url === url && performance.now() - held.at < FRESH;

async function fetched(url) {
  const mine = asking = new AbortController();
  try {
    const answer = await fetch(url, { signal: mine.signal, headers: { "HX-Request": "true", "HX-Target": "reader" } });
    const html = await answer.text();
    if (answer.ok && !answer.redirected) held = { url, html, at: performance.now() };
  } catch {
    // Nobody has asked for it yet: opening asks again, and says what is wrong.
  } finally {
    if (asking === mine) asking = null;
  }
}

document.addEventListener("pointerover", (event) => {
  const row = event.target.closest?.("#rows [role=row]");
  if (event.pointerType !== "mouse" || row?.contains(event.relatedTarget)) return;
  if (row && row.getAttribute("aria-selected") !== "true") look(row); else cancel();
});
document.addEventListener("rapport:thread", () => { held = null; });
