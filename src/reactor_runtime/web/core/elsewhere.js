// @ts-check
// Whether another tab of this browser plays: tabs ask each other, so that none takes the session from another unasked.

// A tab that is frozen does not answer, and then its session is free for this one. One that is busy does, later.
const ANSWER_MS = 1000;

export class Elsewhere {
  /** @type {BroadcastChannel} */
  #channel;
  #asked = new Map();

  /** `plays()` says whether this tab does; `signal` ends it. */
  constructor(base, plays, signal) {
    if (!("BroadcastChannel" in globalThis)) return;
    this.#channel = new BroadcastChannel(`reactor:${base}`);
    this.#channel.onmessage = ({ data }) => {
      if (data.here) this.#asked.get(data.here)?.(true);
      else if (plays()) this.#channel.postMessage({ here: data.ask });
    };
    signal.addEventListener("abort", () => this.#channel.close());
  }

  /** Resolves with true when one answers. */
  ask() {
    if (!this.#channel) return Promise.resolve(false);
    const ask = `${Date.now()}.${Math.random()}`;
    return new Promise((done) => {
      const end = (there) => (this.#asked.delete(ask), done(there));
      this.#asked.set(ask, end);
      this.#channel.postMessage({ ask });
      setTimeout(() => end(false), ANSWER_MS);
    });
  }
}
