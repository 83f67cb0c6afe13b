// @ts-check
// The one script that is no module, and the first to run: where those do not come, as when the network changes while they
// load, the page is asked for anew. A browser remembers for as long as a page lives that a module did not come.

const MOST = 4; // waiting 1, 2, 4 and 8 seconds; then what the page says about it stays

addEventListener("error", ({ target }) => {
  const tried = history.state ?? 0; // outlives a reload
  if (tried < MOST) setTimeout(() => {
    if (!document.getElementById("unstarted") && !(target instanceof HTMLLinkElement && target.rel === "stylesheet")) return;
    history.replaceState(tried + 1, "");
    location.reload();
  }, 1000 << tried);
}, { capture: true, once: true });
