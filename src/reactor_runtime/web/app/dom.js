// @ts-check
// The smallest helpers for building elements; every module that draws uses them.

/** `el("p", {class: "help"}, "text")`: attributes by name, listeners as `onclick`, false and null left out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

let count = 0;
export const freshId = (stem) => `${stem}-${++count}`;

/**
 * The fields of a card that belong together, as their author says (`"group": "Camera"`): `elements` of `fields`, those of
 * one group in a frame with its name, where the first of them stands.
 */
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
