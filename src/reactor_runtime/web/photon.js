// From a command to the picture that shows it: pairs the server's word on which frame that is with the frames
// that the browser displays. Sans-IO: the caller gives all times, in ms of one clock.

const FRAMES_KEPT = 180;
const WAIT_MS = 5_000;

/** Whether RTP time `a` is at or after `b`: they count modulo 2^32, and the nearer way round is meant. */
export const atOrAfter = (a, b) => ((a - b) >>> 0) < 2 ** 31;

export class Photon {
  #sent = new Map(); // command id → when
  #waiting = []; // {track, rtp, at}: the frame that will show a command
  #frames = []; // {track, rtp, shown}: displayed already; the message may come later than its frame

  /** `measured(ms)` hears every time that could be taken. */
  constructor(measured) {
    this.measured = measured;
  }

  sent(id, at) {
    this.#forget(at);
    this.#sent.set(id, at);
  }

  /** The server handed out the first frame after the command. */
  frameTime({ id, track, rtp_timestamp: rtp }) {
    const at = this.#sent.get(id);
    if (at === undefined || !Number.isInteger(rtp)) return;
    this.#sent.delete(id);
    const frames = this.#frames.filter((frame) => frame.track === track);
    const index = frames.findIndex((frame) => atOrAfter(frame.rtp, rtp));
    // The oldest frame kept may be later than the one that was meant: no measure is better than a wrong one.
    if (index > 0) this.measured(Math.max(0, frames[index].shown - at));
    else if (index < 0) this.#waiting.push({ track, rtp, at });
  }

  /** A frame reached the screen. */
  displayed(track, rtp, shown) {
    this.#frames.push({ track, rtp, shown });
    if (this.#frames.length > FRAMES_KEPT) this.#frames.shift();
    const due = this.#waiting.filter((each) => each.track === track && atOrAfter(rtp, each.rtp));
    if (due.length) this.#waiting = this.#waiting.filter((each) => !due.includes(each));
    for (const { at } of due) this.measured(Math.max(0, shown - at));
  }

  /** Another connection counts its RTP time from elsewhere. */
  clear() {
    this.#sent.clear();
    this.#waiting = [];
    this.#frames = [];
  }

  #forget(now) {
    for (const [id, at] of this.#sent) if (now - at > WAIT_MS) this.#sent.delete(id);
    this.#waiting = this.#waiting.filter(({ at }) => now - at < WAIT_MS);
  }
}
