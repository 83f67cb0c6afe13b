// @ts-check
// Before the first picture. No DOM.

const QUIET_MS = 700; // most pictures come sooner, and words that flash help nobody
const LOOK_EVERY_S = 3;
const UNDECODED_S = 4;

/** How long, what the model says about it, and what it may be waiting for. */
export class Waiting {
  #since = 0;
  #timer;
  /** @type {number | null} */
  #progress = null;
  #said = "";

  /** `draw(words)` shows them; `look()` resolves with the server's notices by track; `inputs` knows what is given. */
  constructor({ draw, look, inputs }) {
    this.draw = draw;
    this.look = look;
    this.inputs = inputs;
    this.on = false;
  }

  begin() {
    if (this.on) return;
    this.on = true;
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

  /** Once a second. `undecoded` says why no picture is shown although some arrive, where that is so. */
  async tick(undecoded = "") {
    if (!this.on || performance.now() - this.#since < QUIET_MS) return;
    const { seconds } = this;
    if (seconds % LOOK_EVERY_S === 2) {
      const notices = Object.values((await this.look()) ?? {});
      if (notices.length) this.#said = notices[0];
    }
    if (seconds >= UNDECODED_S) this.#said ||= undecoded;
    if (this.on) this.#draw();
  }

  #draw() {
    const wanted = this.inputs?.missing;
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
