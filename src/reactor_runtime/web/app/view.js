// @ts-check
// Puts a whole player together: who hears whom. The page is one, and `<reactor-player>` with its controls another.

import { Audit } from "./audit.js";
import { captureButtons } from "./capturing.js";
import { Cards } from "./cards.js";
import { el } from "./dom.js";
import { Freezes } from "../core/freezes.js";
import { Inputs } from "./inputs.js";
import { allControls, listenBeside, logOf } from "./desk.js";
import { valuesIn } from "../core/link.js";
import { later } from "../core/later.js";
import { Measured } from "../core/measured.js";
import { Messages } from "./messages.js";
import { PHASES, wordsFor } from "../core/phases.js";
import { Photon } from "../core/photon.js";
import { Play } from "./play.js";
import { Stage } from "./stage.js";
import { countersOf, factsIn, outboundOf, ratesBetween, undecodedIn } from "../core/stats.js";
import { holdsFile, Uploads } from "../core/uploads.js";
import { carrierOf, wayOf, wishIn } from "../core/way.js";
import { underThe } from "./under.js";
import { Viewer } from "./viewer.js";

const NEWS_MS = 20_000;

export class View extends Viewer {
  /** @type {any} */
  #counters = null;
  /** @type {number | null} */
  #reply = null;
  /** @type {any} */
  #outbound = null;
  #lately = "";
  #noticed = "";
  #begun = false;
  #played = false; // a session of this page, of whose end nothing was said
  #newsOver;
  measured = new Measured();
  // Made by `makeStage()` and `build()`:
  /** @type {Messages} */
  messages;
  /** @type {Freezes} */
  freezes;
  /** @type {Cards} */
  cards;
  /** @type {Play} */
  play;
  /** @type {{dialog: HTMLElement, open: () => void} | null} */
  sharing = null; // the dialog, once somebody asked for it

  /**
   * @param {import("./viewer.js").Given & {page?: boolean, controls?: boolean, commands?: boolean, Room?: typeof import("./room.js").Room | null}} given
   * `page` is whether this is the whole page, and not a player in another one, which shows what `controls` (below the
   * picture) and `commands` say.
   */
  constructor({ page = false, controls = page, commands = page, Room = null, ...given }) {
    const { wish, sentence } = page ? wishIn(location.search) : { wish: null, sentence: "" };
    super({ ...given, wish, storeBase: given.base?.replace(/(\/t\/)[^/]+$/, "$1") }); // a link to a session keeps nothing where players do
    this.page = page;
    this.given = { controls, commands, sentence };
    this.room = Room ? new Room({ api: this.api }) : null;
    this.uploads = new Uploads(this.api);
    this.photon = new Photon((ms, parts) => this.measured.command(ms, parts));
  }

  makeStage() {
    const { preferences: prefs } = this;
    this.log = el("div", { class: "panelbody" });
    this.messages = new Messages(this.log);
    const failed = (what, sentence) => this.error(what, sentence);
    const said = (text) => this.messages.note(text);
    this.freezes = new Freezes(said);
    this.audit = this.page ? new Audit(this.api, failed, (message) => this.explained(message)) : null;
    this.inputsAt = el("section", { class: "inputs", "aria-label": "Inputs", hidden: true });
    this.inputs = new Inputs(this.inputsAt, { prefs, signal: this.signal, failed });
    const stage = new Stage(this.stageAt, {
      volume: prefs.get("volume") ?? 1,
      onbutton: () => this.pressed(),
      onframe: (track, data) => data.rtpTimestamp !== undefined && this.photon.displayed(track, data.rtpTimestamp, data.expectedDisplayTime, data),
    });
    this.news = el("p", { class: "news", role: "status" });
    stage.screen.append(this.news);
    this.facts = el("p", { class: "facts" });
    this.stageAt.append(underThe(stage, {
      facts: this.facts,
      tools: captureButtons({ name: () => this.model, said, seenIn: () => this.stage }),
      prefs,
      ontheatre: (on) => this.app.classList.toggle("theatre", on),
    }));
    return stage;
  }

  build() {
    const { page, session, stage } = this;
    const { controls, commands } = this.given;
    const prefs = { get: (name) => this.store.preferred(this.model, name), set: (name, value) => this.store.prefer(this.model, name, value) };
    this.takeControl = el("button", { type: "button", onclick: () => session.takeControl() }, "Take control");
    this.roleAt = el("div", { class: "card role", hidden: true }, el("p", {}, "You are watching; somebody else plays."), this.takeControl);
    this.short = el("span", {}, "Connecting");
    const dock = el("section", { class: "dock", "aria-label": "Prompt", hidden: true });
    const controlsAt = el("section", { class: "controls", "aria-label": "Controls" });
    this.stageAt.append(dock);
    this.cards = new Cards(controlsAt, {
      dock,
      prefs,
      send: (name, args) => this.send(name, args),
      heard: (name, error, reply) => this.#heard(name, error, reply),
    });
    this.play = new Play({
      cards: this.cards,
      surface: stage.play,
      thumbs: stage.thumbs,
      prefs,
      keysOn: page ? window : this.host,
      isPlaying: () => session.phase === "live" && this.cards.enabled,
      signal: this.signal,
    });
    if (!page && !this.host.hasAttribute("tabindex")) this.host.tabIndex = 0; // so that it can have the keys
    return el("div", { class: `app ${page ? "page" : "player"}${controls ? "" : " bare"}` },
      page ? this.#bar() : null,
      this.status,
      el(page ? "main" : "div", { class: "layout" },
        this.stageAt,
        commands ? el("div", { class: "panel" }, this.roleAt, this.inputsAt, controlsAt, page ? allControls(this) : null) : null,
        page ? this.#log() : null));
  }

  async #share() {
    const there = await later("app/share.js");
    if (!there) return;
    if (!this.sharing) {
      this.sharing = there.shareDialog({ api: this.api, values: () => this.cards.values(), said: (text) => this.messages.note(text) });
      this.app.append(this.sharing.dialog);
    }
    this.sharing.open();
  }

  #bar() {
    this.share = el("button", { type: "button", class: "plain", hidden: this.room !== null, onclick: () => this.#share() }, "Share"); // in a fleet it is a session that is shared
    this.name = el("h1", {}, this.model);
    this.tells = el("p", { class: "about" });
    this.toggle = el("button", { type: "button", onclick: () => (this.session.phase === "ended" ? this.session.start() : this.session.stop()) }, "Stop");
    return el("header", { class: "bar" }, this.name, this.tells, el("p", { class: "pill" }, el("span", { class: "dot" }), this.short), this.share, this.toggle);
  }

  #log() {
    const { section, schema } = logOf(this.log, {
      folded: (on) => this.app.classList.toggle("folded", on),
      store: this.store,
      measured: this.measured,
    });
    this.schema = schema;
    return section;
  }

  listen() {
    super.listen();
    const { session, photon } = this;
    session.commands.replied = (id, ms) => photon.replied(id, ms);
    session.commands.sent = (id, at) => photon.sent(id, at);
    this.hear("frameTime", (data) => photon.frameTime(data, performance.now(), 500 * (this.#counters?.rtt ?? 0)));
    this.hear("message", (data) => this.messages.message(data));
    this.hear("claim", (claim) => claim ?? this.audit?.look()); // the model has been reset by now
    this.hear("notice", (data) => this.#notice(data));
    listenBeside(this.page ? window : this.host, this, this.signal);
    if (this.given.sentence) this.error("wire", this.given.sentence);
  }

  error(label, text) {
    this.messages.error(label, text);
  }

  /** Over the picture for a while, whatever is played meanwhile; and in the messages. */
  #tellNews(text) {
    this.error("session", text);
    this.news.textContent = text;
    clearTimeout(this.#newsOver);
    this.#newsOver = setTimeout(() => (this.news.textContent = ""), NEWS_MS);
  }

  /** @param {{descriptor: import("../core/types.js").Descriptor, resumed?: boolean}} given */
  begun({ descriptor, resumed }) {
    const first = this.describe(descriptor) || !this.#begun;
    this.#begun = true;
    const { failed } = this.room ?? {};
    if (!resumed && (failed || this.#played)) this.#tellNews(`${failed ? "The worker of your session failed" : "Your session is over"}. This is a new one: the model began anew.`);
    const linked = first && this.page ? valuesIn(location.hash) : null;
    if (linked) history.replaceState(null, "", location.pathname + location.search);
    if (first) this.cards.restore({ ...this.store.load("values", this.model), ...linked }, { live: resumed || linked !== null });
    if (linked) this.cards.owe(Object.keys(linked));
    else if (!resumed) this.cards.renew();
  }

  /** @param {import("../core/types.js").Descriptor} descriptor */
  describe({ model = {}, capabilities = {} }) {
    super.describe({ model });
    if (this.page) {
      this.name.textContent = document.title = model.title ?? this.model;
      this.tells.textContent = this.tells.title = model.description ?? "";
      this.schema.textContent = JSON.stringify(capabilities, null, 2);
    }
    const drawn = this.cards.draw(capabilities.commands ?? []);
    if (drawn) this.play.attach();
    if (drawn && this.session.phase === "busy") this.cards.restore(this.store.load("values", this.model), { live: false });
    return drawn;
  }

  /** Who plays, and what is wrong with the pictures. */
  about(running) {
    for (const [track, text] of Object.entries(running.notices ?? {})) {
      if (this.#noticed === text) continue;
      this.#noticed = text;
      this.error(track, text);
    }
    if (this.shown === "live" && this.still) this.freezes.still(this.stage.lastFrame, running);
    return super.about(running);
  }

  connected(peer) {
    this.#played = true;
    if (this.share) this.share.hidden = false;
    this.photon.clear();
    this.#counters = this.way = null;
    this.inputs?.attach(peer.inputs);
    super.connected(peer);
    this.cards.resend();
  }

  entered(detail) {
    const words = super.entered(detail);
    if (this.shown !== "live") this.play.releaseAll();
    if (!words) return null;
    const ended = this.shown === "ended";
    if (ended) this.#played = false;
    if (this.page) this.toggle.textContent = ended ? "Start" : "Stop";
    if (PHASES[this.shown].loud) this.error(words.short, words.sentence);
    else if (ended) this.messages.note(words.sentence);
    if (ended) this.audit?.look();
    // Nobody receives it any more. After an error the page plays on by itself, and then with the camera.
    if (ended && detail.reason !== "error") this.inputs?.close();
    return words;
  }

  async transmit(name, args) {
    if (!holdsFile(args)) return super.transmit(name, args);
    const { session_id: id, number, started_at: at } = this.session.descriptor ?? {};
    return super.transmit(name, await this.uploads.named(args, id, [id, number, at].join("/")));
  }

  /** Who looks on has a button to play. */
  cast() {
    const { phase } = this.session;
    const watching = super.cast();
    this.roleAt.hidden = !watching;
    this.takeControl.hidden = this.session.viewOnly ?? false; // its token is for watching
    this.cards.enabled = !watching && PHASES[phase].plays === true;
    if (watching) this.play.releaseAll();
    this.short.textContent = watching && phase === "live" ? "Watching" : wordsFor({ ...this.session, phase: this.seen(phase) }).short;
    return watching;
  }

  useToken(token) {
    if (this.page) location.replace(`?token=${encodeURIComponent(token)}`); // answered with a cookie; it does not stay in the history
    else super.useToken(token);
  }

  #heard(name, error, reply) {
    if (error) return this.error(name, error.message);
    this.#reply = reply.ms;
    if (reply.result !== null) this.messages.add("model", name, `→ ${JSON.stringify(reply.result)}`);
    return undefined;
  }

  #notice({ type, data, message }) {
    if (type === "commandError") this.error(data?.command ?? "command", data?.message ?? "");
    else if (type === "modelError") this.#modelFailed(data);
    else if (message) this.messages.note(message);
  }

  async #modelFailed({ hook = "model", message }) {
    if (this.audit && hook === "reset") this.audit.failed = message;
    this.error(hook, (await this.explained(message)).text);
  }

  get undecoded() {
    return undecodedIn(this.#counters);
  }

  /** Once a second: what do the counters say? */
  async look() {
    super.look();
    const { session } = this;
    if (session.phase !== "live") return this.#tellFacts(null);
    const left = this.room?.secondsLeft() ?? null;
    if (left !== null) this.short.textContent = `${left} s left`;
    if (!this.still) this.freezes.moves();
    const { peer } = session;
    const report = await peer?.stats().catch(() => null);
    if (!report || session.peer !== peer) return undefined; // meanwhile the page has left, or has another
    this.#tellWay(carrierOf(report), peer);
    if (this.app.querySelector(".charts")?.checkVisibility()) await this.#lookAtServer(peer); // only while somebody looks
    const before = this.#counters;
    if (!before) this.audit?.look(); // at what the session before has left
    this.#counters = countersOf(report, performance.now());
    return this.#tellFacts(before ? ratesBetween(before, this.#counters) : {});
  }

  /** What the server says of what it sends to us. */
  async #lookAtServer({ id }) {
    const { answer } = await this.api.call("GET", `/session?connection=${id}`).catch(() => ({ answer: null }));
    if (!answer) return;
    this.#outbound = outboundOf(answer);
    this.about(answer);
  }

  /** Once for each way; the direct one needs no words. */
  #tellWay(carrier, { wish, tried }) {
    const way = carrier && wayOf(carrier, { wish, remote: tried.remote });
    if (!way || way.sentence === this.way?.sentence) return;
    if (this.way || way.name !== "UDP") this.messages.note(`The video comes over ${way.sentence}.`);
    this.way = way;
  }

  #tellFacts(rates) {
    const photon = this.measured.second({ ...rates, ...this.#outbound, reply: this.#reply });
    const known = factsIn(rates, this.stage.main ?? {}, this.way);
    if (photon !== null) this.#lately = `${Math.round(photon)} ms to the picture`;
    else if (this.#reply !== null && !this.#lately.includes("picture")) this.#lately = `reply ${Math.max(1, Math.round(this.#reply))} ms`;
    this.#reply = this.#outbound = null;
    if (known.length && this.#lately) known.push(this.#lately);
    this.facts.textContent = known.join(" · ");
    if (rates?.codec) this.measured.say(`${known[0]} in ${rates.codec}${this.way ? ` over ${this.way.sentence}` : ""}. One point each second, one minute wide.`);
  }

  announce(type, detail) {
    if (!this.page) super.announce(type, detail);
  }

  save() {
    this.store.save("values", this.model, this.cards.values());
  }

  leave() {
    this.play.releaseAll();
    super.leave();
  }

  close() {
    super.close();
    this.inputs?.close();
  }
}
