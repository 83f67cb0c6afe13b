// What the page says in each phase: `[short, title, sentence, button]`. Sentences of the server come first.

const ENDS = {
  stopped: ["Stopped", "The session is stopped.", "Start"],
  left: ["Stopped watching", "The session goes on without you.", "Start"],
  completed: ["Finished", "The model has finished.", "Play again"],
  time_cap: ["Time is up", "The session reached its time limit.", "Play again"],
  replaced: ["Taken over", "The session was opened somewhere else.", "Play here"],
  left_line: ["Left the line", "Your place is somebody else's now.", "Queue again"],
  turn_missed: ["Your turn has passed", "Nobody took it in time, and the next one plays.", "Queue again"],
  error: ["Stopped by an error", "The model stopped with an error. Its log has the details.", "Start again"],
};

const PHASES = {
  asking: ["Connecting", "Connecting", "Asking the server for a session."],
  queued: ["In line", "", "", "Leave the line"],
  turn: ["Your turn", "", "", "Play now"],
  connecting: ["Connecting", "Connecting", "Setting up the video."],
  loading: ["Loading", "The model is loading", "The video starts by itself when it is ready."],
  failed: ["Load failed", "Load failed", "The page goes on by itself after a restart."],
  busy: ["In use", "Somebody else is playing", "The page starts by itself when the model is free.", "Watch"],
  idle: ["Waiting", "Nobody is playing", "The picture starts by itself when somebody plays; this token is for watching."],
  closing: ["Waiting", "The last session is still ending", "Yours begins by itself when the model has returned."],
  waiting: ["Waiting", "", ""],
  live: ["Live", "", ""],
  lost: ["Reconnecting", "Connection lost", "Reconnecting to the running session."],
  gone: ["Server gone", "The server does not answer", "The page reconnects by itself when the server is back."],
  locked: ["Token needed", "This server asks for a token", "Open the address that it printed when it started (it ends in ?token=…), or enter the token here."],
  noroute: ["No video path", "The video cannot get through", ""],
  refused: ["Refused", "The server refused", "The page keeps trying."],
};

const WRONG_TOKEN = "The token that this player has is not the server's. It may have been started anew; enter the token that it printed.";

const OWN_SENTENCE = new Set(["loading", "failed", "noroute", "refused", "closing"]);

/** `foreign` is the origin of the site that a player is embedded in, where that is not the server's own. */
export function wordsFor({ phase, detail, reason }, foreign = null) {
  if (phase === "ended") {
    const [title, sentence, button] = ENDS[reason] ?? ["Ended", "The session has ended.", "Start again"];
    return { short: title, title, sentence: detail || sentence, button };
  }
  const [short, title, sentence, button = null] = PHASES[phase];
  if (phase === "queued" || phase === "turn") return { short, title: reason, sentence: detail, button };
  if (phase === "locked" && reason === "wrong") return { short, title, sentence: WRONG_TOKEN, button };
  const own = OWN_SENTENCE.has(phase) && detail && detail !== `${title}.`;
  const hint = phase === "gone" && foreign ? ` If it runs, start it with --allow-origin ${foreign} to let this site in.` : "";
  return { short, title, sentence: (own ? [closed(detail), sentence].filter(Boolean).join(" ") : sentence) + hint, button };
}

/** Who plays since when, and when the model is free; `running` is what `/session` says. */
export function busyWords({ clients = [], free_in: free = null }, now = Date.now()) {
  const { since } = clients.find(({ role }) => role === "controller") ?? {};
  const minutes = since && Math.max(0, Math.floor((now - since * 1000) / 60_000));
  const at = since && new Date(since * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const played = since ? `Since ${at} (${minutes < 1 ? "less than a minute" : minutes === 1 ? "1 minute" : `${minutes} minutes`}). ` : "";
  const gone = free === null ? "" : `The player's connection is lost: the model is free in ${Math.ceil(free)} s, unless they come back. `;
  return `${played}${gone}The page starts by itself when the model is free.`;
}

/** An author's words are seldom a sentence: "Reading the weights". */
const closed = (text) => (/[.!?…:]$/.test(text) ? text : `${text}.`);

/** Why a camera, microphone or screen is not there. */
export function mediaWords(error, what) {
  switch (error?.name) {
    case "NotAllowedError": return `The ${what} was refused. Allow it in the browser's site settings, then try again.`;
    case "NotFoundError": return `No ${what} was found on this device.`;
    case "NotReadableError": return `The ${what} is in use by another program.`;
    case "OverconstrainedError": return `This ${what} is not there any more. Choose another one.`;
    case "Ended": return `The ${what} was switched off.`;
    case "Unplugged": return `The ${what} was unplugged. It goes on by itself when it is back.`;
    case "Insecure": return `A ${what} needs a secure page: open this one over https:// or as http://localhost.`;
    default: return `The ${what} could not be started: ${error?.message ?? "unknown reason"}.`;
  }
}

// Why the model failed: a message carries a reference, and the server tells its words to who sits at the machine.

const REFERENCE = /\(reference ([\da-f]{8})\)/;
const AT_HOME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** `{text, cause}`: a sentence, and where this machine runs the server `{hook, error, line}`, else null. */
export async function explained(api, message) {
  const [, reference] = REFERENCE.exec(message ?? "") ?? [];
  if (!reference) return { text: message ?? "", cause: null };
  const { hostname } = new URL(api.base || ".", location.href);
  const cause = AT_HOME.test(hostname) ? await api.cause(reference).catch(() => null) : null;
  if (!cause) return { text: `${message} The server's log has the cause, at this reference.`, cause: null };
  return { text: [cause.error, cause.line].filter(Boolean).join(" — "), cause };
}
