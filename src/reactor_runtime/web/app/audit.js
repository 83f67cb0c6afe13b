// @ts-check
// What one session left to the next, for the author who plays on the machine that serves; and that `reset` failed.

export class Audit {
  #api;
  #tell;
  #explained;
  #told = 0;
  failed = null; // the newest word of a `reset` that failed

  /** `tell` is called with a label and a sentence for each leak, once; `explained` as in `viewer.js`. */
  constructor(api, tell, explained) {
    this.#api = api;
    this.#tell = tell;
    this.#explained = explained;
  }

  async look() {
    const { audit, reset_failed: failed } = await this.#api.session().catch(() => ({}));
    if (failed && failed !== this.failed) {
      this.failed = failed;
      this.#tell("reset", (await this.#explained(failed)).text);
    }
    if (!this.#api.isHome) return;
    const last = audit?.last;
    if (!last || last.session <= this.#told) return;
    this.#told = last.session;
    for (const { path, where } of last.leaks) {
      this.#tell("leak", `${path} is not what it was before the session${where ? ` (${where})` : ""}. The server's log says more.`);
    }
  }
}
