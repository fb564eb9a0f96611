// Renews the page while it is looked at, and says so when that fails. Without it the page is the
// same, and is renewed by the reader.
"use strict";
(() => {
  const EVERY_MS = 5000;
  const STALE_MS = 20000;
  const live = document.body.dataset.live === "true";
  let asOf = Number(document.body.dataset.asOf);
  let renewed = performance.now();

  function judge() {
    const age = live ? performance.now() - renewed : Date.now() - asOf;
    const limit = live ? STALE_MS : 15 * STALE_MS;
    const stale = age > limit;
    document.documentElement.classList.toggle("stale", stale);
    document.getElementById("stale").hidden = !stale;
  }

  async function renew() {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = page.getElementById("main");
    if (!main) return;
    asOf = Number(page.body.dataset.asOf);
    renewed = performance.now();
    document.getElementById("as-of").replaceWith(page.getElementById("as-of"));
    document.title = page.title;
    const own = document.getElementById("main");
    // Who is in the middle of it with the keyboard keeps his place.
    if (!own.contains(document.activeElement) && own.innerHTML !== main.innerHTML) own.replaceWith(main);
  }

  setInterval(judge, 1000);
  judge();
  if (live) {
    setInterval(() => {
      if (!document.hidden) renew().catch(() => {}).finally(judge);
    }, EVERY_MS);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) renew().catch(() => {}).finally(judge);
    });
  }
})();
