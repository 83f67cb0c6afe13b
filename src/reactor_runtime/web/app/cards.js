// @ts-check
// A card for each command: its fields, when it sends, and what became of it.

import { placed, problems, Unreadable } from "../core/checks.js";
import { Newest } from "../core/newest.js";
import { find, makeControl } from "./controls.js";
import { pairOf } from "../core/directions.js";
import { el, freshId } from "./dom.js";
import { humanize } from "../core/names.js";
import { sectioned } from "./extras.js";
import { withHistory } from "./history.js";
import { Pad } from "./pads.js";
import { initial, readCommand, withoutSecrets } from "../core/schema.js";

const MANY = 8; // fields that are worth a row of their own

/**
 * Draws all commands into `root`. `send(name, args)` returns the reply; `heard(name, error, reply)` hears of each;
 * `prefs` (`get(name)`, `set(name, value)`) keeps what people choose.
 */
export class Cards {
  #send;
  #heard;
  #prefs;
  #frame = el("fieldset", { class: "cards" });
  #dock; // below the picture: the prompt
  #drawn = "";
  #cards = new Map();

  constructor(root, { send, heard, prefs, dock }) {
    this.#send = send;
    this.#heard = heard;
    this.#prefs = prefs;
    this.commands = [];
    this.#dock = el("fieldset", { class: "cards", disabled: true });
    dock.append(this.#dock);
    root.append(this.#frame);
  }

  /** True when the commands differ from those on the page, which are then drawn anew. */
  draw(declared) {
    const text = JSON.stringify(declared);
    if (text === this.#drawn) return false;
    this.#drawn = text;
    this.commands = declared.map(readCommand);
    const actions = this.commands.filter((command) => command.fields.length === 0);
    const others = this.commands.filter((command) => command.fields.length > 0);
    const cards = [
      ...(actions.length ? [new Actions(actions, this.#send, this.#heard)] : []),
      ...others.map((command) => new Card(command, this.#send, this.#heard, this.#prefs)),
    ];
    this.#cards = new Map(cards.flatMap((card) => card.names.map((name) => [name, card])));
    const none = cards.length ? [] : [el("p", { class: "help" }, "This model declares no commands.")];
    const prompt = cards.find((card) => card instanceof Card && card.isPrompt);
    prompt?.element.classList.add("docked");
    this.#dock.replaceChildren(...(prompt ? [prompt.element] : []));
    this.#dock.parentElement.hidden = !prompt;
    this.#frame.replaceChildren(...cards.filter((card) => card !== prompt).map((card) => card.element), ...none);
    return true;
  }

  get all() {
    return [...new Set(this.#cards.values())];
  }

  /** The pads of commands whose numbers are one movement, in the order of the commands. */
  get pads() {
    return this.all.flatMap((card) => card.pad ?? []);
  }

  set enabled(on) {
    this.#frame.disabled = this.#dock.disabled = !on;
  }

  get enabled() {
    return !this.#frame.disabled;
  }

  /** What a key or a stick does goes through the controls, so that they always show what was sent. */
  get(name, field) {
    return this.#cards.get(name)?.get(field);
  }

  put(name, values, how = "now") {
    this.#cards.get(name)?.put(values, how);
  }

  fire(name) {
    this.#cards.get(name)?.fire(name);
  }

  /** What all controls hold, to be put back after a reload. */
  values() {
    return Object.fromEntries(this.all.flatMap((card) => (card.read ? [[card.command.name, card.read()]] : [])));
  }

  restore(values, { live }) {
    for (const card of this.all) if (card.write && (live || !card.live)) card.write(values?.[card.command.name] ?? {});
  }

  /** All controls at their defaults; live ones are sent. */
  reset() {
    for (const card of this.all) card.reset?.();
  }

  /** What a link brought goes out with the next connection. */
  owe(names) {
    for (const name of names) this.#cards.get(name)?.owe?.();
  }

  /** A picture was pasted: the first place for files takes it. */
  paste(files) {
    const zone = this.#frame.disabled ? null : [...this.#frame.querySelectorAll(".drop")].find((each) => each.checkVisibility());
    zone?.take(files);
    return Boolean(zone);
  }

  /** The wire is back: what was moved meanwhile goes out now. */
  resend() {
    for (const card of this.all) card.resend?.();
  }

  /** A new session begins: live controls show the model's defaults again, drafts stay. */
  renew() {
    for (const card of this.all) card.renew?.();
  }
}

class Card {
  #touched = new Set();
  #newest;
  #unsent = false;
  #fresh = false; // Enter in a live card ends an entry and submits the form, and must not send twice

  constructor(command, send, heard, prefs) {
    this.command = command;
    this.names = [command.name];
    this.live = prefs.get(`live:${command.name}`) ?? command.live;
    this.#newest = new Newest((args) => send(command.name, args), (error, reply) => {
      this.#unsent = error?.code === "not_connected";
      if (error) this.#refused(error);
      else this.#said(markOf(reply));
      heard(command.name, error, reply);
    });
    this.#build(prefs);
    this.#check();
  }

  #build(prefs) {
    const { command } = this;
    const single = command.fields.length === 1;
    const id = freshId("card");
    this.controls = command.fields.map((field) => {
      const on = { edit: () => this.#edited(field), commit: () => this.#committed() };
      return makeControl(field, on, { quiet: single && field.kind !== "toggle" && titleOf(command) === humanize(field.name) });
    });
    this.isPrompt = single && isPrompt(command.fields[0]);
    if (this.isPrompt) {
      const entry = this.controls[0].element.querySelector("textarea");
      const key = `history:${command.name}`;
      const kept = { get: () => prefs.get(key), set: (list) => prefs.set(key, list) };
      this.history = withHistory(entry, kept, (text) => (this.controls[0].write(text), this.#edited(command.fields[0])));
    }
    const pair = pairOf(command);
    this.pad = pair ? new Pad(pair, { get: (name) => this.get(name), move: (values) => this.#drag(values) }, prefs) : null;
    this.mark = el("span", { class: "mark" });
    this.error = el("p", { class: "error", role: "alert", hidden: true });
    this.button = el("button", { type: "submit" }, "Send");
    this.hint = el("span", { class: "hint" });
    const box = el("input", {
      type: "checkbox",
      checked: this.live,
      onchange: () => (this.#setLive(box.checked), prefs.set(`live:${command.name}`, box.checked)),
    });
    this.tools = el("span", { class: "tools" });
    this.foot = el("div", { class: "foot" }, this.button, this.hint);
    this.element = el("form", { class: command.fields.length > MANY ? "card many" : "card", novalidate: true, "aria-labelledby": id, "data-command": command.name },
      el("div", { class: "title" },
        el("h2", { id, title: command.name }, titleOf(command)),
        this.mark,
        this.tools,
        el("label", { class: "livebox", title: "Send while changing" }, box, "live")),
      command.description ? el("p", { class: "help" }, command.description) : null,
      this.pad?.element,
      ...sectioned(command.fields, this.controls.map((control) => control.element)),
      this.error,
      this.foot);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#fresh) this.#submit("now");
    });
    this.#setLive(this.live);
  }

  #control(name) {
    return this.controls[this.command.fields.findIndex((field) => field.name === name)];
  }

  get(name) {
    const value = this.#control(name)?.read();
    return value instanceof Unreadable ? undefined : value;
  }

  /** A key was pressed or let go; one that is held moves on, and then the newest is enough. */
  put(values, how) {
    this.#write(values);
    this.#submit(how);
  }

  fire() {
    this.#submit("now");
  }

  #drag(values) {
    this.put(values, "newest");
  }

  #write(values) {
    for (const [name, value] of Object.entries(values)) this.#control(name).write(value);
    this.#clear();
    this.pad?.follow();
  }

  /** Shows the keys of options: `keysOf(field, option)` gives a text or "". */
  showKeys(keysOf) {
    this.controls.forEach((control, index) => control.hint?.((option) => keysOf(this.command.fields[index], option)));
  }

  /** All values that can be kept; what is no value yet, as half-written JSON, is not, and no secret is. */
  read() {
    const fields = Object.fromEntries(this.command.fields.map((field) => [field.name, field]));
    const kept = this.#entries().filter(([, value]) => isWhole(value)).map(([path, value]) => [path, withoutSecrets(fields[path], value)]);
    return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
  }

  #entries() {
    return this.controls.map((control) => [control.path, control.read()]).filter(([, value]) => value !== undefined);
  }

  write(values) {
    this.controls.forEach((control) => control.path in values && control.write(values[control.path]));
    this.#touched.clear();
    this.#check();
    this.pad?.follow();
  }

  reset() {
    this.write(Object.fromEntries(this.command.fields.map((field) => [field.name, initial(field)])));
    this.#clear();
    if (this.live) this.#submit("newest");
  }

  owe() {
    this.#unsent = this.live;
  }

  resend() {
    if (this.#unsent) this.#submit("newest");
  }

  renew() {
    this.#newest.clear();
    this.#unsent = false;
    this.#said("");
    this.#clear();
    if (!this.live) return;
    this.write(Object.fromEntries(this.command.fields.map((field) => [field.name, initial(field)])));
  }

  #setLive(on) {
    this.live = on;
    this.foot.hidden = on;
  }

  #edited(field) {
    this.#touched.add(field.name);
    this.#clear();
    this.#check();
    this.pad?.follow();
  }

  #committed() {
    if (!this.live) return;
    this.#fresh = true;
    setTimeout(() => (this.#fresh = false));
    this.#submit("newest");
  }

  /** Shows what is wrong with the fields that were touched, and holds the button while anything is. */
  #check() {
    const found = this.command.fields.flatMap((field, index) => problems(field, this.controls[index].read()));
    this.#show(found.filter(({ path }) => this.#touched.has(path.split(".")[0])));
    const missing = found.filter(({ message }) => message === "is required").map(({ path }) => humanize(path.split(".").pop()));
    this.button.disabled = found.length > 0;
    this.hint.textContent = missing.length ? `needs ${missing.join(", ").toLowerCase()}` : "";
    return found;
  }

  /** `how` is "now", or "newest": then only the newest of what moves is sent. */
  #submit(how) {
    const found = this.#check();
    if (found.length) return this.#show(found.filter(({ message }) => how === "now" || message !== "is required"));
    this.#clear();
    const values = Object.fromEntries(this.#entries());
    if (how === "newest") return this.#newest.push(values);
    this.#said("…");
    this.history?.push(values[this.command.fields[0].name]);
    return this.#newest.now(values);
  }

  #show(found) {
    for (const { path, message } of found) {
      const control = find(this.controls, path);
      if (control) control.mark(message);
      else this.#fail(message);
    }
  }

  #refused(error) {
    this.#said("");
    const { path, message } = placed(error);
    const control = path ? find(this.controls, path) : null;
    if (control) control.mark(message);
    else this.#fail(error.message);
  }

  #fail(message) {
    this.error.textContent = message;
    this.error.hidden = false;
  }

  #clear() {
    this.error.hidden = true;
    for (const control of this.controls) control.clear();
  }

  #said(text) {
    this.mark.textContent = text;
  }
}

/** Commands without parameters share one card: a button each. */
class Actions {
  constructor(commands, send, heard) {
    this.names = commands.map(({ name }) => name);
    this.send = send;
    this.heard = heard;
    this.error = el("p", { class: "error", role: "alert", hidden: true });
    this.tools = el("span", { class: "tools" });
    this.mark = el("span", { class: "mark" });
    this.keys = new Map();
    const button = ({ name, description }) => {
      const key = el("kbd", { "aria-hidden": "true", hidden: true });
      this.keys.set(name, key);
      return el("button", { type: "button", title: description || name, "data-command": name, onclick: () => this.fire(name) }, humanize(name), key);
    };
    this.element = el("div", { class: "card actions" },
      el("div", { class: "title" }, el("h2", {}, "Actions"), this.mark, this.tools),
      el("div", { class: "row" }, ...commands.map(button)),
      this.error);
  }

  showKeys(keysOf) {
    for (const [name, key] of this.keys) {
      key.textContent = keysOf(null, name);
      key.hidden = !key.textContent;
    }
  }

  async fire(name) {
    this.error.hidden = true;
    try {
      const reply = await this.send(name, {});
      this.mark.textContent = reply.superseded ? markOf(reply) : "";
      this.heard(name, null, reply);
    } catch (refusal) {
      this.error.textContent = refusal.message;
      this.error.hidden = false;
      this.heard(name, refusal, null);
    }
  }
}

/** What became of a command: a newer call may have taken its place before it ran. */
const markOf = ({ ms, superseded }) => (superseded ? "↷ a newer one ran" : `✓ ${Math.max(1, Math.round(ms))} ms`);

const isWhole = (value) => !(value instanceof Unreadable || value instanceof File)
  && (typeof value !== "object" || value === null || Object.values(value).every(isWhole));

const isPrompt = ({ kind, multiline, widget, name }) => kind === "text" && (widget === "prompt" || (multiline && /prompt/i.test(name)));

/** `set_speed(speed)` is "Speed": the field says it all. */
function titleOf({ name, fields }) {
  const bare = name.replace(/^set[_-]?(?=.)/i, "");
  return humanize(fields.length === 1 && bare.toLowerCase() === fields[0].name.toLowerCase() ? bare : name);
}
