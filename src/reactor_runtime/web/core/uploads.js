// Files among a command's arguments: each is sent first, and then named by what the server calls it.

/** Whether there is a file anywhere in `value`. */
export const holdsFile = (value) => value instanceof File
  || (typeof value === "object" && value !== null && Object.values(value).some(holdsFile));

/** Hears `progress` with `{file, share}`. */
export const progress = new EventTarget();

export class Uploads {
  #sent = new WeakMap(); // File → {session, reference}

  constructor(api) {
    this.api = api;
  }

  /** `value` with a reference in place of every file in it. A file goes once to each session, which keeps it. */
  async named(value, sessionId, session) {
    if (value instanceof File) return this.#reference(value, sessionId, session);
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.named(item, sessionId, session)));
    if (typeof value !== "object" || value === null) return value;
    const named = Object.entries(value).map(async ([key, item]) => [key, await this.named(item, sessionId, session)]);
    return Object.fromEntries(await Promise.all(named));
  }

  async #reference(file, sessionId, session) {
    const before = this.#sent.get(file);
    if (before?.session === session) return before.reference;
    const reference = { upload_id: await this.api.upload(sessionId, file, (share) => progress.dispatchEvent(new CustomEvent("progress", { detail: { file, share } }))), name: file.name };
    this.#sent.set(file, { session, reference });
    return reference;
  }
}
