// @ts-check
// `<reactor-player src="http://host:8080" controls="all"></reactor-player>`. Served at `/`, which is why its imports begin
// with `web/`.

const HERE = new URL(".", import.meta.url);
const ALL = "all";
const NONE = "none";

/**
 * Attributes: `src` (the server, by default where this file came from), `token`, `controls` (`none`, also without it:
 * what is loaded then shows pictures and no more; `minimal`, also without a value: the buttons below the picture; `all`:
 * the generated controls too), `commands` (the generated controls), `poster` (a picture before the first one), `label`
 * (the player's name for screen readers, else `aria-label`). The child stands over the picture, one with `slot="below"`
 * below it. Events: `phase`, `message`, `role`, `reply`. `send(command, arguments)` resolves with
 * `{result, frame, superseded, ms}`. Types: `player.d.ts`.
 */
class ReactorPlayer extends HTMLElement {
  static observedAttributes = ["src", "token", "controls", "commands", "poster", "label", "aria-label"];
  #view = null; // a promise while there is one: what it needs is loaded
  #now = null; // what that promise gave
  #due = false;

  connectedCallback() {
    if (!this.shadowRoot) this.attachShadow({ mode: "open" });
    this.#open();
  }

  disconnectedCallback() {
    this.#now?.close();
    this.#view = this.#now = null;
  }

  attributeChangedCallback() {
    if (this.#due || !this.#view) return;
    this.#due = true; // several may change at once
    queueMicrotask(() => {
      this.#due = false;
      if (!this.#view) return;
      this.disconnectedCallback();
      this.#open();
    });
  }

  #style(name) {
    if (this.shadowRoot.querySelector(`[href$="${name}"]`)) return;
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", crossOrigin: "anonymous", href: new URL(`web/${name}`, HERE) });
    this.shadowRoot.append(link);
  }

  #open() {
    this.#style("stage.css");
    const wish = this.getAttribute("controls");
    const commands = this.hasAttribute("commands") || wish === ALL;
    const controls = wish !== null && wish !== NONE;
    const opening = controls || commands ? this.#whole(controls, commands) : this.#light();
    this.#view = opening.then(([Made, more]) => {
      if (this.#view === mine) this.#now = this.#begun(new Made({ ...this.#given(), ...more }));
      return this.#now;
    });
    const mine = this.#view;
    mine.catch(() => this.dispatchEvent(new Event("error"))); // its modules did not come
  }

  async #light() {
    return [(await import("./web/app/viewer.js")).Viewer, {}];
  }

  async #whole(controls, commands) {
    this.#style("style.css");
    return [(await import("./web/app/view.js")).View, { controls, commands }];
  }

  #given() {
    return {
      host: this,
      base: new URL(this.getAttribute("src") || ".", this.hasAttribute("src") ? document.baseURI : HERE).href,
      token: this.getAttribute("token"),
      label: this.getAttribute("label") ?? this.getAttribute("aria-label") ?? "Video",
    };
  }

  #begun(view) {
    view.open(this.shadowRoot);
    const poster = this.getAttribute("poster");
    view.stage.poster(poster ? new URL(poster, document.baseURI).href : null);
    view.stage.screen.append(document.createElement("slot"));
    view.stageAt.append(Object.assign(document.createElement("slot"), { name: "below" }));
    return view;
  }

  /** Whether it is this one whose commands count. */
  get steers() {
    return this.#now?.session.phase === "live" && this.#now.session.role === "controller";
  }

  start() {
    this.#now?.session.start();
  }

  stop() {
    return this.#now?.session.stop();
  }

  takeControl() {
    this.#now?.session.takeControl();
  }

  get phase() {
    return this.dataset.phase;
  }

  async send(command, values = {}) {
    const view = await this.#view;
    if (!view) throw new Error("The player is not in a page.");
    return view.send(command, values);
  }
}

if (!customElements.get("reactor-player")) customElements.define("reactor-player", ReactorPlayer);
