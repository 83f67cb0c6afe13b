// @ts-check
// The mouse as in games: the pointer is locked to the picture, and its movement moves a pad. Esc lets go of it.

import { el } from "./dom.js";

const REST_MS = 80; // a mouse that has not moved for so long rests

/** A button that begins it; `surface` is the picture, `signal` ends it. */
export function mouseLook(surface, pad, signal) {
  const locked = () => surface.getRootNode().pointerLockElement === surface;
  let timer = 0;
  surface.addEventListener("mousemove", ({ movementX, movementY }) => {
    if (!locked()) return;
    pad.nudge(movementX, movementY);
    clearTimeout(timer);
    if (pad.spring) timer = setTimeout(() => pad.rest(), REST_MS);
  }, { signal });
  document.addEventListener("pointerlockchange", () => pad.spring && !locked() && pad.active && pad.rest(), { signal });
  return el("button", { type: "button", class: "plain look", onclick: () => surface.requestPointerLock()?.catch?.(() => {}) }, "Mouse look");
}
