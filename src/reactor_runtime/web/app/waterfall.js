// Where the milliseconds go: the last command, from the key to the picture, part by part; and all of it as a file.

import { el } from "./dom.js";

const PARTS = [["handler", "to the model and its handler"], ["frame", "the model's step and the encoder"], ["network", "network"], ["decode", "decoder"], ["show", "until it is shown"]];
const KEPT = 120;

export class Waterfall {
  #kept = [];
  #seconds = [];

  constructor(root) {
    this.bar = el("div", { class: "fall", role: "img", "aria-label": "Nothing was sent yet" });
    this.list = el("ol", { class: "falls" });
    const save = el("button", { type: "button", class: "plain", onclick: () => this.export() }, "Export as JSON");
    root.append(el("div", { class: "title" }, el("p", { class: "help" }, "The last command, from its sending to its picture"), save), this.bar, this.list);
  }

  add(ms, parts) {
    this.#kept.push({ at: new Date().toISOString(), ms, parts });
    if (this.#kept.length > KEPT) this.#kept.shift();
    const known = PARTS.filter(([name]) => name in parts);
    const text = ([name, words]) => `${words}: ${parts[name].toFixed(parts[name] < 10 ? 1 : 0)} ms`;
    this.bar.setAttribute("aria-label", `${Math.round(ms)} ms in all; ${known.map(text).join("; ")}`);
    this.bar.replaceChildren(...known.map(([name]) => {
      const part = el("span", { class: `part ${name}` });
      part.style.flexGrow = Math.max(0.001, parts[name]);
      return part;
    }));
    this.list.replaceChildren(...known.map((each) => el("li", { class: each[0] }, text(each))));
  }

  /** What was measured in a second. */
  second(values) {
    this.#seconds.push({ at: new Date().toISOString(), ...values });
    if (this.#seconds.length > KEPT) this.#seconds.shift();
  }

  export() {
    const url = URL.createObjectURL(new Blob([JSON.stringify({ commands: this.#kept, seconds: this.#seconds }, null, 1)], { type: "application/json" }));
    el("a", { href: url, download: "statistics.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}
