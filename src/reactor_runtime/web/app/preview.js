// @ts-check
// What who waits in line sees meanwhile: somebody else's session, small, below the words. Loaded where the operator allows it.

import { later } from "../core/later.js";

const AGAIN_MS = 10_000;

/**
 * Until `signal` says that the wait is over.
 * @param {import("../core/api.js").Api} api
 * @param {string} ticket
 * @param {Element} veil
 * @param {AbortSignal} signal
 */
export async function preview(api, ticket, veil, signal) {
  if (!(await later("../player.js"))) return;
  const player = document.createElement("reactor-player");
  const show = (live) => Object.assign(player.style, { opacity: live ? 1 : 0, height: live ? "180px" : "1px" });
  Object.assign(player.style, { width: "320px", maxWidth: "100%" });
  player.setAttribute("label", "Somebody else's session");
  player.addEventListener("phase", () => show(player.dataset.phase === "live")); // without a size, no picture would ever come
  signal.addEventListener("abort", () => player.remove());
  show(false);
  while (!signal.aborted) {
    const found = player.dataset.phase !== "live" && (await api.call("GET", `/tickets/${ticket}/preview`).catch(() => null));
    if (found && !signal.aborted) {
      player.setAttribute("src", new URL(found.answer.base_url).pathname);
      if (!player.isConnected) veil.lastElementChild?.before(player);
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}
