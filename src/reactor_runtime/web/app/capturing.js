// @ts-check
// Two buttons for what is seen, as a file. What they do is loaded when one is pressed.

import { el } from "./dom.js";
import { later } from "../core/later.js";

/** `given` is what `Capture` wants, but `record`. */
export function captureButtons(given) {
  const record = el("button", { type: "button", class: "plain", hidden: !("MediaRecorder" in globalThis), onclick: async () => (await capture())?.toggle() }, "Record");
  let made = null;
  const capture = async () => {
    const there = await later("app/capture.js");
    return (made ??= there && new there.Capture({ ...given, record }));
  };
  return [el("button", { type: "button", class: "plain", onclick: async () => (await capture())?.takeSnapshot() }, "Snapshot"), record];
}
