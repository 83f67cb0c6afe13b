// @ts-check
// Directions under the thumb: a cross of buttons on the picture, for hands without a keyboard.

import { el } from "./dom.js";
import { humanize } from "../core/names.js";

const ARROWS = { up: "▲", left: "◀", right: "▶", down: "▼" };
const CODES = { up: "PadUp", left: "PadLeft", right: "PadRight", down: "PadDown" };

/** The cross of one compass of a keymap; `holds` hears of presses as if they were those of a gamepad. */
export function makeCross(compass, holds) {
  const ways = [...compass.keys()].filter((way) => way in ARROWS);
  const buttons = ways.map((way) => {
    const target = compass.get(way);
    const code = holds.keymap.codesOf(target.id)[0] ?? CODES[way];
    const off = () => holds.release(code);
    const button = el("button", {
      type: "button",
      class: way,
      tabindex: "-1", // the card's own buttons are for keyboards
      "aria-label": humanize(String(target.way ?? target.option ?? target.field.name)),
      onpointerdown: (event) => (event.preventDefault(), button.setPointerCapture(event.pointerId), holds.press(code)),
      onpointerup: off,
      onpointercancel: off,
      onlostpointercapture: off,
      oncontextmenu: (event) => event.preventDefault(),
    }, ARROWS[way]);
    return button;
  });
  return el("div", { class: "cross" }, ...buttons);
}
