// Waiting for an answer: nothing for 100 ms, a thin bar until 400 ms, then the shape of what comes; after 8 s, words.

import { $, say } from "./page.js";

const SHAPE = 400;
const AT_LEAST = 300;
const SLOW = 8_000;

// `panes` are pairs of a pane and the id of its shape. `end` takes everything away again; `owed` is how many
// milliseconds a shape that has just appeared still stays, so that nothing flickers.
export function wait(panes, { what, again, shaped = () => {} }) {
  let shapes = [];
  let since = 0;
  panes.forEach(([pane]) => { pane.classList.add("waiting"); pane.ariaBusy = "true"; });
  const shape = setTimeout(() => {
    shapes = panes.map(([pane, id]) => over(pane, id)).filter(Boolean);
    since = performance.now();
    panes.forEach(([pane]) => { pane.classList.remove("waiting"); });
    shaped(shapes);
    say("Loading");
  }, SHAPE);
  const slow = setTimeout(() => { words(shapes[0], what, () => { end(); again(); }); }, SLOW);
  const end = () => {
    clearTimeout(shape);
    clearTimeout(slow);
    shapes.forEach((one) => one.remove());
    panes.forEach(([pane]) => { pane.classList.remove("waiting"); pane.ariaBusy = null; });
  };
  return { end, owed: () => (since ? Math.max(0, AT_LEAST - (performance.now() - since)) : 0) };
}

function over(pane, id) {
  const template = document.getElementById(id);
  if (!template || !pane.isConnected) return null;
  const shape = template.content.firstElementChild.cloneNode(true);
  pane.append(shape);
  return shape;
}

function words(shape, what, again) {
  const template = $("#slow");
  if (!shape || !template) return;
  const told = template.content.firstElementChild.cloneNode(true);
  $("[data-what]", told).textContent = what;
  $("[data-again]", told).addEventListener("click", again);
  // The shape is for the eye alone; this is for everybody.
  shape.ariaHidden = null;
  [...shape.children].forEach((part) => { part.ariaHidden = "true"; });
  shape.prepend(told);
  say(`${what} is taking long.`);
}
