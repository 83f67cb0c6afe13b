// @ts-check
// What one session left to the next, for the author who plays on the machine that serves.

export class Audit {
  #api;
  #tell;
  #told = 0;

  /** `tell` is called with a label and a sentence for each leak, once. */
  constructor(api, tell) {
    this.#api = api;
    this.#tell = tell;
  }

  async look() {
    if (!this.#api.isHome) return;
    const { audit } = await this.#api.session().catch(() => ({}));
    const last = audit?.last;
    if (!last || last.session <= this.#told) return;
    this.#told = last.session;
    for (const { path, where } of last.leaks) {
      this.#tell("leak", `${path} is not what it was before the session${where ? ` (${where})` : ""}. The server's log says more.`);
    }
  }
}
