// @ts-check
// What was measured in the last two minutes: every command that reached a picture, and each second. Kept whether or not
// anybody looks at it.

const KEPT = 120;

export class Measured extends EventTarget {
  commands = [];
  seconds = [];
  facts = "Nothing plays.";
  #photon = null;

  #keep(list, entry) {
    list.push({ at: new Date().toISOString(), ...entry });
    if (list.length > KEPT) list.shift();
    this.dispatchEvent(new Event("change"));
  }

  /** A command whose picture was shown after `ms`; `parts` says where they went. */
  command(ms, parts) {
    this.#photon = ms;
    this.#keep(this.commands, { ms, parts });
  }

  /** Once a second: `{fps: 30, …}`. Gives the newest time from a command to its picture, or null. */
  second(values) {
    const photon = this.#photon;
    this.#photon = null;
    this.#keep(this.seconds, { ...values, photon });
    return photon;
  }

  say(text) {
    this.facts = text;
  }

  toJSON() {
    return { commands: this.commands, seconds: this.seconds };
  }
}
