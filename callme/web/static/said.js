// A click on a line's time plays the recording from there. Without this script the link opens the recording at
// that moment by itself.
"use strict";

const player = document.querySelector("audio");

for (const link of document.querySelectorAll("a[data-at]")) {
  link.addEventListener("click", (event) => {
    if (player === null) return;
    event.preventDefault();
    const at = Number(link.dataset.at);
    const seek = () => {
      player.currentTime = at;
      player.play();
    };
    if (player.readyState > 0) {
      seek();
      return;
    }
    player.addEventListener("loadedmetadata", seek, { once: true });
    player.load();
  });
}
