// @ts-check
// Every phase of a visit: what is said, what may be done, what the page does meanwhile. One table, as the server has one
// of its states. Pure.

/**
 * @typedef {object} Phase
 * @property {string} short in the bar
 * @property {string} [title] over the picture
 * @property {string} [sentence]
 * @property {string} [button] over the picture
 * @property {boolean} [waits] something turns: it goes on by itself
 * @property {boolean} [plays] the controls are the player's
 * @property {boolean} [keeps] stays until there is an answer, while the server is asked again
 * @property {boolean} [stays] stays until there is a picture
 * @property {boolean} [loud] belongs in the messages, as an error
 * @property {boolean} [own] the server's sentence comes first
 * @property {boolean} [placed] title and sentence are those of the place in the line
 */

/** @type {Record<string, Phase>} */
export const PHASES = {
  asking: { short: "Connecting", title: "Connecting", sentence: "Asking the server for a session.", waits: true },
  queued: { short: "In line", button: "Leave the line", waits: true, keeps: true, placed: true },
  turn: { short: "Your turn", button: "Play now", waits: true, keeps: true, placed: true },
  connecting: { short: "Connecting", title: "Connecting", sentence: "Setting up the video.", waits: true },
  loading: { short: "Loading", title: "The model is loading", sentence: "The video starts by itself when it is ready.", waits: true, keeps: true, own: true },
  failed: { short: "Load failed", title: "Load failed", sentence: "The page goes on by itself after a restart.", keeps: true, own: true, loud: true },
  busy: { short: "In use", title: "The model is in use", sentence: "The page starts by itself when the model is free.", button: "Watch", keeps: true },
  idle: { short: "Waiting", title: "Nobody is playing", sentence: "The video starts by itself when somebody plays; this token is for watching.", waits: true, keeps: true },
  closing: { short: "Waiting", title: "The last session is still ending", sentence: "Yours begins by itself when the model has returned.", waits: true, keeps: true, own: true },
  waiting: { short: "Waiting", waits: true },
  live: { short: "Live", plays: true },
  lost: { short: "Reconnecting", title: "Connection lost", sentence: "Reconnecting to the running session.", waits: true, keeps: true, stays: true, plays: true },
  gone: { short: "Server gone", title: "The server does not answer", sentence: "The page reconnects by itself when the server is back.", waits: true, keeps: true, loud: true },
  locked: { short: "Token needed", title: "This server asks for a token", sentence: "Open the address that it printed when it started (it ends in ?token=…), or enter the token here.", keeps: true, loud: true },
  noroute: { short: "No video path", title: "The video cannot get through", keeps: true, stays: true, own: true, loud: true },
  refused: { short: "Refused", title: "The server refused", sentence: "The page keeps trying.", own: true, loud: true },
  ended: { short: "Ended", title: "Ended", sentence: "The session has ended.", button: "Start again" },
};

/** Ends by their reason; `asks`: playing on needs a person's wish, not the page's. A waiting room has more of them, see `room.js`. */
export const ENDS = {
  stopped: { title: "Stopped", sentence: "The session is stopped.", button: "Start", asks: true },
  over: { title: "Ended" }, // its link leads nowhere else
  left: { title: "Stopped watching", sentence: "The session goes on without you.", button: "Start" },
  completed: { title: "Finished", sentence: "The model has finished.", button: "Play again", asks: true },
  time_cap: { title: "Time is up", sentence: "The session reached its time limit.", button: "Play again", asks: true },
  replaced: { title: "Taken over", sentence: "The session was opened somewhere else.", button: "Play here", asks: true },
  error: { title: "Stopped by an error", sentence: "The model stopped with an error. Its log has the details.", button: "Start again", asks: true },
};

const WRONG_TOKEN = "The token that this player has is not the server's. Enter the one that it printed when it started.";

/**
 * `foreign` is the origin of the site that a player is embedded in, where that is not the server's own.
 * @param {{phase: string, detail?: string, reason?: string | null}} told
 * @param {string | null} [foreign]
 */
export function wordsFor({ phase, detail = "", reason = null }, foreign = null) {
  const { short, title = "", sentence = "", button = null, own, placed } = PHASES[phase];
  if (phase === "ended") {
    const end = ENDS[reason] ?? PHASES.ended;
    return { short: end.title, title: end.title, sentence: detail || end.sentence, button: end.button };
  }
  if (placed) return { short, title: reason, sentence: detail, button };
  if (phase === "locked" && reason === "wrong") return { short, title, sentence: WRONG_TOKEN, button };
  const hint = phase === "gone" && foreign ? ` If it runs, start it with --allow-origin ${foreign} to let this site in.` : "";
  const theirs = own && detail && detail !== `${title}.` ? closed(detail) : "";
  return { short, title, sentence: [theirs, sentence].filter(Boolean).join(" ") + hint, button };
}

/** An author's words are seldom a sentence: "Reading the weights". */
const closed = (text) => (/[.!?…:]$/.test(text) ? text : `${text}.`);
