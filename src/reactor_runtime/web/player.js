// What another site loads to embed a model: `<script type="module" src="http://host:8080/player.js"></script>`, then
// `<reactor-player controls commands></reactor-player>`. Served at `/`, which is why its import begins with `web/`.

import { View } from "./web/view.js";

const HERE = new URL(".", import.meta.url);

/**
 * Attributes: `src` (the server, by default where this file came from), `token`, `controls` (buttons below the
 * picture), `commands` (the generated controls). Events: `phase`, `message`. `send(command, arguments)` resolves with
 * `{result, frame, ms}`.
 */
class ReactorPlayer extends HTMLElement {
  static observedAttributes = ["src", "token", "controls", "commands"];
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
      controls: this.hasAttribute("controls"),
      commands: this.hasAttribute("commands"),
    });
  }

  get phase() {
    return this.dataset.phase;
  }

  send(command, values = {}) {
    return this.#view.send(command, values);
  }
}

customElements.define("reactor-player", ReactorPlayer);
