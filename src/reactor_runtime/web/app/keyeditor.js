// @ts-check
// Which key does what, as people see and change it: a small table for each card.

import { el, freshId } from "./dom.js";
import { keyName } from "../core/keymap.js";

/** A button that opens the table of `targets`; `changed()` hears of every change. */
export function keyEditor(targets, keymap, keyboard, changed) {
  const id = freshId("keys");
  const rows = targets.map((target) => row(target, keymap, keyboard, () => draw()));
  const reset = el("button", {
    type: "button",
    class: "plain",
    onclick: () => (keymap.reset(targets.map((target) => target.id)), draw()),
  }, "Reset keys");
  const table = el("div", { class: "keys", id, hidden: true },
    el("p", { class: "help" }, "Choose, then press a key or a gamepad button. Esc keeps what was there, Backspace takes the key away."),
    ...rows.map(({ element }) => element), reset);
  const button = el("button", {
    type: "button",
    class: "plain keybutton",
    "aria-expanded": "false",
    "aria-controls": id,
    onclick() {
      table.hidden = !table.hidden;
      button.setAttribute("aria-expanded", String(!table.hidden));
    },
  }, "keys");
  const draw = () => {
    rows.forEach((each) => each.draw());
    changed();
  };
  return { button, table, draw: () => rows.forEach((each) => each.draw()) };
}

function row(target, keymap, keyboard, changed) {
  const draw = () => {
    const codes = keymap.codesOf(target.id);
    button.textContent = codes.map(keyName).join(" or ") || "–";
    button.setAttribute("aria-label", `Key for ${target.label}: ${codes.map(keyName).join(" or ") || "none"}`);
  };
  const button = el("button", {
    type: "button",
    async onclick() {
      button.textContent = "press a key…";
      const code = await keyboard.next();
      if (code !== null) keymap.assign(target.id, ["Backspace", "Delete"].includes(code) ? null : code);
      changed();
    },
    onblur: () => keyboard.captured(null),
  });
  draw();
  return { element: el("div", { class: "keyrow" }, el("span", {}, target.label), button), draw };
}
