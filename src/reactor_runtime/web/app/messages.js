// @ts-check
// The list of what the model said and what went wrong. Bounded; bursts of one type share a line.

import { el } from "./dom.js";

const LINES_MAX = 200;
const TEXT_MAX = 2_000;
const BURST_MS = 1_500;

export class Messages {
  #list = el("ol", { class: "lines" });
  #log = el("div", { class: "scroll", tabindex: "0", role: "log", "aria-live": "off", "aria-label": "Messages" }, this.#list);
  #empty = el("p", { class: "help" }, "What the model sends appears here.");
  /** @type {{kind: string, label: string, text: string, at: number, times: number, time: Date} | null} */
  #last = null;
  #undrawn = new Set(); // lines that are new or changed since the last picture
  #clear = el("button", { type: "button", class: "plain", hidden: true, onclick: () => this.clear() }, "Clear");

  constructor(root) {
    root.append(this.#log, el("div", { class: "title" }, this.#empty, this.#clear));
  }

  /** What the model sent: `{type, ...}` is shown as a type with its fields, anything else as JSON. */
  message(data) {
    const typed = data !== null && typeof data === "object" && typeof data.type === "string";
    const { type, ...rest } = typed ? data : { type: "message" };
    const body = typed ? (Object.keys(rest).length === 1 && "data" in rest ? rest.data : rest) : data;
    this.add("model", type, isEmpty(body) ? "" : typeof body === "string" ? body : flat(body));
  }

  error(label, text) {
    this.add("error", label, text);
  }

  note(text) {
    this.add("note", "", text);
  }

  /** Drawn with the next picture: a model that says a thousand things a second costs no more than one that says one. */
  add(kind, label, whole) {
    const text = whole.length > TEXT_MAX ? `${whole.slice(0, TEXT_MAX)}…` : whole;
    const at = performance.now();
    const last = this.#last;
    if (last && last.kind === kind && last.label === label && at - last.at < BURST_MS) {
      Object.assign(last, { at, text, times: last.times + 1 });
    } else this.#last = { kind, label, text, at, times: 1, time: new Date() };
    if (this.#undrawn.size === 0) requestAnimationFrame(() => this.#draw());
    this.#undrawn.add(this.#last);
    if (this.#undrawn.size > LINES_MAX) this.#undrawn.delete(this.#undrawn.values().next().value);
  }

  #draw() {
    const pinned = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 24;
    for (const line of this.#undrawn) {
      line.row ??= this.#append(line);
      line.row.text.textContent = line.text;
      line.row.count.textContent = line.times > 1 ? `×${line.times}` : "";
    }
    this.#undrawn.clear();
    while (this.#list.children.length > LINES_MAX) this.#list.firstChild.remove();
    this.#empty.hidden = this.#list.children.length > 0;
    this.#clear.hidden = !this.#empty.hidden;
    if (pinned) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #append({ kind, label, time }) {
    const count = el("span", { class: "count" });
    const text = el("span", { class: "text" });
    const when = el("time", {}, time.toLocaleTimeString([], { hour12: false }));
    this.#list.append(el("li", { class: kind }, when, label ? el("b", {}, label) : null, text, count));
    return { text, count };
  }

  clear() {
    this.#list.replaceChildren();
    this.#last = null;
    this.#undrawn.clear();
    this.#draw();
  }
}

const isEmpty = (body) => body !== null && typeof body === "object" && Object.keys(body).length === 0;

/** One level of an object reads better without JSON's braces. */
function flat(body) {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return JSON.stringify(body);
  return Object.entries(body).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(" · ");
}
