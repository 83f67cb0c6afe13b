// @ts-check
// Two buttons for what is seen, as a file. What they do is loaded when one is pressed.

import { el } from "./dom.js";

/** `given` is what `Capture` wants, but `record`. */
export function captureButtons(given) {
  const record = el("button", { type: "button", class: "plain", hidden: !("MediaRecorder" in globalThis), onclick: async () => (await capture()).toggle() }, "Record");
  let made = null;
  const capture = () => (made ??= import("./capture.js").then(({ Capture }) => new Capture({ ...given, record })));
  return [el("button", { type: "button", class: "plain", onclick: async () => (await capture()).takeSnapshot() }, "Snapshot"), record];
}
