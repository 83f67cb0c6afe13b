// @ts-check
// What moves faster than the model replies. No DOM.

/**
 * Sends the newest value of something that moves faster than the model replies: one command in flight, one
 * waiting, and the waiting one is replaced by whatever comes after it.
 */
export class Newest {
  #busy = false;
  /** @type {{args: any} | null} */
  #waiting = null;

  /** `send(args)` returns a promise; `settled(error | null, reply | null)` hears of each outcome. */
  constructor(send, settled) {
    this.send = send;
    this.settled = settled;
  }

  push(args) {
    this.#waiting = { args };
    if (!this.#busy) this.#drain();
  }

  /** Sends this one in any case, as for a key that was pressed: nothing replaces it, and nothing older follows. */
  async now(args) {
    this.#waiting = null;
    await this.#try(args);
  }

  /** Forgets what waits, as when a new session begins. */
  clear() {
    this.#waiting = null;
  }

  async #drain() {
    this.#busy = true;
    while (this.#waiting) {
      const { args } = this.#waiting;
      this.#waiting = null;
      await this.#try(args);
    }
    this.#busy = false;
  }

  async #try(args) {
    try {
      this.settled(null, await this.send(args));
    } catch (error) {
      this.settled(error, null);
    }
  }
}
