// @ts-check
// What outlives a page: the values of the controls, what people chose, and the claim to a session.

/** Storage may be switched off; the page works without it. */
function tried(action, otherwise = null) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

/** One server's corner of the browser's storage: a page that embeds several players keeps them apart. */
export class Store {
  constructor(base = "") {
    this.base = base;
  }

  #key(kind, model = "") {
    return `reactor:${kind}:${this.base}${model}`;
  }

  load(kind, model) {
    return tried(() => JSON.parse(localStorage.getItem(this.#key(kind, model)) ?? "null"));
  }

  save(kind, model, value) {
    tried(() => localStorage.setItem(this.#key(kind, model), JSON.stringify(value)));
  }

  /** Preferences are small and change one at a time. */
  prefer(model, name, value) {
    this.save("prefs", model, { ...this.load("prefs", model), [name]: value });
  }

  preferred(model, name) {
    return this.load("prefs", model)?.[name] ?? null;
  }

  /**
   * Who plays writes its claim down at once: not every browser runs a page's last words. `left` says that its page
   * is gone, so that the next one takes it without asking, and two pages never fight for one session.
   */
  holdClaim(claim, left = false) {
    if (claim) this.save("claim", "", { ...claim, left });
    else tried(() => localStorage.removeItem(this.#key("claim")));
  }

  get claim() {
    return this.load("claim", "");
  }
}
