// @ts-check
// A visit from first request to last: finds the session, connects, notices loss, and comes back by itself.
// It knows no DOM and no WebRTC; `api` and `openPeer` are given to it, so tests give it pretended ones.

import { ApiError } from "./api.js";
import { Commands } from "./commands.js";
import { ENDS, PHASES } from "./phases.js";

const BUSY_POLL_MS = 2_000;
const LOADING_POLL_MS = 500;
const FAILED_POLL_MS = 3_000;
const SLOW_START_MS = 1_000;
const STEADY_MS = 5_000;
const AGAIN = new Set(["closed", "queue_again", "not_offered", "worker_lost"]); // the session ended under our hands: ask again
const BACK_OFF_MS = [300, 600, 1_200, 2_000, 3_000];

/** @typedef {{session: string, connection: number | null, base?: string}} Claim */

/**
 * Its phases are those of `phases.js`.
 *
 * Events, all with `detail`: `phase {phase, detail, reason, progress}`; `session {descriptor, resumed}` before each
 * connection; `peer` when media flows; `role {role, reason}`; `message` (what the model sent); `frameTime`;
 * `notice` (the runtime's other words); `about` (what `/session` says while others play, or when it stands still);
 * `claim` (what this page takes part in now, or null).
 */
export class Session extends EventTarget {
  /** @type {AbortController | null} */
  #run = null;
  #wake = (_ = undefined) => {};
  /** @type {any} */
  #peer = null;
  /** @type {Claim | null} */
  #claim = null; // what we take part in
  #watch = false; // the wish to look on while somebody else plays
  /** @type {{reason: string, message: string | null} | null} */
  #end = null;

  /** `claim` is what `leave()` of an earlier page returned: with it, this page goes on where that one was. */
  /** @param {{api: any, openPeer: (given: any) => Promise<any>, claim?: Claim | null, room?: any, wait?: (ms: number) => Promise<unknown>}} given */
  constructor({ api, openPeer, claim = null, room = null, wait = delay }) {
    super();
    this.api = api;
    this.openPeer = openPeer;
    this.room = room;
    this.wait = wait;
    this.descriptor = null;
    this.role = "controller";
    this.phase = "ended";
    this.detail = "";
    /** @type {string | null} */
    this.reason = null;
    /** @type {number | null} */
    this.progress = null;
    this.commands = new Commands((object) => this.#peer?.send(object) ?? false);
    this.adopt(claim);
  }

  /** Goes on where an earlier page, or another tab, was. */
  adopt(claim) {
    this.#claim = claim;
    if (this.room && claim?.base) this.room.base = claim.base;
  }

  get peer() {
    return this.#peer;
  }

  /** Begins to play and goes on until `stop()` or an end that asks for a person. */
  start() {
    this.#watch = false;
    this.#begin();
  }

  /** Looks on while somebody else plays. */
  watch() {
    this.#watch = true;
    this.#begin();
  }

  #begin() {
    this.#run?.abort();
    this.#run = new AbortController();
    this.#play(this.#run.signal);
  }

  takeControl() {
    this.#peer?.send(toRuntime("takeControl"));
  }

  /** Ends the session if it is ours; who looks on only goes away. */
  async stop() {
    const ours = this.#claim && this.role === "controller";
    const inLine = this.phase === "queued" || this.phase === "turn";
    this.#run?.abort("stopped");
    this.#wake();
    this.#drop();
    this.#enter("ended", "", inLine ? "left_line" : ours || !this.#claim ? "stopped" : "left");
    if (ours) await this.#close();
    else if (this.room) await this.room.leave();
    else if (this.#claim) this.#goodbye();
    this.#hold(null);
  }

  #hold(claim) {
    this.#claim = claim;
    this.#tell("claim", claim?.connection ? claim : null);
  }

  #goodbye() {
    const { connection } = this.#claim ?? {};
    if (connection) this.api.farewell?.(this.descriptor?.session_id ?? "local", connection);
  }

  async #close() {
    this.#claim = null;
    await this.api.stop().catch(() => {});
  }

  /** The page goes away and the session stays, for the grace period: returns the claim to it. */
  leave() {
    this.#goodbye();
    this.#run?.abort();
    this.#drop();
    return this.#claim?.connection ? this.#claim : null;
  }

  /** Something changed for the better (network, tab in front): try now instead of later. */
  hurry() {
    this.#wake();
  }

  /** The picture stands still. A slow model is fine; a server that does not answer, or is another one, is not. */
  async suspect() {
    const peer = this.#peer;
    if (this.phase !== "live" || !peer) return;
    const running = await this.about();
    if ((running && identity(running)) !== this.#claim?.session && peer === this.#peer) peer.lost();
  }

  /** What the server says of the session now; null when it does not answer. */
  async about() {
    const running = await this.api.session().catch(() => null);
    if (running) this.#tell("about", running);
    return running;
  }

  async #play(signal) {
    let failures = 0;
    while (!signal.aborted) {
      const began = performance.now();
      try {
        const over = await this.#visit(signal);
        if (signal.aborted) return;
        if (over) this.#tell("claim", null);
        if (over && ENDS[over.reason]?.asks) {
          this.#enter("ended", over.message, over.reason);
          if (over.reason !== "error") return;
          await this.#restarted(signal);
          continue;
        }
        if (over) this.#tell("notice", { message: over.message || over.reason });
        // The first return is at once; a wire that breaks as soon as it is there is not hammered.
        if (performance.now() - began > STEADY_MS) failures = 0;
        if (failures++) await this.#rest(backOff(failures - 2));
      } catch (error) {
        if (signal.aborted) return;
        if (error.code === "turn_missed") return this.#enter("ended", "", "turn_missed");
        await this.#rest(this.#explain(await this.#asked(error), failures++));
      }
    }
  }

  /** One connection: null when it was lost, the end when the session has one. */
  async #visit(signal) {
    const { descriptor, resumed, ended } = await this.#obtain(signal);
    if (signal.reason === "stopped" && !this.#watch && !resumed && descriptor) return this.#close(); // begun after the wish to stop
    if (signal.aborted || ended) return ended;
    if (!PHASES[this.phase].stays) this.#enter("connecting");
    this.descriptor = descriptor;
    this.#end = null;
    this.role = "controller"; // until the server says otherwise
    this.#tell("session", { descriptor, resumed });
    let closed;
    const lost = new Promise((done) => (closed = done));
    const opened = await this.openPeer({
      api: this.api,
      sessionId: descriptor.session_id,
      tracks: descriptor.capabilities?.tracks ?? [],
      id: this.#claim?.connection ?? null,
      signal,
      on: { message: (message) => this.#hear(message), closed, slow: (sentence) => this.#enter("noroute", sentence) },
    }).catch((error) => {
      if (this.#end) return null;
      throw error;
    });
    if (signal.aborted || !opened) return this.#over();
    this.#peer = opened;
    this.#hold({ session: identity(descriptor), connection: opened.id, base: this.room?.base });
    opened.send(toRuntime("watchFrames"));
    this.#tell("peer", opened);
    this.#enter("live");
    await lost;
    if (signal.aborted) return null;
    this.#drop();
    if (!this.#end) this.#enter("lost");
    return this.#over();
  }

  #over() {
    if (this.#end) this.#claim = null;
    return this.#end;
  }

  /** The session that we take part in, one to watch, or a new one. */
  async #obtain(signal) {
    if (this.#claim || this.#watch) {
      const running = await this.api.session().catch((error) => {
        if (!this.room?.isGone(error)) throw error;
        return {}; // the worker and its session are gone, and we stand in line again
      });
      const open = isOpen(running.state);
      if (open && this.#claim?.session === identity(running)) return { descriptor: running, resumed: true };
      const lost = this.phase === "lost";
      this.#claim = null;
      if (lost && running.last_end) return { ended: running.last_end };
      if (open && this.#watch) return { descriptor: running, resumed: false };
    }
    this.#watch = false;
    if (!PHASES[this.phase].keeps) this.#enter("asking");
    this.role = "controller";
    const descriptor = await (this.room ? this.room.enter(signal, (place) => this.#queued(place)) : this.#asking(this.api.start()));
    this.#claim = { session: identity(descriptor), connection: null, base: this.room?.base };
    return { descriptor, resumed: false };
  }

  #queued(place) {
    if (place.state === "claimed") return this.#tell("notice", { message: "This session is open in another tab too." });
    const [title, sentence] = this.room.words(place);
    return this.#enter(place.state === "offered" ? "turn" : "queued", sentence, title);
  }

  /** A start that takes long most often waits for the model of the last session to return: says so meanwhile. */
  async #asking(starting) {
    const look = async () => {
      const { code, detail } = await this.api.health().catch(() => ({}));
      if (timer && code === "session_closing") this.#enter("closing", detail);
    };
    let timer = setInterval(look, SLOW_START_MS);
    try {
      return await starting;
    } finally {
      clearInterval(timer);
      timer = 0;
    }
  }

  #hear({ scope, data }) {
    if (scope !== "runtime") return this.#tell("message", data);
    if (this.commands.receive(data)) return undefined;
    if (data.type === "frameTime") return this.#tell("frameTime", data.data);
    if (data.type === "role") return this.#cast(data.data);
    if (data.type === "sessionEnded") this.#end = data.data;
    return this.#tell("notice", data);
  }

  #cast({ role, reason = "", view_only: viewOnly = false }) {
    this.role = role;
    this.viewOnly = viewOnly;
    this.#tell("role", { role, reason });
  }

  /** A 503 is explained by `/health`, which knows whether to wait or what to repair. */
  async #asked(error) {
    if (error.status !== 503) return error;
    const { code, detail, progress, progress_message: doing } = await this.api.health().catch(() => ({}));
    return code ? new ApiError(503, code, doing || detail || error.message, { progress }) : error;
  }

  /** Puts a failure into a phase; returns how long to wait before the next try. */
  #explain(error, failures) {
    if (!(error instanceof ApiError)) console.error(error);
    const { code, message, extra = {} } = error;
    const pause = backOff(failures);
    // A process that could not load its model ends: its last words say more than its silence.
    if (code === "unreachable" && this.phase === "failed") return FAILED_POLL_MS;
    if (code === "unreachable") return this.#enter("gone"), pause;
    if (code === "loading") return this.#enter("loading", message, null, extra.progress), LOADING_POLL_MS;
    if (code === "model_load_failed") return this.#enter("failed", message), FAILED_POLL_MS;
    if (code === "ice_failed") return this.#enter("noroute", message), pause;
    if (code === "session_over") return this.#run?.abort(), this.#enter("ended", message, "over");
    if (code === "nothing_to_watch") return this.#enter("idle"), BUSY_POLL_MS;
    if (AGAIN.has(code)) return pause;
    return this.#refused(error, pause);
  }

  /**
   * What has no code of its own is told by its status.
   * @param {ApiError} error
   * @param {number} pause
   */
  #refused({ status, message, extra = {} }, pause) {
    if (status === 401) return this.#enter("locked", message, this.api.token ? "wrong" : null), FAILED_POLL_MS;
    if (status === 409 && extra.state === "CLOSING") return this.phase === "closing" || this.#enter("closing"), LOADING_POLL_MS;
    if (status === 409) return this.#enter("busy", message), this.about(), BUSY_POLL_MS;
    if (status === 404) return pause;
    this.#watch = false; // no place among the viewers: wait like everybody else
    return this.#enter("refused", message), (extra.retryAfter ?? 0) * 1000 || Math.max(pause, BUSY_POLL_MS);
  }

  /** After the model failed: resolves when another process answers, which somebody repaired, we hope. */
  async #restarted(signal) {
    const before = this.descriptor?.started_at;
    let now = before;
    while (!signal.aborted && now === before) {
      await this.#rest(FAILED_POLL_MS);
      now = await this.api.session().then((running) => running.started_at, () => before);
    }
  }

  async #rest(ms) {
    await Promise.race([this.wait(ms), new Promise((done) => (this.#wake = done))]);
  }

  #drop() {
    this.#peer?.close();
    this.#peer = null;
    this.commands.abandon();
  }

  /**
   * @param {string} phase
   * @param {string} [detail]
   * @param {string | null} [reason]
   * @param {number | null} [progress]
   */
  #enter(phase, detail = "", reason = null, progress = null) {
    if (phase === this.phase && detail === this.detail && reason === this.reason && progress === this.progress) return;
    this.phase = phase;
    this.detail = detail;
    this.reason = reason;
    this.progress = progress;
    this.#tell("phase", { phase, detail, reason, progress });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const toRuntime = (type) => ({ scope: "runtime", data: { type, data: {} } });
const isOpen = (state) => ["WAITING", "STREAMING", "ORPHANED"].includes(String(state).toUpperCase());
const identity = ({ session_id: id, started_at: at, number }) => [id, at, number].join("/");
const backOff = (failures) => BACK_OFF_MS[Math.min(Math.max(0, failures), BACK_OFF_MS.length - 1)];
const delay = (ms) => new Promise((done) => setTimeout(done, ms));
