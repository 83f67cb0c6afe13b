// The list of what the model said and what went wrong. Bounded; bursts of one type share a line.

import { el } from "./dom.js";

const LINES_MAX = 200;
const TEXT_MAX = 2_000;
const BURST_MS = 1_500;

export class Messages {
  #list = el("ol", { class: "lines" });
  #log = el("div", { class: "scroll", tabindex: "0", role: "log", "aria-live": "off", "aria-label": "Messages" }, this.#list);
  #empty = el("p", { class: "help" }, "What the model sends appears here.");
  #last = null;

  constructor(root) {
    const clear = el("button", { type: "button", class: "plain", onclick: () => this.clear() }, "Clear");
    root.append(this.#log, el("div", { class: "title" }, this.#empty, clear));
  }

  /** What the model sent: `{type, ...}` is shown as a type with its fields, anything else as JSON. */
  message(data) {
    const typed = data !== null && typeof data === "object" && typeof data.type === "string";
    const { type, ...rest } = typed ? data : { type: "message" };
    const body = typed ? (Object.keys(rest).length === 1 && "data" in rest ? rest.data : rest) : data;
    this.add("model", type, isEmpty(body) ? "" : brief(body));
  }

  error(label, text) {
    this.add("error", label, text);
  }

  note(text) {
    this.add("note", "", text);
  }

  add(kind, label, text) {
    const now = performance.now();
    const pinned = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 24;
    const last = this.#last;
    if (last && last.kind === kind && last.label === label && now - last.at < BURST_MS) {
      last.at = now;
      last.count.textContent = `×${++last.times}`;
      last.text.textContent = text;
    } else this.#append({ kind, label, text, now });
    if (pinned) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #append({ kind, label, text, now }) {
    const time = el("time", {}, new Date().toLocaleTimeString([], { hour12: false }));
    const count = el("span", { class: "count" });
    const body = el("span", { class: "text" }, text);
    this.#list.append(el("li", { class: kind }, time, label ? el("b", {}, label) : null, body, count));
    while (this.#list.children.length > LINES_MAX) this.#list.firstChild.remove();
    this.#last = { kind, label, at: now, times: 1, count, text: body };
    this.#empty.hidden = true;
  }

  clear() {
    this.#list.replaceChildren();
    this.#last = null;
    this.#empty.hidden = false;
  }
}

const isEmpty = (body) => body !== null && typeof body === "object" && Object.keys(body).length === 0;

function brief(body) {
  const text = typeof body === "string" ? body : flat(body);
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

/** One level of an object reads better without JSON's braces. */
function flat(body) {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return JSON.stringify(body);
  return Object.entries(body).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(" · ");
}
