// @ts-check
// Somebody else plays, or this browser does in another tab. Loaded when that is so.

import { el } from "./dom.js";
import { PHASES, wordsFor } from "../core/phases.js";

/** Says over the picture of `viewer` who plays; `running` is what `/session` says. */
export async function sayBusy(viewer, running) {
  const { session, store, elsewhere } = viewer;
  const { claim } = store;
  viewer.other = claim && !claim.left && (await elsewhere.ask()) ? claim : null;
  if (session.phase !== "busy") return;
  const words = { ...wordsFor(session), dim: true };
  const watch = el("button", { type: "button", onclick: () => session.watch() }, "Watch");
  if (viewer.other) {
    viewer.say({ ...words, title: "You play in another tab", sentence: "Take over here? The other tab stops; the model goes on.", button: "Take over here", extra: [watch] });
  } else viewer.say({ ...words, title: "Somebody else is playing", sentence: busyWords(running) });
}

/** Since when, and when the model is free. */
function busyWords({ clients = [], free_in: free = null }, now = Date.now()) {
  const { since } = clients.find(({ role }) => role === "controller") ?? {};
  const minutes = since && Math.max(0, Math.floor((now - since * 1000) / 60_000));
  const at = since && new Date(since * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const played = since ? `Since ${at} (${minutes < 1 ? "less than a minute" : minutes === 1 ? "1 minute" : `${minutes} minutes`}). ` : "";
  const gone = free === null ? "" : `The player's connection is lost: the model is free in ${Math.ceil(free)} s, unless they come back. `;
  return `${played}${gone}${PHASES.busy.sentence}`;
}
