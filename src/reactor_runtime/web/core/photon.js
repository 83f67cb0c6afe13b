// @ts-check
// From a command to the picture that shows it: pairs the server's word on which frame that is with the frames
// that the browser displays. Sans-IO: the caller gives all times, in ms of one clock.

const FRAMES_KEPT = 180;
const WAIT_MS = 5_000;

/**
 * Where the time of one command went, in ms: until its handler returned, the wait for the model's step, in the queue before
 * the encoder, the encoder (all three as `frame` where the server does not tell them apart), on its way, being decoded,
 * until it was shown. What the browser does not say is in the part after it.
 */
function partsOf({ at, reply, left, encode, queue }, { received, decode, shown }, ms) {
  const made = encode === null || left === null ? [["frame", left]]
    : [["step", left - encode - queue], ["queue", left - encode], ["encode", left]];
  const marks = [["handler", reply === null ? null : at + reply], ...made, ["network", received], ["decode", received === null || decode === null ? null : received + decode], ["show", shown]];
  const parts = {};
  let before = at;
  for (const [name, until] of marks) {
    if (until === null) continue;
    const now = Math.min(Math.max(before, until), at + ms);
    parts[name] = now - before;
    before = now;
  }
  return parts;
}

/** Whether RTP time `a` is at or after `b`: they count modulo 2^32, and the nearer way round is meant. */
export const atOrAfter = (a, b) => ((a - b) >>> 0) < 2 ** 31;

export class Photon {
  #sent = new Map(); // command id → when
  #replied = new Map(); // command id → ms until its reply
  #waiting = []; // {track, rtp, at}: the frame that will show a command
  #frames = []; // {track, rtp, shown}: displayed already; the message may come later than its frame

  /** `measured(ms, parts)` hears every time that could be taken, and where it went: see `partsOf`. */
  constructor(measured) {
    this.measured = measured;
  }

  sent(id, at) {
    this.#forget(at);
    this.#sent.set(id, at);
  }

  replied(id, ms) {
    if (this.#sent.has(id)) this.#replied.set(id, ms);
  }

  /**
   * The server handed out the first frame after the command; its word was under way for about `way` ms, as the reply was.
   * @param {{id: string, track: string, rtp_timestamp: number, encode_ms?: number | null, queue_ms?: number}} told
   * @param {number | null} [heard]
   */
  frameTime({ id, track, rtp_timestamp: rtp, encode_ms: encode = null, queue_ms: queue = 0 }, heard = null, way = 0) {
    const at = this.#sent.get(id);
    if (at === undefined || !Number.isInteger(rtp)) return;
    this.#sent.delete(id);
    const reply = this.#replied.get(id);
    const known = { at, left: heard === null ? null : heard - way, encode, queue, reply: reply === undefined ? null : reply - way };
    this.#replied.delete(id);
    const frames = this.#frames.filter((frame) => frame.track === track);
    const index = frames.findIndex((frame) => atOrAfter(frame.rtp, rtp));
    // The oldest frame kept may be later than the one that was meant: no measure is better than a wrong one.
    if (index > 0) this.#measure(known, frames[index]);
    else if (index < 0) this.#waiting.push({ track, rtp, ...known });
  }

  /** A frame reached the screen. */
  displayed(track, rtp, shown, { receiveTime = null, processingDuration = null } = {}) {
    const frame = { track, rtp, shown, received: receiveTime, decode: processingDuration === null ? null : 1000 * processingDuration };
    this.#frames.push(frame);
    if (this.#frames.length > FRAMES_KEPT) this.#frames.shift();
    const due = this.#waiting.filter((each) => each.track === track && atOrAfter(rtp, each.rtp));
    if (due.length) this.#waiting = this.#waiting.filter((each) => !due.includes(each));
    for (const known of due) this.#measure(known, frame);
  }

  #measure(known, frame) {
    const ms = Math.max(0, frame.shown - known.at);
    this.measured(ms, partsOf(known, frame, ms));
  }

  /** Another connection counts its RTP time from elsewhere. */
  clear() {
    this.#sent.clear();
    this.#replied.clear();
    this.#waiting = [];
    this.#frames = [];
  }

  #forget(now) {
    for (const [id, at] of this.#sent) if (now - at > WAIT_MS) this.#sent.delete(id);
    this.#waiting = this.#waiting.filter(({ at }) => now - at < WAIT_MS);
  }
}
