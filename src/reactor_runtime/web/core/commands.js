// @ts-check
// Commands and their replies, over any function that can send a JSON object. No DOM, no WebRTC.

const REPLY_LIMIT_MS = 10_000;

export class CommandError extends Error {
  constructor(code, message, field) {
    super(message);
    this.name = "CommandError";
    this.code = code;
    this.field = field ?? null;
  }
}

/** Pairs every command with its reply by id. */
export class Commands {
  #waiting = new Map();
  #next = 1;

  /** `transmit(object)` returns false when the wire is closed; `sent(id, at)` hears of each command that left,
   * `replied(id, ms)` of each reply. */
  constructor(transmit, { limit = REPLY_LIMIT_MS, sent = (_id, _at) => {}, replied = (_id, _ms) => {} } = {}) {
    this.transmit = transmit;
    this.limit = limit;
    this.sent = sent;
    this.replied = replied;
  }

  /** Resolves with `{result, frame, superseded, ms}`; rejects with a CommandError. */
  send(name, args = {}) {
    const id = `c${this.#next++}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new CommandError("no_reply", "The model did not reply in time."));
      }, this.limit);
      const at = performance.now();
      this.#waiting.set(id, { resolve, reject, timer, at });
      if (this.transmit({ scope: "application", data: { type: name, data: args, id } })) this.sent(id, at);
      else this.#settle(id)?.reject(new CommandError("not_connected", "Not connected: the command was not sent."));
    });
  }

  /** Takes a runtime message; true when it was the reply to a command of ours. */
  receive({ type, data }) {
    if (type !== "commandResult" && type !== "commandError") return false;
    const waiting = this.#settle(data?.id);
    if (!waiting) return false;
    const ms = performance.now() - waiting.at;
    this.replied(data.id, ms);
    if (type === "commandResult") waiting.resolve({ result: data.result ?? null, frame: data.frame ?? null, superseded: data.superseded === true, ms });
    else waiting.reject(new CommandError(data.code, data.message, data.field));
    return true;
  }

  /** The wire is gone: nobody waits for a reply that cannot come. */
  abandon() {
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id).reject(new CommandError("not_connected", "The connection was lost before the reply."));
    }
  }

  #settle(id) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return null;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}
