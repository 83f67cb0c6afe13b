// @ts-check
// Gamepads: buttons are keys, sticks move pads. Loaded when one is plugged in, and asked once per frame while it is.

const DEAD_ZONE = 0.15;
const PUSHED = 0.5;
const CROSS = { 12: "PadUp", 13: "PadDown", 14: "PadLeft", 15: "PadRight" };

export class Gamepads {
  #running = false;
  #down = new Set();
  #moved = [false, false];

  /** `pads()` are those that sticks may move; `isPlaying()` whether anything may move at all; `signal` ends it. */
  constructor(keyboard, pads, isPlaying, signal) {
    this.keyboard = keyboard;
    this.pads = pads;
    this.isPlaying = isPlaying;
    this.signal = signal;
  }

  /** One was plugged in. */
  begin() {
    if (this.#running) return;
    this.#running = true;
    requestAnimationFrame(() => this.#look());
  }

  #look() {
    const gamepad = navigator.getGamepads().find((each) => each?.connected);
    if (!gamepad || this.signal.aborted) {
      this.#running = false;
      return this.releaseAll();
    }
    if (this.isPlaying() && document.hasFocus()) {
      this.#press(this.#pressed(gamepad));
      this.#steer(gamepad);
    } else this.releaseAll();
    return requestAnimationFrame(() => this.#look());
  }

  #pressed({ buttons, axes }) {
    const codes = buttons.flatMap((button, index) => (button.pressed ? [CROSS[index] ?? `Pad${index}`] : []));
    const [x, y] = axes;
    if (this.pads().length === 0) { // then the stick is a cross, too
      if (x < -PUSHED) codes.push("PadLeft");
      if (x > PUSHED) codes.push("PadRight");
      if (y < -PUSHED) codes.push("PadUp");
      if (y > PUSHED) codes.push("PadDown");
    }
    return new Set(codes);
  }

  #press(codes) {
    const { holds } = this.keyboard;
    for (const code of this.#down) if (!codes.has(code)) holds.release(code);
    for (const code of codes) if (!this.#down.has(code) && !this.keyboard.captured(code)) holds.press(code);
    this.#down = codes;
  }

  /** A stick that is let go says so once; then the pad is free for a hand again. */
  #steer({ axes }) {
    this.pads().slice(0, 2).forEach((pad, index) => {
      const [x, y] = [axes[2 * index] ?? 0, axes[2 * index + 1] ?? 0];
      const pushed = Math.hypot(x, y) > DEAD_ZONE;
      if (pushed) pad.move({ x, y: -y });
      else if (this.#moved[index] && pad.spring) pad.rest();
      this.#moved[index] = pushed;
    });
  }

  releaseAll() {
    this.#press(new Set());
    this.#steer({ axes: [] });
  }
}
