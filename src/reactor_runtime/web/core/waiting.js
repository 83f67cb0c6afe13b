// Where no picture comes: before the first one, and when it stands still. No DOM.

const QUIET_MS = 700; // most pictures come sooner, and words that flash help nobody
const LOOK_EVERY_S = 3;
const UNDECODED_S = 4;

/** How long, what the model says about it, and what it may be waiting for. */
export class Waiting {
  #since = 0;
  #timer;
  #progress = null;
  #said = "";

  /** `draw(words)` shows them; `look()` resolves with the server's notices by track; `inputs` knows what is given. */
  constructor({ draw, look, inputs }) {
    Object.assign(this, { draw, look, inputs, on: false });
  }

  begin() {
    if (this.on) return;
    Object.assign(this, { on: true });
    this.#since = performance.now();
    this.#progress = null;
    this.#said = "";
    this.#timer = setTimeout(() => this.#draw(), QUIET_MS);
  }

  end() {
    clearTimeout(this.#timer);
    this.on = false;
  }

  get seconds() {
    return Math.floor((performance.now() - this.#since) / 1000);
  }

  /** What the model sends as `{"type": "progress", "progress": 0.4, "message": "Warming up"}` while it prepares. */
  hear(data) {
    if (!this.on || data?.type !== "progress") return;
    const { progress, share = progress, message = "" } = typeof data.data === "object" && data.data ? data.data : data;
    this.#progress = typeof share === "number" && share >= 0 && share <= 1 ? share : null;
    this.#said = typeof message === "string" ? message.slice(0, 300) : "";
    if (performance.now() - this.#since > QUIET_MS) this.#draw();
  }

  /** Once a second. `counters` are those of the browser. */
  async tick(counters) {
    if (!this.on || performance.now() - this.#since < QUIET_MS) return;
    const { seconds } = this;
    if (seconds % LOOK_EVERY_S === 2) {
      const notices = Object.values((await this.look()) ?? {});
      if (notices.length) this.#said = notices[0];
    }
    if (!this.#said && seconds >= UNDECODED_S && counters?.received > 100 && counters.frames === 0) {
      this.#said = "Pictures arrive, but this browser decodes none of them. Smaller ones would work (1920×1080), or start the server with --encoder vp8.";
    }
    if (this.on) this.#draw();
  }

  #draw() {
    const wanted = this.inputs.missing;
    const asks = wanted ? `It may be waiting for your ${wanted.what}.` : "";
    this.draw({
      title: "Waiting for the model's first picture",
      sentence: [this.#said, this.#said ? "" : asks].filter(Boolean).join(" "),
      count: `${this.seconds} s`,
      progress: this.#progress,
      button: wanted ? `Use ${wanted.what}` : null,
    });
  }
}

/** A picture that stood still, named with its cause: the model's step, the encoder, the network. */
export class Freezes {
  #since = null;
  #frames = null;
  #cause = "";

  /** `said(text)` hears of each, when it is over. */
  constructor(said) {
    this.said = said;
  }

  /** It stands still since `since`; `running` is what the server says of its session. */
  still(since, running) {
    this.#since ??= since;
    const notice = Object.values(running.notices ?? {})[0];
    if (notice) this.#cause = notice;
    else if (this.#frames !== null) this.#cause = running.frames > this.#frames ? "The model goes on: its pictures did not get through the network." : "The model's step took that long.";
    this.#frames = running.frames ?? null;
  }

  moves(now = performance.now()) {
    if (this.#since !== null && this.#cause) this.said(`The picture stood still for ${((now - this.#since) / 1000).toFixed(1)} s. ${this.#cause}`);
    this.#since = this.#frames = null;
    this.#cause = "";
  }
}
