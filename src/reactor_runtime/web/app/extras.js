// @ts-check
// What stands beside a widget: chips of presets, a dice, a dial, a unit, a number that is scrubbed, a reset.

import { el } from "./dom.js";
import { initial } from "../core/schema.js";

const SEED_MAX = 2 ** 32 - 1;
const SCRUB_START_PX = 4;
const SCRUB_PX = 3; // a step of a number for so many pixels

/** Buttons that put a value in, and one that says so. */
export function chips(field, use) {
  if (!field.presets?.length) return null;
  return el("div", { class: "chips" }, ...field.presets.map(({ label, value }) => el("button", { type: "button", class: "chip", onclick: () => use(value) }, label)));
}

/** A seed that nobody has tried. */
export function dice(field, label, use) {
  const roll = () => {
    const from = Math.max(0, Math.ceil(field.from ?? field.min ?? 0));
    const to = Math.min(field.to ?? field.max ?? SEED_MAX, from + SEED_MAX);
    use(from + Math.floor(Math.random() * (to - from + 1)));
  };
  return el("button", { type: "button", class: "dice", "aria-label": `${label}: roll the dice`, title: "Another seed", onclick: roll }, "⚄");
}

/** A round handle for an angle; the slider beside it is for keys. `show(value)` turns it. */
export function dial(field, use) {
  const hand = el("span");
  const element = el("div", { class: "dial", "aria-hidden": "true" }, hand);
  const turn = (event) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const degrees = (Math.atan2(event.clientX - left - width / 2, top + height / 2 - event.clientY) * 180) / Math.PI;
    const span = field.to - field.from;
    const wanted = field.from < 0 ? degrees : (degrees + 360) % 360;
    const scale = Math.abs(span - 2 * Math.PI) < 0.1 ? Math.PI / 180 : 1; // radians
    use(Math.min(field.to, Math.max(field.from, Math.round((wanted * scale) / field.step) * field.step)));
  };
  element.addEventListener("pointerdown", (event) => {
    if (element.closest(":disabled")) return;
    element.setPointerCapture(event.pointerId);
    turn(event);
  });
  element.addEventListener("pointermove", (event) => element.hasPointerCapture(event.pointerId) && turn(event));
  const radians = Math.abs(field.to - field.from - 2 * Math.PI) < 0.1;
  return { element, show: (value) => hand.style.setProperty("--turn", `${(value ?? 0) * (radians ? 180 / Math.PI : 1)}deg`) };
}

/** Dragging a number's label moves the number; a double click brings its default back. */
export function handle(title, field, widget, { edit, commit }) {
  if (!title) return;
  const put = (value) => {
    widget.write(value);
    edit();
    commit();
  };
  title.addEventListener("dblclick", () => !title.closest(":disabled") && put(initial(field) ?? undefined));
  title.title = field.kind === "number" ? "Drag to change, double click for the default" : "Double click for the default";
  if (field.kind !== "number") return;
  title.classList.add("scrub");
  let from = null;
  title.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || title.closest(":disabled, .off")) return;
    const now = widget.read();
    from = { x: event.clientX, value: typeof now === "number" ? now : field.from ?? 0, moved: false };
    title.setPointerCapture(event.pointerId);
  });
  title.addEventListener("pointermove", (event) => {
    const by = from && event.clientX - from.x;
    if (!from || (!from.moved && Math.abs(by) < SCRUB_START_PX)) return;
    from.moved = true;
    const step = (field.step ?? 1) * (event.shiftKey ? 10 : 1);
    const value = from.value + Math.round(by / SCRUB_PX) * step;
    put(Number(Math.min(field.to ?? Infinity, Math.max(field.from ?? -Infinity, value)).toPrecision(12)));
  });
  for (const type of ["pointerup", "pointercancel"]) title.addEventListener(type, () => (from = null));
  title.addEventListener("click", (event) => event.detail > 1 && event.preventDefault());
}

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
