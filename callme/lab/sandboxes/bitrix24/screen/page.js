// Keeps the page true while it is open: on each event the page is fetched again and what changed is swapped by its key,
// so that a card appears once and a recording that plays goes on playing. Nothing here builds markup.
"use strict";

const LEAVE_MS = 220;
const skew = Date.now() - Number(document.body.dataset.now);
const link = document.getElementById("link");
let running = false;
let again = false;

function tick(root = document) {
  for (const time of root.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - skew - Number(time.dataset.since)) / 1000));
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (time.textContent !== text) time.textContent = text;
  }
}

function keyed(list) {
  return new Map([...list.children].filter((node) => node.dataset.key).map((node) => [node.dataset.key, node]));
}

// Makes `list` hold what `fresh` holds; nodes whose markup did not change stay the very nodes they were.
function swap(list, fresh) {
  const old = keyed(list);
  const wanted = [...fresh.children].map((node) => {
    const was = old.get(node.dataset.key);
    return was && was.source === node.outerHTML ? was : remember(document.importNode(node, true), node.outerHTML, was);
  });
  list.replaceChildren(...wanted);
}

function remember(node, source, was) {
  node.source = source;
  const shown = was ? new Set([...was.querySelectorAll("[data-key]")].map((card) => card.dataset.key)) : new Set();
  for (const card of node.querySelectorAll(".card")) if (shown.has(card.dataset.key)) card.classList.add("stays");
  return node;
}

function leave(fresh) {
  const staying = new Set([...fresh.querySelectorAll(".card")].map((card) => card.dataset.key));
  const gone = [...document.querySelectorAll(".card")].filter((card) => !staying.has(card.dataset.key));
  gone.forEach((card) => card.classList.add("leaving"));
  return gone.length > 0;
}

// One fetch at a time; what happens meanwhile is seen by the next one.
async function refresh() {
  again = true;
  if (running) return;
  running = true;
  while (again) {
    again = false;
    await redraw().catch(() => connected(false));
  }
  running = false;
}

async function redraw() {
  const answer = await fetch(location.href, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (leave(fresh)) await new Promise((done) => setTimeout(done, LEAVE_MS));
  for (const id of ["seats", "rows"]) swap(document.getElementById(id), fresh.getElementById(id));
  tick();
}

function connected(yes) {
  link.textContent = yes ? link.dataset.live : link.dataset.lost;
  link.classList.toggle("lost", !yes);
}

for (const id of ["seats", "rows"]) {
  for (const node of document.getElementById(id).children) node.source = node.outerHTML;
}
tick();
setInterval(tick, 1000);
const stream = new EventSource("/sandbox/events?since=latest");
stream.onopen = () => { connected(true); refresh(); };
stream.onerror = () => connected(false);
for (const kind of ["registered", "card.shown", "card.hidden", "finished", "attached", "purged"]) {
  stream.addEventListener(kind, refresh);
}
