// @ts-check
// What stands below the picture: what is known of it, its sound, files of it, and how it is shown.

import { el } from "./dom.js";

/** `facts` is a line of text; `tools` are more buttons; `ontheatre(on)` hears when the picture is to be alone. */
export function underThe(stage, { facts, tools, prefs, ontheatre }) {
  const mute = el("button", { type: "button", class: "plain", onclick: () => stage.setSound(stage.muted) });
  const volume = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: stage.volume, class: "volume", "aria-label": "Volume" });
  volume.addEventListener("input", () => {
    stage.volume = volume.valueAsNumber;
    prefs.set("volume", stage.volume);
    stage.setSound(stage.volume > 0);
  });
  const sound = el("span", { class: "sound", hidden: true }, mute, volume);
  const grid = el("button", { type: "button", class: "plain", hidden: true, onclick: () => stage.enlarge(stage.large ?? stage.tiles.keys().next().value ?? null) }, "Grid");
  const theatre = el("button", {
    type: "button",
    class: "plain",
    "aria-pressed": "false",
    onclick() {
      const on = theatre.getAttribute("aria-pressed") !== "true";
      theatre.setAttribute("aria-pressed", String(on));
      ontheatre(on);
    },
  }, "Theatre");
  stage.onsound = () => {
    sound.hidden = !stage.sounding;
    mute.textContent = stage.muted ? "Sound on" : "Mute";
    volume.value = stage.volume;
    volume.style.setProperty("--fill", `${100 * stage.volume}%`);
  };
  stage.onarrange = () => {
    grid.hidden = stage.tiles.size < 2;
    grid.setAttribute("aria-pressed", String(stage.large === null));
  };
  const full = el("button", { type: "button", class: "plain", onclick: () => stage.fullscreen() }, "Full screen");
  return el("div", { class: "under" }, facts, sound, ...tools, grid, theatre, full);
}
