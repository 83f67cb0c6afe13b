// Puts the page together: who hears whom. Everything else lives in the module named after it.

import { Api } from "./api.js";
import { Cards } from "./cards.js";
import { Inputs } from "./inputs.js";
import { Messages } from "./messages.js";
import { openPeer } from "./peer.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { leaveClaim, loadValues, saveValues, takeClaim } from "./store.js";
import { wordsFor } from "./words.js";

const STILL_MS = 2_500;
const WAITING = new Set(["asking", "loading", "connecting", "lost", "gone"]);
const PLAYABLE = new Set(["live", "lost"]);

const part = (name) => document.querySelector(`[data-part="${name}"]`);

const session = new Session({ api: new Api(), openPeer, mine: takeClaim() });
const messages = new Messages(part("log"));
const stage = new Stage(part("stage"), { onbutton: () => session.start() });
const inputs = new Inputs(part("inputs"), { failed: (what, sentence) => messages.error(what, sentence) });
const cards = new Cards(part("controls"), { send: (name, args) => session.commands.send(name, args), heard });

let replyMs = null;

function heard(name, error, reply) {
  if (error) return messages.error(name, error.message);
  replyMs = reply.ms;
  if (reply.result !== null) messages.add("model", name, `→ ${JSON.stringify(reply.result)}`);
}

session.addEventListener("session", ({ detail: { descriptor, resumed } }) => {
  const name = descriptor.model?.name ?? "Reactor";
  part("name").textContent = name;
  document.title = name;
  if (cards.draw(descriptor.capabilities?.commands ?? [])) cards.restore(loadValues(name), { live: resumed });
  else if (!resumed) cards.renew();
});

session.addEventListener("peer", ({ detail: peer }) => {
  stage.attach(peer.outputs);
  inputs.attach(peer.inputs);
  cards.resend();
});

session.addEventListener("message", ({ detail }) => messages.message(detail));

session.addEventListener("notice", ({ detail }) => {
  if (detail.type === "commandError") messages.error(detail.data?.command ?? "command", detail.data?.message ?? "");
  else if (detail.message) messages.note(detail.message);
});

session.addEventListener("phase", ({ detail }) => {
  const { phase } = detail;
  const words = wordsFor(detail);
  document.documentElement.dataset.phase = phase;
  part("short").textContent = words.short;
  part("status").textContent = `${words.title || words.short}. ${words.sentence}`;
  part("toggle").textContent = phase === "ended" ? "Start" : "Stop";
  stage.say({ ...words, waiting: WAITING.has(phase), dim: phase !== "live" });
  cards.enabled = PLAYABLE.has(phase);
  if (["failed", "noroute", "refused", "gone"].includes(phase)) messages.error(words.short, words.sentence);
  else if (phase === "ended") messages.note(words.sentence);
});

part("toggle").addEventListener("click", () => (session.phase === "ended" ? session.start() : session.stop()));
addEventListener("online", () => session.hurry());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) session.hurry();
  else saveValues(part("name").textContent, cards.values());
});
addEventListener("pagehide", () => {
  saveValues(part("name").textContent, cards.values());
  leaveClaim(session.leave());
});
addEventListener("pageshow", (event) => event.persisted && location.reload());

setInterval(() => {
  const live = session.phase === "live";
  stage.count(!live ? null : replyMs === null ? [] : [`reply ${Math.max(1, Math.round(replyMs))} ms`]);
  if (live && stage.stillFor(STILL_MS)) session.suspect();
}, 1_000);

session.start();
