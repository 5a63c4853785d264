// Progress is announced at 25, 50, 75 and 100 %, and not in between.

import { $$, say } from "./page.js";

const STEP = 25;
const told = new Map();

export function milestones() {
  $$("[role=progressbar]").forEach((bar) => {
    const reached = Math.floor(Number(bar.getAttribute("aria-valuenow")) / STEP) * STEP;
    const before = told.get(bar.ariaLabel);
    told.set(bar.ariaLabel, reached);
    if (before !== undefined && reached > before) say(`${bar.ariaLabel}: ${reached} %`);
  });
}

document.addEventListener("htmx:afterSettle", milestones);
milestones();
