// A visit from first request to last: finds the session, connects, notices loss, and comes back by itself.
// It knows no DOM and no WebRTC; `api` and `openPeer` are given to it, so tests give it pretended ones.

import { ApiError } from "./api.js";
import { Commands } from "./commands.js";

// Ends after which playing on needs a person's wish, not the page's.
const ASK_AFTER = new Set(["stopped", "completed", "time_cap", "replaced", "error"]);
const BUSY_POLL_MS = 2_000;
const LOADING_POLL_MS = 500;
const FAILED_POLL_MS = 3_000;
const STEADY_MS = 5_000;
const BACK_OFF_MS = [300, 600, 1_200, 2_000, 3_000];

/**
 * Phases: `asking, loading, failed, busy, connecting, live, lost, gone, noroute, refused, ended`.
 *
 * Events, all with `detail`: `phase {phase, detail, reason}`; `session {descriptor, resumed}` before each
 * connection; `peer` when media flows; `message` (what the model sent); `notice` (the runtime's own words).
 */
export class Session extends EventTarget {
  #run = null;
  #wake = () => {};
  #peer = null;
  #mine = null;
  #end = null;

  /** `mine` is what `leave()` of an earlier page returned: proof that its session is ours to go on with. */
  constructor({ api, openPeer, mine = null, wait = delay }) {
    super();
    Object.assign(this, { api, openPeer, wait, phase: "ended", detail: "", reason: null, descriptor: null });
    this.commands = new Commands((object) => this.#peer?.send(object) ?? false);
    this.#mine = mine;
  }

  get peer() {
    return this.#peer;
  }

  /** Begins to play and goes on until `stop()` or an end that asks for a person. */
  start() {
    this.#run?.abort();
    this.#run = new AbortController();
    this.#play(this.#run.signal);
  }

  async stop() {
    this.#run?.abort("stopped");
    this.#wake();
    this.#drop();
    this.#enter("ended", "", "stopped");
    if (this.#mine) await this.#close(); // a session of somebody else is not ours to end
  }

  async #close() {
    this.#mine = null;
    await this.api.stop().catch(() => {});
  }

  /** The page goes away and the session stays, for the grace period: returns the claim to it. */
  leave() {
    this.#run?.abort();
    this.#drop();
    return this.#mine;
  }

  /** Something changed for the better (network, tab in front): try now instead of later. */
  hurry() {
    this.#wake();
  }

  /** The picture stands still. A slow model is fine; a server that does not answer is not. */
  async suspect() {
    const peer = this.#peer;
    if (this.phase !== "live" || !peer) return;
    const gone = await this.api.health().then(() => false, () => true);
    if (gone && peer === this.#peer) peer.lost();
  }

  async #play(signal) {
    let failures = 0;
    while (!signal.aborted) {
      const began = performance.now();
      try {
        const over = await this.#visit(signal);
        if (signal.aborted) return;
        if (over && ASK_AFTER.has(over.reason)) return this.#enter("ended", over.message, over.reason);
        if (over) this.#tell("notice", { message: over.message || over.reason });
        // The first return is at once; a wire that breaks as soon as it is there is not hammered.
        if (performance.now() - began > STEADY_MS) failures = 0;
        if (failures++) await this.#rest(backOff(failures - 2));
      } catch (error) {
        if (signal.aborted) return;
        await this.#rest(this.#explain(await this.#asked(error), failures++));
      }
    }
  }

  /** One connection: null when it was lost, the end when the session has one. */
  async #visit(signal) {
    const { descriptor, resumed, ended } = await this.#obtain();
    if (signal.reason === "stopped" && this.#mine) return this.#close(); // begun after the wish to stop
    if (signal.aborted || ended) return ended;
    if (this.phase !== "lost") this.#enter("connecting");
    this.descriptor = descriptor;
    this.#end = null;
    this.#tell("session", { descriptor, resumed });
    let closed;
    const lost = new Promise((done) => (closed = done));
    const opened = await this.openPeer({
      api: this.api,
      sessionId: descriptor.session_id,
      tracks: descriptor.capabilities?.tracks ?? [],
      again: resumed,
      signal,
      on: { message: (message) => this.#hear(message), closed },
    }).catch((error) => {
      if (this.#end) return null;
      throw error;
    });
    if (signal.aborted || !opened) return this.#over();
    this.#peer = opened;
    this.#tell("peer", opened);
    this.#enter("live");
    await lost;
    if (signal.aborted) return null;
    this.#drop();
    if (!this.#end) this.#enter("lost");
    return this.#over();
  }

  #over() {
    if (this.#end) this.#mine = null;
    return this.#end;
  }

  /** A session of ours that still runs, else a new one. */
  async #obtain() {
    if (this.#mine) {
      const running = await this.api.session();
      if (identity(running) === this.#mine && isOpen(running.state)) {
        return { descriptor: { ...this.descriptor, ...running }, resumed: true };
      }
      this.#mine = null;
      if (this.phase === "lost" && running.last_end) return { ended: running.last_end };
    }
    if (!["lost", "gone", "loading", "failed", "busy"].includes(this.phase)) this.#enter("asking");
    const descriptor = await this.api.start();
    this.#mine = identity(await this.api.session());
    return { descriptor, resumed: false };
  }

  #hear({ scope, data }) {
    if (scope !== "runtime") return this.#tell("message", data);
    if (this.commands.receive(data)) return undefined;
    if (data.type === "sessionEnded") this.#end = data.data;
    return this.#tell("notice", data);
  }

  /** A 503 is explained by `/health`, which knows whether to wait or what to repair. */
  async #asked(error) {
    if (error.status !== 503) return error;
    const { code, detail } = await this.api.health().catch(() => ({}));
    return code ? new ApiError(503, code, detail ?? error.message) : error;
  }

  /** Puts a failure into a phase; returns how long to wait before the next try. */
  #explain(error, failures) {
    if (!(error instanceof ApiError)) console.error(error);
    const { status, code, extra = {} } = error;
    const pause = backOff(failures);
    // A process that could not load its model ends: its last words say more than its silence.
    if (code === "unreachable" && this.phase === "failed") return FAILED_POLL_MS;
    if (code === "unreachable") return this.#enter("gone"), pause;
    if (code === "loading") return this.#enter("loading", error.message), LOADING_POLL_MS;
    if (code === "model_load_failed") return this.#enter("failed", error.message), FAILED_POLL_MS;
    if (code === "ice_failed") return this.#enter("noroute", error.message), pause;
    if (status === 409 && extra.state === "CLOSING") return LOADING_POLL_MS;
    if (status === 409) return this.#enter("busy", error.message), BUSY_POLL_MS;
    if (status === 404 || code === "closed") return pause; // the session ended under our hands: ask again
    return this.#enter("refused", error.message), (extra.retryAfter ?? 0) * 1000 || Math.max(pause, BUSY_POLL_MS);
  }

  async #rest(ms) {
    await Promise.race([this.wait(ms), new Promise((done) => (this.#wake = done))]);
  }

  #drop() {
    this.#peer?.close();
    this.#peer = null;
    this.commands.abandon();
  }

  #enter(phase, detail = "", reason = null) {
    if (phase === this.phase && detail === this.detail && reason === this.reason) return;
    Object.assign(this, { phase, detail, reason });
    this.#tell("phase", { phase, detail, reason });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const isOpen = (state) => ["WAITING", "STREAMING", "ORPHANED"].includes(String(state).toUpperCase());
const identity = ({ session_id: id, started_at: at, number }) => [id, at, number].join("/");
const backOff = (failures) => BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)];
const delay = (ms) => new Promise((done) => setTimeout(done, ms));
