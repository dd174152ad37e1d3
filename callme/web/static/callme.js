// Keeps the dashboard live: each server-sent event brings one section of the page as it is now.
// Texts are escaped where they are made (templates), so sections are put in as they come.
"use strict";

const light = document.getElementById("live");

function show(fresh) {
  light.textContent = fresh ? light.dataset.live : light.dataset.stale;
  light.classList.toggle("stale", !fresh);
}

function tick() {
  for (const clock of document.querySelectorAll("[data-since]")) {
    const since = Number(clock.dataset.since) * 1000;
    // The server's clock may differ from this machine's: what the page said when it came is the measure.
    if (clock.dataset.skew === undefined) {
      const [minutes, seconds] = clock.textContent.split(":").map(Number);
      clock.dataset.skew = Date.now() - since - (minutes * 60 + seconds) * 1000;
    }
    const passed = Math.max(0, Math.floor((Date.now() - since - Number(clock.dataset.skew)) / 1000));
    clock.textContent = Math.floor(passed / 60) + ":" + String(passed % 60).padStart(2, "0");
  }
}

function connect() {
  const source = new EventSource("/live" + window.location.search);
  for (const name of ["state", "now", "recent"]) {
    source.addEventListener(name, (event) => {
      document.getElementById(name).innerHTML = event.data;
      tick();
    });
  }
  source.onopen = () => show(true);
  source.onerror = () => {
    show(false);
    // A lost connection is re-made by the browser itself; after an error answer it is left to us.
    if (source.readyState === EventSource.CLOSED) window.setTimeout(connect, 10000);
  };
  window.addEventListener("pagehide", () => source.close(), { once: true });
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});
connect();
window.setInterval(tick, 1000);
