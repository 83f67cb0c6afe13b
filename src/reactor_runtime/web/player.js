// What another site loads to embed a model: `<script type="module" src="http://host:8080/player.js"></script>`, then
// `<reactor-player controls commands></reactor-player>`. Served at `/`, which is why its import begins with `web/`.

import { View } from "./web/view.js";

const HERE = new URL(".", import.meta.url);

/**
 * Attributes: `src` (the server, by default where this file came from), `token`, `controls` (`none`, `minimal`: the
 * buttons below the picture, `all`: the generated controls too; without a value `minimal`), `commands` (the generated
 * controls), `poster` (a picture before the first one), `label` (the player's name for screen readers). A child stands
 * over the picture. Events: `phase`, `message`, `role`, `reply`. `send(command, arguments)` resolves with
 * `{result, frame, ms}`. Types: `player.d.ts`.
 */
class ReactorPlayer extends HTMLElement {
  static observedAttributes = ["src", "token", "controls", "commands", "poster", "label"];
  #view = null;
  #due = false;

  connectedCallback() {
    if (!this.shadowRoot) {
      const link = document.createElement("link");
      Object.assign(link, { rel: "stylesheet", crossOrigin: "anonymous", href: new URL("web/style.css", HERE) });
      this.attachShadow({ mode: "open" }).append(link);
    }
    this.#open();
  }

  disconnectedCallback() {
    this.#view?.close();
    this.#view = null;
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

  #open() {
    this.#view = new View({
      root: this.shadowRoot,
      host: this,
      base: new URL(this.getAttribute("src") || ".", this.hasAttribute("src") ? document.baseURI : HERE).href,
      token: this.getAttribute("token"),
      controls: this.hasAttribute("controls") && this.getAttribute("controls") !== "none",
      commands: this.hasAttribute("commands") || this.getAttribute("controls") === "all",
    });
    const { stage, stageAt } = this.#view;
    const label = this.getAttribute("label") ?? this.getAttribute("aria-label");
    if (label) stageAt.setAttribute("aria-label", label);
    const poster = this.getAttribute("poster");
    stage.poster(poster ? new URL(poster, document.baseURI).href : null);
    stage.screen.append(document.createElement("slot"));
  }

  /** Whether it is this one whose commands count. */
  get steers() {
    return this.#view?.session.phase === "live" && this.#view.session.role === "controller";
  }

  start() {
    this.#view?.session.start();
  }

  stop() {
    return this.#view?.session.stop();
  }

  takeControl() {
    this.#view?.session.takeControl();
  }

  get phase() {
    return this.dataset.phase;
  }

  send(command, values = {}) {
    if (!this.#view) return Promise.reject(new Error("The player is not in a page."));
    return this.#view.send(command, values);
  }
}

if (!customElements.get("reactor-player")) customElements.define("reactor-player", ReactorPlayer);
