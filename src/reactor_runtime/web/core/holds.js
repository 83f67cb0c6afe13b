// @ts-check
// What is held down and what follows from it: the newest direction counts, and letting go means rest. No DOM.

import { directionsIn, neutralOf } from "./directions.js";

const HOLD_MS = 400; // as an operating system repeats a key: once, a pause, then again and again
const STEP_MS = 60;
const STEPS_OVER_RANGE = 50;

/**
 * `keymap` says what a code does; `cards` carries it out: `get(command, field)`, `put(command, values, how)` and
 * `fire(command)`; `how` is "now", or "newest" for what moves faster than a model may reply.
 */
export class Holds {
  #held = new Map(); // code → target
  #timers = new Map();

  constructor(keymap, cards) {
    this.keymap = keymap;
    this.cards = cards;
  }

  /** True when the code does something here. */
  press(code) {
    const target = this.keymap.targetOf(code);
    if (!target || this.#held.has(code)) return target !== null;
    this.#held.set(code, target);
    const { command, field } = target;
    if (target.does === "fire") this.cards.fire(command);
    else if (target.does === "flip") this.#put(target, !this.cards.get(command, field.name));
    else if (target.does === "step") this.#begin(code, target);
    else this.#settle(target);
    return true;
  }

  release(code) {
    const target = this.#held.get(code);
    if (!target) return false;
    this.#held.delete(code);
    clearTimeout(this.#timers.get(code)); // of both kinds
    this.#timers.delete(code);
    if (target.does === "choose" || target.does === "hold") this.#settle(target);
    return true;
  }

  /** Nobody holds anything any more: the tab lost the focus, or the wire is gone. */
  releaseAll() {
    for (const code of [...this.#held.keys()]) this.release(code);
  }

  /** Sends what the keys that are still down mean for this field. */
  #settle(target) {
    const { field } = target;
    const down = [...this.#held.values()].filter((each) => each.field === field);
    const neutral = neutralOf(field);
    if (!down.length && neutral !== undefined) this.#put(target, neutral);
    else if (field.kind === "toggle") this.#put(target, true);
    else if (field.kind === "list") this.#put(target, down.map(({ option }) => option));
    else if (down.length) this.#put(target, together(field.options, down));
  }

  #begin(code, { command, field, sign, ...target }) {
    const by = sign * Math.max(field.step, Math.round((field.to - field.from) / STEPS_OVER_RANGE / field.step) * field.step);
    const step = () => {
      const now = this.cards.get(command, field.name);
      const next = Math.min(field.to, Math.max(field.from, (typeof now === "number" ? now : field.from) + by));
      this.#put({ command, field, ...target }, Number(next.toPrecision(12)), "newest");
    };
    step();
    this.#timers.set(code, setTimeout(() => {
      step();
      this.#timers.set(code, setInterval(step, STEP_MS));
    }, HOLD_MS));
  }

  #put({ command, field }, value, how = "now") {
    this.cards.put(command, { [field.name]: value }, how);
  }
}

/** Up and left together are "up_left" where the type has that; else the key that was pressed last counts. */
function together(options, down) {
  const ways = new Set(down.flatMap(({ option }) => directionsIn(option) ?? []));
  const joined = ways.size > 1 && options.find((option) => {
    const own = directionsIn(option);
    return own?.length === ways.size && own.every((way) => ways.has(way));
  });
  return joined || down.at(-1).option;
}
