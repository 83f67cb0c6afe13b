// One card for each command: its fields, when it sends, and what became of it.

import { Newest } from "./commands.js";
import { find, makeControl } from "./controls.js";
import { el, freshId, humanize } from "./dom.js";
import { initial, problems, readCommand } from "./schema.js";

/** Draws all commands into `root`. `send(name, args)` returns the reply; `failed(name, error)` hears of refusals. */
export class Cards {
  #send;
  #heard;
  #frame = el("fieldset", { class: "cards" });
  #drawn = "";
  cards = [];

  constructor(root, { send, heard }) {
    this.#send = send;
    this.#heard = heard;
    root.append(this.#frame);
  }

  /** True when the commands differ from those on the page, which are then drawn anew. */
  draw(commands) {
    const text = JSON.stringify(commands);
    if (text === this.#drawn) return false;
    this.#drawn = text;
    const read = commands.map(readCommand);
    const actions = read.filter((command) => command.fields.length === 0);
    const others = read.filter((command) => command.fields.length > 0);
    this.cards = others.map((command) => new Card(command, this.#send, this.#heard));
    const first = actions.length ? [actionCard(actions, this.#send, this.#heard)] : [];
    const none = read.length ? [] : [el("p", { class: "help" }, "This model declares no commands.")];
    this.#frame.replaceChildren(...first, ...this.cards.map((card) => card.element), ...none);
    return true;
  }

  set enabled(on) {
    this.#frame.disabled = !on;
  }

  /** What all controls hold, to be put back after a reload. */
  values() {
    return Object.fromEntries(this.cards.map((card) => [card.command.name, card.read()]));
  }

  restore(values, { live }) {
    for (const card of this.cards) if (live || !card.live) card.write(values?.[card.command.name] ?? {});
  }

  /** The wire is back: what was moved meanwhile goes out now. */
  resend() {
    for (const card of this.cards) card.resend();
  }

  /** A new session begins: live controls show the model's defaults again, drafts stay. */
  renew() {
    for (const card of this.cards) card.renew();
  }
}

class Card {
  #touched = new Set();
  #newest;
  #unsent = false;
  #fresh = false; // Enter in a live card ends an entry and submits the form, and must not send twice

  constructor(command, send, heard) {
    this.command = command;
    this.live = command.live;
    this.#newest = new Newest((args) => send(command.name, args), (error, reply) => {
      this.#unsent = error?.code === "not_connected";
      if (error) this.#refused(error);
      else this.#said(`✓ ${Math.max(1, Math.round(reply.ms))} ms`);
      heard(command.name, error, reply);
    });
    this.#build(send, heard);
    this.#check();
  }

  #build(send, heard) {
    const { command } = this;
    const single = command.fields.length === 1;
    const id = freshId("card");
    this.controls = command.fields.map((field) => {
      const on = { edit: () => this.#edited(field), commit: () => this.#committed() };
      return makeControl(field, on, { quiet: single && field.kind !== "toggle" });
    });
    this.mark = el("span", { class: "mark" });
    this.error = el("p", { class: "error", role: "alert", hidden: true });
    this.button = el("button", { type: "submit" }, "Send");
    this.hint = el("span", { class: "hint" });
    const box = el("input", { type: "checkbox", checked: this.live, onchange: () => this.#setLive(box.checked) });
    this.foot = el("div", { class: "foot" }, this.button, this.hint);
    this.element = el("form", { class: "card", novalidate: true, "aria-labelledby": id, "data-command": command.name },
      el("div", { class: "title" },
        el("h2", { id, title: command.name }, titleOf(command)),
        this.mark,
        el("label", { class: "livebox", title: "Send while changing" }, box, "live")),
      command.description ? el("p", { class: "help" }, command.description) : null,
      ...this.controls.map((control) => control.element),
      this.error,
      this.foot);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#fresh) this.#submit(false);
    });
    this.#setLive(this.live);
    this.sendOnce = async (args) => {
      this.#said("…");
      try {
        const reply = await send(command.name, args);
        this.#said(`✓ ${Math.max(1, Math.round(reply.ms))} ms`);
        heard(command.name, null, reply);
      } catch (error) {
        this.#refused(error);
        heard(command.name, error, null);
      }
    };
  }

  read() {
    const entries = this.controls.map((control) => [control.path, control.read()]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  write(values) {
    this.controls.forEach((control) => control.path in values && control.write(values[control.path]));
    this.#touched.clear();
    this.#check();
  }

  resend() {
    if (this.#unsent && this.live) this.#submit(true);
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
  }

  #committed() {
    if (!this.live) return;
    this.#fresh = true;
    setTimeout(() => (this.#fresh = false));
    this.#submit(true);
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

  #submit(coalesce) {
    const found = this.#check();
    if (found.length) return this.#show(found.filter(({ message }) => !coalesce || message !== "is required"));
    this.#clear();
    return coalesce ? this.#newest.push(this.read()) : this.sendOnce(this.read());
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
    const control = error.field ? find(this.controls, String(error.field)) : null;
    if (control) control.mark(error.message);
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
function actionCard(actions, send, heard) {
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const button = (command) => el("button", {
    type: "button",
    title: command.description || command.name,
    "data-command": command.name,
    async onclick() {
      error.hidden = true;
      try {
        heard(command.name, null, await send(command.name, {}));
      } catch (refusal) {
        error.textContent = refusal.message;
        error.hidden = false;
        heard(command.name, refusal, null);
      }
    },
  }, humanize(command.name));
  return el("div", { class: "card actions" }, el("div", { class: "row" }, ...actions.map(button)), error);
}

/** `set_speed(speed)` is "Speed": the field says it all. */
function titleOf({ name, fields }) {
  const bare = name.replace(/^set[_-]?(?=.)/i, "");
  return humanize(fields.length === 1 && bare.toLowerCase() === fields[0].name.toLowerCase() ? bare : name);
}
