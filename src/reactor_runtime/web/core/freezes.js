// @ts-check
// Pictures that stood still, and why. No DOM.

/** Pictures that some encoder had no time for. */
const skippedIn = ({ clients = [] }) => Math.max(0, ...clients.flatMap(({ outbound = [] }) => outbound.map((each) => each.frames_skipped ?? 0)));

/** A picture that stood still, named with its cause: the model's step, the encoder, the network. */
export class Freezes {
  /** @type {number | null} */
  #since = null;
  /** @type {number | null} */
  #frames = null;
  /** @type {number | null} */
  #skipped = null;
  #cause = "";

  /** `said(text)` hears of each, when it is over. */
  constructor(said) {
    this.said = said;
  }

  /** It stands still since `since`; `running` is what the server says of its session. */
  still(since, running) {
    this.#since ??= since;
    const skipped = skippedIn(running);
    const notice = Object.values(running.notices ?? {})[0];
    if (notice) this.#cause = notice;
    else if (this.#skipped !== null && skipped > this.#skipped) this.#cause = "The encoder does not follow: it left pictures out. Smaller or fewer ones would pass.";
    else if (this.#frames !== null) this.#cause = running.frames > this.#frames ? "The model goes on: its pictures did not get through the network." : "The model's step took that long.";
    this.#frames = running.frames ?? null;
    this.#skipped = skipped;
  }

  moves(now = performance.now()) {
    if (this.#since !== null && this.#cause) this.said(`The picture stood still for ${((now - this.#since) / 1000).toFixed(1)} s. ${this.#cause}`);
    this.#since = this.#frames = this.#skipped = null;
    this.#cause = "";
  }
}
