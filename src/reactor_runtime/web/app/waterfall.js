// @ts-check
// Where the milliseconds go, from the key to the picture: the last command part by part, those of the last two minutes
// side by side, and all of it as a file.

import { el } from "./dom.js";

/** @type {[string, string][]} */
const PARTS = [["handler", "to the model and its handler"], ["step", "wait for the model's step"], ["queue", "queue before the encoder"], ["encode", "encoder"], ["frame", "the model's step and the encoder"], ["network", "network"], ["decode", "decoder"], ["show", "until it is shown"]];
const COLUMNS = 60;

const words = ([name, text], parts) => `${text}: ${parts[name].toFixed(parts[name] < 10 ? 1 : 0)} ms`;
const piece = (name, ms) => {
  const part = el("span", { class: `part ${name}` });
  part.style.flexGrow = String(Math.max(0.001, ms));
  return part;
};

export class Waterfall {
  #drawn = null; // the command that is shown

  constructor(root, measured) {
    this.measured = measured;
    this.bar = el("div", { class: "fall", role: "img", "aria-label": "Nothing was sent yet" });
    this.list = el("ol", { class: "falls" });
    this.past = el("div", { class: "past", role: "img", "aria-label": "No command before" });
    const save = el("button", { type: "button", class: "plain", onclick: () => this.export() }, "Export as JSON");
    root.append(
      el("div", { class: "title" }, el("p", { class: "help" }, "The last command, from its sending to its picture"), save),
      this.bar, this.list,
      el("p", { class: "help" }, "The commands before it, the newest on the right"), this.past);
  }

  draw() {
    const { commands } = this.measured;
    const last = commands.at(-1);
    if (!last || last === this.#drawn) return;
    this.#drawn = last;
    const known = PARTS.filter(([name]) => name in last.parts);
    this.bar.setAttribute("aria-label", `${Math.round(last.ms)} ms in all; ${known.map((each) => words(each, last.parts)).join("; ")}`);
    this.bar.replaceChildren(...known.map(([name]) => piece(name, last.parts[name])));
    this.list.replaceChildren(...known.map((each) => el("li", { class: each[0] }, words(each, last.parts))));
    this.#drawPast(commands.slice(-COLUMNS));
  }

  /** A column for each command, as high as it took. */
  #drawPast(commands) {
    const top = Math.max(...commands.map(({ ms }) => ms), 1);
    const sorted = commands.map(({ ms }) => ms).sort((a, b) => a - b);
    this.past.setAttribute("aria-label", `${commands.length} commands: half of them took up to ${Math.round(sorted[sorted.length >> 1])} ms, the longest ${Math.round(top)} ms`);
    this.past.replaceChildren(...commands.map(({ ms, parts }) => {
      const column = el("span", { class: "column", title: `${Math.round(ms)} ms` }, ...PARTS.filter(([name]) => name in parts).map(([name]) => piece(name, parts[name])));
      column.style.height = `${(100 * ms) / top}%`;
      return column;
    }));
  }

  export() {
    const url = URL.createObjectURL(new Blob([JSON.stringify(this.measured, null, 1)], { type: "application/json" }));
    el("a", { href: url, download: "statistics.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}
