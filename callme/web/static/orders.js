// Sends what a button orders. The header tells our own pages from others that a browser has open.
"use strict";

for (const button of document.querySelectorAll("button[data-order]")) {
  button.addEventListener("click", async () => {
    if (!window.confirm(button.dataset.ask)) return;
    button.disabled = true;
    const answer = await fetch(button.dataset.order, { method: "POST", headers: { "X-CallMe": "1" } });
    if (answer.ok) window.location.reload();
    else button.textContent = "HTTP " + answer.status;
  });
}
