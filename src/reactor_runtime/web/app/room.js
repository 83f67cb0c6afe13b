// @ts-check
// The waiting room of a fleet: a ticket, its place in the line, and the claim when it is our turn.

import { ApiError } from "../core/api.js";
import { later } from "../core/later.js";
import { ENDS } from "../core/phases.js";

const SILENT = new Set([0, 404, 503]);
const LOST = "worker_lost";

Object.assign(ENDS, {
  left_line: { title: "Left the line", sentence: "Your place is somebody else's now.", button: "Queue again" },
  turn_missed: { title: "Your turn has passed", sentence: "Nobody took it in time, and the next one plays.", button: "Queue again", asks: true },
});

/** Where this page was served by `reactor serve`. */
export class Room {
  #ticket = null;
  #turn = () => {};
  #home;

  /** `openEvents` makes an `EventSource`; tests give a pretended one. */
  constructor({ api, openEvents = (url) => new EventSource(url), isInFront = () => !document.hidden }) {
    this.api = api;
    this.openEvents = openEvents;
    this.isInFront = isInFront;
    this.expiresAt = null;
    this.failed = false; // the worker of the session before this one
    this.#home = api.base;
  }

  /** What a place is called: `[title, sentence]`. */
  words(place) {
    return placeWords(place);
  }

  /** Where the session of this page is reached; kept with the claim to it. */
  get base() {
    return this.api.base;
  }

  set base(base) {
    this.api.base = base ?? this.#home;
  }

  /** Waits for a turn and takes it: resolves with the session's descriptor. `told(place)` hears every change. */
  async enter(signal, told) {
    this.base = null;
    this.expiresAt = null;
    const joined = (await this.api.call("POST", "/tickets")).answer;
    this.#ticket = joined.ticket;
    const waiting = new AbortController();
    this.#preview(waiting.signal);
    const place = await this.#turnOf(joined, signal, told).finally(() => waiting.abort());
    this.failed = place.reason === LOST;
    if (this.failed) told({ state: "anew" });
    const claim = (await this.api.call("POST", `/tickets/${this.#ticket}/claim`)).answer;
    this.base = new URL(claim.base_url).pathname.replace(/\/$/, "");
    this.expiresAt = claim.expires_at && claim.expires_at * 1000;
    if (joined.existing && joined.state === "claimed") told({ state: "claimed" });
    return this.api.start().catch((error) => {
      throw error.code === "session_over" ? new ApiError(0, "queue_again", "") : error; // it ended before we came
    });
  }

  /** Somebody says that he is here: the turn is taken. */
  takeTurn() {
    this.#turn();
  }

  /** Gives the place up. */
  async leave() {
    const ticket = this.#ticket;
    this.#ticket = null;
    this.base = null;
    if (ticket) await this.api.call("DELETE", `/tickets/${ticket}`).catch(() => {});
  }

  /** Seconds until the session is over; null while that is far. */
  secondsLeft(within = 30, now = Date.now()) {
    const left = this.expiresAt === null ? Infinity : (this.expiresAt - now) / 1000;
    return left <= within ? Math.max(0, Math.ceil(left)) : null;
  }

  /** Whether an error means that our session, or its worker, is gone: then we stand at the head of the line. */
  isGone(error) {
    return this.base !== this.#home && error instanceof ApiError && (SILENT.has(error.status) || error.status === 401) && error.code !== "unreachable";
  }

  /** A session of somebody else's, where there is one and the operator allows it. */
  async #preview(signal) {
    const allowed = document.querySelector("meta[name=reactor-fleet]")?.getAttribute("content") === "preview";
    const there = allowed && (await later("app/preview.js"));
    const veil = document.querySelector(".veil");
    if (there && veil) await there.preview(this.api, String(this.#ticket), veil, signal);
  }

  /** Resolves when it is our turn and somebody is in front of the page. */
  #turnOf(first, signal, told) {
    return new Promise((done, failed) => {
      const events = this.openEvents(`${this.#home}/tickets/${this.#ticket}/events`);
      let place = first;
      const end = (settle, value) => {
        events.close();
        document.removeEventListener("visibilitychange", look);
        signal.removeEventListener("abort", left);
        this.#turn = () => {};
        settle(value);
      };
      const left = () => end(failed, new ApiError(0, "left", "You left the line."));
      const look = () => {
        if (place.state === "claimed" || (place.state === "offered" && this.isInFront())) end(done, place);
        else if (place.state === "expired" || place.state === "cancelled") end(failed, new ApiError(0, "turn_missed", ""));
        else told(place);
      };
      this.#turn = () => place.state === "offered" && end(done, place);
      events.addEventListener("place", ({ data }) => {
        place = JSON.parse(data);
        look();
      });
      // A stream that ends for good has no ticket any more: the gateway was started anew, and we queue again.
      events.addEventListener("error", () => events.readyState === EventSource.CLOSED && end(failed, new ApiError(0, "queue_again", "The line was lost; you stand in it again.")));
      document.addEventListener("visibilitychange", look);
      signal.addEventListener("abort", left);
      look();
    });
  }
}

/** What a place in the line is called: `[title, sentence]`. */
export function placeWords({ state, position, eta_s: eta, reason, claim_in_s: seconds }) {
  if (state === "offered") return ["It is your turn", `Come back to this page within ${Math.ceil(seconds ?? 45)} seconds.`];
  if (state === "anew") return ["The worker failed", "Another one begins a new session for you; the model starts anew."];
  const lost = reason === LOST ? "The worker failed; you are served before the others. " : "";
  return [lost && position === 1 ? "You are next" : `You are ${ordinal(position)} in line`, lost + (eta === null || eta === undefined ? "The page starts by itself when it is your turn." : `About ${duration(eta)}. The page starts by itself when it is your turn.`)];
}

export function ordinal(number) {
  const teen = number % 100 > 10 && number % 100 < 14;
  return `${number}${(!teen && { 1: "st", 2: "nd", 3: "rd" }[number % 10]) || "th"}`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}
