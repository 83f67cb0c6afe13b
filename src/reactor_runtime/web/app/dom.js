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
