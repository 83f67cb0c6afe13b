// Puts a player together: who hears whom. The page is one, and `<reactor-player>` is one in somebody else's page.

import { Api } from "./api.js";
import { Audit } from "./audit.js";
import { Capture } from "./capture.js";
import { Cards } from "./cards.js";
import { Charts } from "./charts.js";
import { el } from "./dom.js";
import { Elsewhere } from "./elsewhere.js";
import { Inputs } from "./inputs.js";
import { allControls, listenBeside, logOf } from "./desk.js";
import { valuesIn } from "./link.js";
import { wishIn } from "./ladder.js";
import { Messages } from "./messages.js";
import { openPeer } from "./peer.js";
import { Photon } from "./photon.js";
import { Play } from "./play.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { countersOf, factsIn, ratesBetween } from "./stats.js";
import { Store } from "./store.js";
import { openWith, tokenField, tokenIn } from "./token.js";
import { holdsFile, Uploads } from "./uploads.js";
import { Freezes, Waiting } from "./waiting.js";
import { busyWords, wordsFor, explained } from "./words.js";

const STILL_MS = 2_500;
const LOOK_MS = 1_000;
const WAITING = new Set(["asking", "queued", "turn", "loading", "connecting", "idle", "lost", "gone", "closing"]);
const PLAYABLE = new Set(["live", "lost"]);
const LOUD = new Set(["failed", "noroute", "refused", "gone", "locked"]);

export class View {
  #timer;
  #counters = null;
  #measured = { reply: null, photon: null };
  #off = new AbortController();

  /**
   * Builds itself into `root` and marks `host` with its phase. `base` and `token` are the server's; `page` is
   * whether this is the whole page, and not a player in another one, which shows what `controls` and `commands` say.
   */
  constructor({ root, host, base = "", token = null, page = false, controls = page, commands = page, Room = null }) {
    Object.assign(this, { host, page, model: "Reactor" });
    this.api = new Api(base, token);
    this.store = new Store(page ? "" : base);
    this.uploads = new Uploads(this.api);
    this.room = Room ? new Room({ api: this.api }) : null;
    const { wish, sentence } = page ? wishIn(location.search) : { wish: null, sentence: "" };
    this.session = new Session({
      api: this.api,
      openPeer: (given) => openPeer({ ...given, wish }),
      room: this.room,
    });
    this.elsewhere = new Elsewhere(this.store.base, () => PLAYABLE.has(this.session.phase), this.#off.signal);
    this.photon = new Photon((ms, parts) => {
      this.#measured.photon = ms;
      this.charts?.waterfall.add(ms, parts);
    });
    this.session.commands.replied = (id, ms) => this.photon.replied(id, ms);
    this.session.commands.sent = (id, at) => this.photon.sent(id, at);
    this.#build(root, controls, commands);
    if (sentence) this.messages.error("wire", sentence);
    this.#listen();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#start();
  }

  /** Goes on with the session of an earlier page; not with that of a tab that is there. */
  async #start() {
    const { claim } = this.store;
    if (claim && (claim.left || !(await this.elsewhere.ask()))) this.session.adopt(claim);
    if (!this.#off.signal.aborted) this.session.start();
  }

  #build(root, controls, commands) {
    const { page, session } = this;
    const own = { get: (name) => this.store.preferred("", name), set: (name, value) => this.store.prefer("", name, value) };
    const models = { get: (name) => this.store.preferred(this.model, name), set: (name, value) => this.store.prefer(this.model, name, value) };
    const section = (tag, name, attributes) => el(tag, { class: name, ...attributes });
    this.stageAt = section("section", "stage", { "aria-label": "Video" });
    this.inputsAt = section("section", "inputs", { "aria-label": "Inputs", hidden: true });
    this.controlsAt = section("section", "controls", { "aria-label": "Controls" });
    this.roleAt = el("div", { class: "card role", hidden: true },
      el("p", {}, "You are watching; somebody else plays."),
      el("button", { type: "button", onclick: () => session.takeControl() }, "Take control"));
    this.takeControl = this.roleAt.querySelector("button");
    this.status = el("p", { class: "unseen", role: "status" });
    this.short = el("span", {}, "Connecting");
    const log = el("div", { class: "panelbody" });
    this.messages = new Messages(log);
    this.freezes = new Freezes((text) => this.messages.note(text));
    this.capture = new Capture({ name: () => this.model, said: (text) => this.messages.note(text) });
    this.stage = new Stage(this.stageAt, {
      prefs: own,
      tools: [this.capture.snapshot, this.capture.record],
      onbutton: () => this.#pressed(),
      onframe: (track, data) => data.rtpTimestamp !== undefined && this.photon.displayed(track, data.rtpTimestamp, data.expectedDisplayTime, data),
    });
    this.capture.stage = this.stage;
    this.audit = page ? new Audit(this.api, (what, sentence) => this.messages.error(what, sentence)) : null;
    this.inputs = new Inputs(this.inputsAt, { prefs: own, signal: this.#off.signal, failed: (what, sentence) => this.messages.error(what, sentence) });
    this.stage.onpicture = () => this.#entered(session);
    this.waiting = new Waiting({
      draw: (words) => this.shown === "waiting" && this.#say({ ...words, waiting: true, dim: true }),
      look: () => session.about().then((running) => running?.notices),
      inputs: this.inputs,
    });
    this.dockAt = el("section", { class: "dock", "aria-label": "Prompt", hidden: true });
    this.stageAt.append(this.dockAt);
    this.stage.ontheatre = (on) => this.app.classList.toggle("theatre", on);
    this.cards = new Cards(this.controlsAt, {
      dock: this.dockAt,
      prefs: models,
      send: (name, args) => this.send(name, args),
      heard: (name, error, reply) => this.#heard(name, error, reply),
    });
    this.play = new Play({
      cards: this.cards,
      surface: this.stage.play,
      thumbs: this.stage.thumbs,
      prefs: models,
      keysOn: page ? window : this.host,
      isPlaying: () => session.phase === "live" && this.cards.enabled,
      signal: this.#off.signal,
    });
    this.app = el("div", { class: `app ${page ? "page" : "player"}${controls ? "" : " bare"}` },
      page ? this.#bar() : null,
      this.status,
      el(page ? "main" : "div", { class: "layout" },
        this.stageAt,
        commands ? el("div", { class: "panel" }, this.roleAt, this.inputsAt, this.controlsAt, page ? allControls(this) : null) : null,
        page ? this.#log(log) : null));
    if (!page) this.host.tabIndex = this.host.getAttribute("tabindex") ?? 0; // so that it can have the keys
    root.append(this.app);
  }

  #bar() {
    this.name = el("h1", {}, this.model);
    this.about = el("p", { class: "about" });
    this.toggle = el("button", { type: "button", onclick: () => (this.session.phase === "ended" ? this.session.start() : this.session.stop()) }, "Stop");
    return el("header", { class: "bar" }, this.name, this.about, el("p", { class: "pill" }, el("span", { class: "dot" }), this.short), this.toggle);
  }

  #log(messages) {
    const { section, statistics, schema } = logOf(messages, (on) => this.app?.classList.toggle("folded", on), this.store);
    this.charts = new Charts(statistics);
    this.schema = schema;
    return section;
  }

  #listen() {
    const { session } = this;
    const hear = (type, action) => session.addEventListener(type, ({ detail }) => action(detail));
    hear("session", (detail) => this.#begun(detail));
    hear("peer", (peer) => this.#connected(peer));
    hear("phase", (detail) => this.#entered(detail));
    hear("role", (detail) => {
      this.#cast();
      this.#announce("role", detail);
    });
    hear("frameTime", (data) => this.photon.frameTime(data, performance.now()));
    hear("about", (running) => this.#about(running));
    hear("claim", (claim) => this.store.holdClaim(claim));
    hear("message", (data) => {
      this.waiting.hear(data);
      this.messages.message(data);
      this.#announce("message", data);
    });
    hear("notice", (data) => this.#noticed(data));
    const on = (target, type, action) => target.addEventListener(type, action, { signal: this.#off.signal });
    on(window, "online", () => session.hurry());
    on(document, "visibilitychange", () => (document.hidden ? this.#save() : session.hurry()));
    listenBeside(this.page ? window : this.host, this, this.#off.signal);
    on(window, "pagehide", () => this.#leave());
    on(window, "pageshow", ({ persisted }) => persisted && this.#start()); // back from the history
  }

  #begun({ descriptor, resumed }) {
    const drawn = this.#describe(descriptor);
    const first = drawn || !this.begun;
    this.begun = true;
    const linked = first && this.page ? valuesIn(location.hash) : null;
    if (linked) history.replaceState(null, "", location.pathname + location.search);
    if (first) this.cards.restore({ ...this.store.load("values", this.model), ...linked }, { live: resumed || linked !== null });
    if (linked) this.cards.owe(Object.keys(linked));
    else if (!resumed) this.cards.renew();
  }

  /** What the model is called and takes, also while somebody else plays. True when its controls were drawn anew. */
  #describe({ model = {}, capabilities = {} }) {
    this.model = model.name ?? "Reactor";
    if (this.page) {
      this.name.textContent = document.title = model.title ?? this.model;
      this.about.textContent = this.about.title = model.description ?? "";
    }
    if (this.schema) this.schema.textContent = JSON.stringify(capabilities, null, 2);
    const drawn = this.cards.draw(capabilities.commands ?? []);
    if (drawn) this.play.attach();
    return drawn;
  }

  /** The server's word on the session: who plays, and what is wrong with the pictures. */
  async #about(running) {
    for (const [track, text] of Object.entries(running.notices ?? {})) {
      if (this.noticed === text) continue;
      this.noticed = text;
      this.messages.error(track, text);
    }
    if (this.shown === "live" && this.stage.stillFor(STILL_MS)) this.freezes.still(this.stage.lastFrame, running);
    if (this.session.phase !== "busy") return;
    if (this.#describe(running)) this.cards.restore(this.store.load("values", this.model), { live: false });
    const { claim } = this.store;
    this.other = claim && !claim.left && (await this.elsewhere.ask()) ? claim : null;
    if (this.session.phase !== "busy") return;
    const words = wordsFor(this.session);
    const watch = el("button", { type: "button", onclick: () => this.session.watch() }, "Watch");
    if (this.other) {
      this.#say({ ...words, title: "You play in another tab", sentence: "Take over here? The other tab stops; the model goes on.", button: "Take over here", dim: true, extra: [watch] });
    } else this.#say({ ...words, sentence: busyWords(running), dim: true });
  }

  #pressed() {
    const { session, room, shown } = this;
    if (shown === "waiting") return this.inputs.missing?.use();
    if (shown === "queued") return session.stop();
    if (shown === "turn") return room.takeTurn();
    if (shown !== "busy") return session.start();
    if (!this.other) return session.watch();
    session.adopt(this.other);
    return session.start();
  }

  #say(words) {
    this.stage.say({ progress: null, ...words });
  }

  #connected(peer) {
    this.photon.clear();
    this.#counters = this.way = null;
    this.stage.attach(peer.outputs);
    this.inputs.attach(peer.inputs);
    this.#cast();
    this.cards.resend();
  }

  /** A picture is what "live" means: before the first one the page waits, whatever is connected. */
  #entered(detail) {
    const { session, page } = this;
    const phase = this.#shown(detail.phase);
    if (phase === "waiting") this.waiting.begin();
    else this.waiting.end();
    if (phase === "waiting" && this.shown !== "live") this.host.dataset.phase = this.app.dataset.phase = this.shown = phase;
    if (phase === "waiting") return this.#cast();
    const foreign = this.api.base && new URL(this.api.base, location.href).origin !== location.origin ? location.origin : null;
    const words = wordsFor({ ...detail, phase }, foreign);
    if (phase !== "live") this.play.releaseAll();
    this.host.dataset.phase = this.app.dataset.phase = this.shown = phase;
    const aloud = `${words.title || words.short}. ${words.sentence}`;
    if (this.status.textContent !== aloud) this.status.textContent = aloud; // a bar that moves says nothing new
    if (page) this.toggle.textContent = phase === "ended" ? "Start" : "Stop";
    this.stage.say({
      ...words,
      waiting: WAITING.has(phase),
      dim: phase !== "live",
      progress: typeof detail.progress === "number" ? detail.progress : null,
      extra: phase === "locked" ? [tokenField((text) => this.#useToken(text))] : [],
    });
    this.#cast();
    if (LOUD.has(phase)) this.messages.error(words.short, words.sentence);
    else if (phase === "ended") this.messages.note(words.sentence);
    if (phase === "ended" && detail.reason === "error") this.#explain(words);
    if (phase === "ended") this.audit?.look();
    // Nobody receives it any more. After an error the page plays on by itself, and then with the camera.
    if (phase === "ended" && detail.reason !== "error") this.inputs.close();
    this.#announce("phase", { phase, reason: detail.reason, title: words.title, sentence: words.sentence });
    return undefined;
  }

  #shown = (phase) => (phase === "live" && !this.stage.pictured ? "waiting" : phase);

  /** On this machine the exception and the author's own line; elsewhere where they are. */
  async #explain(words) {
    const { text, cause } = await explained(this.api, words.sentence);
    if (this.shown !== "ended" || text === words.sentence) return;
    const told = cause ? { sentence: cause.error, cause: cause.line } : { sentence: text };
    this.#say({ ...words, ...told, dim: true });
    this.messages.error(cause?.hook ?? "error", text);
  }

  /** Resolves with the model's reply. What has no file leaves at once, in order, also from a page that goes away. */
  send(name, args) {
    const sent = holdsFile(args) ? this.#sendWithFiles(name, args) : this.session.commands.send(name, args);
    return sent.then((reply) => (this.#announce("reply", { command: name, ...reply }), reply)).catch(async (error) => {
      if (error.code === "internal_error") error.message = (await explained(this.api, error.message)).text;
      throw error;
    });
  }

  async #sendWithFiles(name, args) {
    const { session_id: id, number, started_at: at } = this.session.descriptor ?? {};
    return this.session.commands.send(name, await this.uploads.named(args, id, [id, number, at].join("/")));
  }

  /** Who looks on has no controls, and a button to get them. */
  #cast() {
    const { phase, role } = this.session;
    const watching = role === "viewer" && PLAYABLE.has(phase);
    this.roleAt.hidden = !watching;
    this.takeControl.hidden = this.session.viewOnly ?? false; // its token is for watching
    this.cards.enabled = PLAYABLE.has(phase) && !watching;
    if (watching) this.play.releaseAll();
    this.short.textContent = watching && phase === "live" ? "Watching" : wordsFor({ ...this.session, phase: this.#shown(phase) }).short;
  }

  #useToken(text) {
    if (this.page) return openWith(text);
    this.api.token = tokenIn(text);
    return this.session.start();
  }

  #heard(name, error, reply) {
    if (error) return this.messages.error(name, error.message);
    this.#measured.reply = reply.ms;
    if (reply.result !== null) this.messages.add("model", name, `→ ${JSON.stringify(reply.result)}`);
    return undefined;
  }

  #noticed(data) {
    if (data.type === "sessionEnded") this.stage.keep();
    if (data.type === "commandError") this.messages.error(data.data?.command ?? "command", data.data?.message ?? "");
    else if (data.type === "modelError") explained(this.api, data.data?.message).then(({ text }) => this.messages.error(data.data?.hook ?? "model", text));
    else if (data.message) this.messages.note(data.message);
  }

  /** Once a second: is the picture alive, and what do the counters say? */
  async #look() {
    const { session, stage } = this;
    if (session.phase !== "live") return this.#tellFacts(null);
    const left = this.room?.secondsLeft() ?? null;
    if (left !== null) this.short.textContent = `${left} s left`;
    if (stage.stillFor(STILL_MS)) session.suspect();
    else {
      stage.keep();
      this.freezes.moves();
    }
    const report = await session.peer?.stats().catch(() => null);
    if (!report || session.phase !== "live") return undefined;
    this.#tellWay(session.peer.way(report));
    const before = this.#counters;
    if (!before) this.audit?.look(); // at what the session before has left
    this.#counters = countersOf(report, performance.now());
    this.waiting.tick(this.#counters);
    return this.#tellFacts(before ? ratesBetween(before, this.#counters) : {});
  }

  /** Once for each way; the direct one needs no words. */
  #tellWay(way) {
    if (!way || way.sentence === this.way?.sentence) return;
    if (this.way || way.name !== "UDP") this.messages.note(`The video comes over ${way.sentence}.`);
    this.way = way;
  }

  #tellFacts(rates) {
    const { photon, reply } = this.#measured;
    this.charts?.add({ ...rates, photon, reply });
    this.#measured = { photon: null, reply: null };
    const known = factsIn(rates, this.stage.main ?? {}, this.way);
    if (photon !== null) this.lately = `${Math.round(photon)} ms to the picture`;
    else if (reply !== null && !this.lately?.includes("picture")) this.lately = `reply ${Math.max(1, Math.round(reply))} ms`;
    if (known.length && this.lately) known.push(this.lately);
    this.stage.facts.textContent = known.join(" · ");
    if (rates?.codec) this.charts?.say(`${known[0]} in ${rates.codec}${this.way ? ` over ${this.way.sentence}` : ""}. One point each second, one minute wide.`);
  }

  #announce = (type, detail) => this.page || this.host.dispatchEvent(new CustomEvent(type, { detail }));

  #save = () => this.store.save("values", this.model, this.cards.values());

  #leave() {
    this.play.releaseAll();
    this.#save();
    const claim = this.session.leave();
    if (claim) this.store.holdClaim(claim, true);
  }

  /** The player was taken out of its page. */
  close() {
    this.#leave();
    this.inputs.close();
    this.#off.abort();
    clearInterval(this.#timer);
    this.app.remove();
    delete this.host.dataset.phase;
  }
}
