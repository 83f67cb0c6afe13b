// The fields of a card that belong together, as their author says: `"group": "Camera"`.

import { el } from "./dom.js";

/** `elements` of `fields`, those of one group in a frame with its name, where the first of them stands. */
export function sectioned(fields, elements) {
  const frames = new Map();
  const out = [];
  fields.forEach(({ section }, index) => {
    if (!section) return out.push(elements[index]);
    if (!frames.has(section)) {
      const frame = el("fieldset", { class: "field group section" }, el("legend", { class: "label" }, section));
      frames.set(section, frame);
      out.push(frame);
    }
    return frames.get(section).append(elements[index]);
  });
  return out;
}
