// @ts-check
// A player that only shows: pictures, sound, and words over them. What else the page can do is in `view.js`.

import { Api } from "../core/api.js";
import { el } from "./dom.js";
import { Elsewhere } from "../core/elsewhere.js";
import { later, parts } from "../core/later.js";
import { openPeer } from "../core/peer.js";
import { PHASES, wordsFor } from "../core/phases.js";
import { Session } from "../core/session.js";
import { Stage } from "./stage.js";
import { Store } from "./store.js";
import { Waiting } from "../core/waiting.js";

const STILL_MS = 2_500;
const LOOK_MS = 1_000;

/**
 * @typedef {object} Given
 * @property {HTMLElement} host is marked with the phase
 * @property {string} [base] the server
 * @property {string | null} [token] for it
 * @property {string | null} [wish] the one wire that is to be used
 * @property {string} [storeBase] which corner of the browser's storage is this player's
 * @property {string} [label] the player's name
 */

export class Viewer {
  #timer;
  #off = new AbortController();
  model = "Reactor";
  shown = "";
  page = false;
  /** @type {import("./inputs.js").Inputs | null} */
  inputs = null;
  /** @type {import("./room.js").Room | null} */
  room = null;
  other = null; // the claim of another tab that plays
  // Made by `open()`:
  /** @type {Session} */
  session;
  /** @type {Stage} */
  stage;
  /** @type {HTMLElement} */
  app;
  /** @type {HTMLElement} */
  stageAt;
  /** @type {HTMLElement} */
  status;
  /** @type {Elsewhere} */
  elsewhere;
  /** @type {Waiting} */
  waiting;
  /** @type {{get: (name: string) => any, set: (name: string, value: any) => void}} */
  preferences;

  /** @param {Given} given */
  constructor({ host, base = "", token = null, wish = null, storeBase = base, label = "Video" }) {
    this.host = host;
    this.label = label;
    this.api = new Api(base, token);
    this.store = new Store(storeBase);
    this.wish = wish;
  }

  get signal() {
    return this.#off.signal;
  }

  /** Builds itself into `root` and begins to play. */
  open(root) {
    const { api, store } = this;
    this.session = new Session({ api, openPeer: (given) => openPeer({ ...given, wish: this.wish }), room: this.room });
    this.elsewhere = new Elsewhere(store.base, () => PHASES[this.session.phase].plays, this.signal);
    this.preferences = { get: (name) => store.preferred("", name), set: (name, value) => store.prefer("", name, value) };
    this.status = el("p", { class: "unseen", role: "status" });
    this.stageAt = el("section", { class: "stage", "aria-label": this.label });
    this.stage = this.makeStage();
    this.stage.onpicture = () => this.entered(this.session);
    this.waiting = new Waiting({
      draw: (words) => this.shown === "waiting" && this.say({ ...words, waiting: true, dim: true }),
      look: () => this.session.about().then((running) => running?.notices),
      inputs: this.inputs,
    });
    this.app = this.build();
    root.append(this.app);
    this.listen();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.start();
    return this;
  }

  makeStage() {
    return new Stage(this.stageAt, { volume: this.preferences.get("volume") ?? 1, onbutton: () => this.pressed() });
  }

  build() {
    return el("div", { class: "app player bare" }, this.status, el("div", { class: "layout" }, this.stageAt));
  }

  /** Goes on with the session of an earlier page; not with that of a tab that is there. */
  async start() {
    const { claim } = this.store;
    if (claim && (claim.left || !(await this.elsewhere.ask()))) this.session.adopt(claim);
    if (!this.signal.aborted) this.session.start();
  }

  /** An event of the session. */
  hear(type, action) {
    this.session.addEventListener(type, (/** @type {any} */ { detail }) => action(detail));
  }

  listen() {
    const { session } = this;
    this.hear("session", (detail) => this.begun(detail));
    this.hear("peer", (peer) => this.connected(peer));
    this.hear("phase", (detail) => this.entered(detail));
    this.hear("role", (detail) => {
      this.cast();
      this.announce("role", detail);
    });
    this.hear("about", (running) => this.about(running));
    this.hear("claim", (claim) => this.store.holdClaim(claim));
    this.hear("message", (data) => {
      this.waiting.hear(data);
      this.announce("message", data);
    });
    this.hear("notice", ({ type }) => type === "sessionEnded" && this.stage.keep());
    const on = (target, type, action) => target.addEventListener(type, action, { signal: this.signal });
    on(parts, "missing", ({ detail }) => {
      this.error("page", detail);
      this.announce("error", detail);
    });
    on(window, "online", () => session.hurry());
    on(document, "visibilitychange", () => (document.hidden ? this.save() : session.hurry()));
    on(window, "pagehide", () => this.leave());
    on(window, "pageshow", ({ persisted }) => persisted && this.start()); // back from the history
  }

  begun({ descriptor }) {
    this.describe(descriptor);
  }

  /** What the model is called and takes, also while somebody else plays. True when its controls were drawn anew. */
  /** @param {import("../core/types.js").Descriptor} descriptor */
  describe({ model = {} }) {
    this.model = model.name ?? "Reactor";
    return false;
  }

  /** The server's word on the session: who plays. */
  async about(running) {
    if (this.session.phase !== "busy") return;
    this.describe(running);
    await (await later("app/busy.js"))?.sayBusy(this, running);
  }

  /** The button over the picture. */
  pressed() {
    const { session, room, shown } = this;
    if (shown === "waiting") return this.inputs?.missing?.use();
    if (shown === "queued") return session.stop();
    if (shown === "turn") return room?.takeTurn();
    if (shown !== "busy") return session.start();
    if (!this.other) return session.watch();
    session.adopt(this.other);
    return session.start();
  }

  say(words) {
    this.stage.say(words);
  }

  connected(peer) {
    this.stage.attach(peer.outputs);
    this.cast();
  }

  #mark(phase) {
    this.host.dataset.phase = this.app.dataset.phase = this.shown = phase;
  }

  /** A picture is what "live" means: before the first one the page waits, whatever is connected. Gives what it says. */
  entered(detail) {
    const phase = this.seen(detail.phase);
    if (phase === "waiting") {
      this.waiting.begin();
      if (this.shown !== "live") this.#mark(phase);
      this.cast();
      return null;
    }
    this.waiting.end();
    this.#mark(phase);
    const foreign = new URL(this.api.address).origin === location.origin ? null : location.origin;
    const words = wordsFor({ ...detail, phase }, foreign);
    const aloud = `${words.title || words.short}. ${words.sentence}`;
    if (this.status.textContent !== aloud) this.status.textContent = aloud; // a bar that moves says nothing new
    this.say({
      ...words,
      waiting: PHASES[phase].waits,
      dim: phase !== "live",
      progress: typeof detail.progress === "number" ? detail.progress : null,
    });
    if (phase === "locked") later("app/tokenfield.js").then((there) => there?.askToken(this));
    this.cast();
    if (phase === "ended" && detail.reason === "error") later("app/failed.js").then((there) => there?.sayWhy(this, words));
    this.announce("phase", { phase, reason: detail.reason, title: words.title, sentence: words.sentence });
    return words;
  }

  seen(phase) {
    return phase === "live" && !this.stage.pictured ? "waiting" : phase;
  }

  /** `{text, cause}` of a failure's message: see `causes.js`. */
  async explained(message) {
    return (await later("core/causes.js"))?.explained(this.api, message) ?? { text: message, cause: null };
  }

  /** Hears what belongs in a list of messages, where there is one. */
  error(_label, _text) {}

  /** Resolves with the model's reply. What has no file leaves at once, in order, also from a page that goes away. */
  send(name, args) {
    return this.transmit(name, args).then((reply) => (this.announce("reply", { command: name, ...reply }), reply)).catch(async (error) => {
      if (error.code === "internal_error") error.message = (await this.explained(error.message)).text;
      throw error;
    });
  }

  transmit(name, args) {
    return this.session.commands.send(name, args);
  }

  /** Who looks on has no controls. True when this one does. */
  cast() {
    const { phase, role } = this.session;
    return role === "viewer" && PHASES[phase].plays;
  }

  useToken(token) {
    this.api.token = token;
    this.session.start();
  }

  /** Once a second: is the picture alive? */
  look() {
    const { session, stage } = this;
    if (session.phase !== "live") return;
    this.waiting.tick(this.undecoded);
    if (stage.stillFor(STILL_MS)) session.suspect();
    else stage.keep();
  }

  get undecoded() {
    return "";
  }

  get still() {
    return this.stage.stillFor(STILL_MS);
  }

  announce(type, detail) {
    this.host.dispatchEvent(new CustomEvent(type, { detail }));
  }

  save() {}

  leave() {
    this.save();
    const claim = this.session.leave();
    if (claim) this.store.holdClaim(claim, true);
  }

  /** The player was taken out of its page. */
  close() {
    this.leave();
    this.#off.abort();
    clearInterval(this.#timer);
    this.app.remove();
    delete this.host.dataset.phase;
  }
}
