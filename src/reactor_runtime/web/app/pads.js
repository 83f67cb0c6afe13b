// @ts-check
// Two numbers as one movement: a pad in the card, the pointer on the picture, a stick of a gamepad.

import { restOf } from "../core/directions.js";
import { el } from "./dom.js";
import { humanize } from "../core/names.js";
import { tidy } from "../core/schema.js";

const LEAN_PX = 24; // of a mouse between two events: a stick that leans all the way
const CROSS_PX = 500; // from the middle of a range to its end

/** Maps places to values. Places are -1 to 1 from left to right and from bottom to top. */
export class Pad {
  #card;
  #pair;
  #active = null; // the pointer that holds the stick
  #knobs;

  /** `card.get(field)` and `card.move({field: value})`; `prefs` keeps whether it springs back. */
  constructor(pair, card, prefs) {
    this.#card = card;
    this.#pair = pair;
    const key = `pad:${pair.command}`;
    const chosen = prefs.get(key) ?? {};
    this.spring = chosen.spring ?? pair.spring;
    this.flip = chosen.flip ?? false;
    this.label = `${humanize(pair.x.name)} and ${humanize(pair.y.name)}`;
    this.knob = el("span", { class: "knob" });
    this.#knobs = [this.knob];
    this.area = el("div", { class: "pad", "aria-hidden": "true", title: this.label }, this.knob); // the sliders are for everybody else
    const keep = () => prefs.set(key, { spring: this.spring, flip: this.flip });
    const option = (name, label) => el("label", { class: "unset" }, el("input", {
      type: "checkbox",
      checked: this[name],
      onchange: (event) => ((this[name] = event.target.checked), keep(), this.follow()),
    }), label);
    this.element = el("div", { class: "padrow" }, this.area,
      el("div", { class: "padside" },
        el("p", { class: "help" }, "Drag here or on the picture, or use a gamepad."),
        option("spring", "springs back"),
        option("flip", "upside down")));
    this.side = this.element.lastChild;
    this.#listen(this.area, (event) => this.#placeIn(this.area, event));
  }

  get down() {
    return this.#pair.down !== this.flip;
  }

  /** Drags that begin on `surface` move this pad: a stick from where it began, or the very place. */
  listenOn(surface) {
    let from = null;
    return this.#listen(surface, (event) => {
      if (!this.spring) return this.#placeIn(surface, event);
      if (event.type === "pointerdown") from = { x: event.clientX, y: event.clientY };
      const reach = Math.min(surface.clientWidth, surface.clientHeight) / 3;
      return { x: bounded((event.clientX - from.x) / reach), y: bounded((from.y - event.clientY) / reach) };
    });
  }

  /** A stick for a thumb, beside the picture: `{element, off}`. */
  stick() {
    const knob = el("span", { class: "knob" });
    const element = el("div", { class: "thumbpad", "aria-hidden": "true" }, knob);
    this.#knobs.push(knob);
    const off = this.listenOn(element);
    return { element, off: () => (off(), (this.#knobs = [this.knob])) };
  }

  #listen(surface, placeOf) {
    const off = new AbortController();
    const on = (type, action) => surface.addEventListener(type, action, { signal: off.signal });
    const follow = (event) => {
      if (event.pointerId !== this.#active) return;
      event.preventDefault();
      this.move(placeOf(event));
    };
    on("pointerdown", (event) => {
      if (event.button !== 0 || this.#active !== null || this.area.closest(":disabled") || event.target.closest("button, input, select")) return;
      this.#active = event.pointerId;
      surface.setPointerCapture(event.pointerId);
      follow(event);
    });
    on("pointermove", follow);
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      on(type, (event) => event.pointerId === this.#active && this.release());
    }
    return () => off.abort();
  }

  #placeIn(surface, event) {
    const box = surface.getBoundingClientRect();
    return { x: bounded((2 * (event.clientX - box.left)) / box.width - 1), y: bounded(1 - (2 * (event.clientY - box.top)) / box.height) };
  }

  move({ x, y }) {
    const { x: across, y: along } = this.#pair;
    this.#card.move({ [across.name]: valueAt(across, x), [along.name]: valueAt(along, this.down ? -y : y) });
  }

  /** Moves by pixels of a mouse: a stick leans as fast as the mouse moves, anything else goes on from where it is. */
  nudge(right, down) {
    const { x, y } = this.#pair;
    const along = placeOf(y, this.#card.get(y.name));
    const now = this.spring ? { x: 0, y: 0 } : { x: placeOf(x, this.#card.get(x.name)), y: this.down ? -along : along };
    const reach = this.spring ? LEAN_PX : CROSS_PX;
    this.active = true;
    this.move({ x: bounded(now.x + right / reach), y: bounded(now.y - down / reach) });
  }

  /** The stick is let go: back to rest where it springs, else it stays. */
  release() {
    if (this.#active === null) return;
    this.#active = null;
    if (this.spring) this.rest();
  }

  rest() {
    this.active = false;
    this.#card.move({ [this.#pair.x.name]: restOf(this.#pair.x), [this.#pair.y.name]: restOf(this.#pair.y) });
  }

  /** Shows where the values are. */
  follow() {
    const { x, y } = this.#pair;
    const along = placeOf(y, this.#card.get(y.name));
    for (const { style } of this.#knobs) {
      style.setProperty("--x", placeOf(x, this.#card.get(x.name)));
      style.setProperty("--y", this.down ? -along : along);
    }
  }
}

const bounded = (value) => Math.min(1, Math.max(-1, value));

/** -1 to 1 → the nearest value on the field's grid. */
function valueAt(field, place) {
  const exact = field.from + ((place + 1) / 2) * (field.to - field.from);
  const onGrid = field.from + Math.round((exact - field.from) / field.step) * field.step;
  return tidy(Math.min(field.to, Math.max(field.from, onGrid)));
}

const placeOf = (field, value) => (typeof value === "number" ? bounded((2 * (value - field.from)) / (field.to - field.from) - 1) : 0);
