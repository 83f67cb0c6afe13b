// One control for each kind of field. A control is `{element, path, read, write, mark, clear, children}`:
// `read()` gives a value, undefined when unset, or Unreadable; `write(value)` never reports back.

import { el, freshId, humanize } from "./dom.js";
import { Unreadable, initial } from "./schema.js";

/**
 * `on.edit()` is called whenever the value moves, `on.commit()` when it is one that may be sent:
 * each step of a drag, a chosen option, a finished text.
 */
export function makeControl(field, on, { path = field.name, label = humanize(field.name), quiet = false } = {}) {
  const build = { list: listControl, group: groupControl }[field.kind] ?? leafControl;
  const control = build(field, on, { path, label, quiet });
  control.path = path;
  control.write(initial(field));
  return control;
}

function leafControl(field, on, { label, quiet }) {
  const id = freshId("field");
  const { help, error, mark, clear } = remarks(field, id);
  const names = { id, "aria-describedby": `${id}-help ${id}-error`, "aria-required": field.required ? "true" : null };
  const widget = WIDGETS[widgetOf(field)](field, on, { names, label });
  const own = field.kind === "toggle"; // a checkbox carries its label beside it
  const title = widget.group
    ? el("span", { id: `${id}-label`, class: quiet ? "unseen" : "label" }, label)
    : el("label", { for: id, class: quiet ? "unseen" : "label" }, label);
  const unset = field.nullable ? unsetBox(label, widget, on) : null;
  const head = el("div", { class: "head" }, own ? widget.element : title, unset?.element);
  const element = el("div", { class: `field ${field.kind}` }, head, own ? null : widget.element, help, error);
  return {
    element,
    children: [],
    read: () => (unset?.off() ? null : widget.read()),
    write(value) {
      unset?.set(value !== null && value !== undefined);
      if (value !== null) widget.write(value);
    },
    mark(message) {
      mark(message);
      widget.target.setAttribute("aria-invalid", "true");
    },
    clear() {
      clear();
      widget.target.removeAttribute("aria-invalid");
    },
  };
}

function remarks(field, id) {
  const help = el("p", { class: "help", id: `${id}-help`, hidden: !field.help }, field.help);
  const error = el("p", { class: "error", id: `${id}-error`, role: "alert", hidden: true });
  return {
    help,
    error,
    mark(message) {
      if (error.textContent !== message) error.textContent = message;
      error.hidden = false;
    },
    clear() {
      error.hidden = true;
      error.textContent = "";
    },
  };
}

/** The switch of an optional value: off sends null. */
function unsetBox(label, widget, on) {
  const box = el("input", { type: "checkbox", "aria-label": `${label}: give a value` });
  const show = () => {
    for (const input of [widget.element, ...widget.element.querySelectorAll("*")]) {
      if ("disabled" in input) input.disabled = !box.checked;
    }
  };
  box.addEventListener("change", () => {
    show();
    on.edit();
    on.commit();
  });
  return {
    element: el("label", { class: "unset" }, box, "set"),
    off: () => !box.checked,
    set(value) {
      box.checked = value;
      show();
    },
  };
}

function widgetOf(field) {
  if (field.kind === "number") return field.slider ? "slider" : "number";
  if (field.kind === "choice") return field.segmented ? "segments" : "select";
  return field.kind;
}

const WIDGETS = {
  slider(field, on, { names, label }) {
    const range = el("input", { ...names, type: "range", min: field.min, max: field.max, step: field.step });
    const entry = numberInput(field, { "aria-label": `${label}, exact value`, class: "entry" });
    const fill = () => range.style.setProperty("--fill", `${(100 * (range.value - field.min)) / (field.max - field.min)}%`);
    const follow = () => {
      range.value = entry.value === "" ? field.min : entry.value;
      range.classList.toggle("blank", entry.value === "");
      fill();
    };
    range.addEventListener("input", () => {
      entry.value = tidy(range.valueAsNumber);
      range.classList.remove("blank");
      fill();
      on.edit();
      on.commit();
    });
    entry.addEventListener("input", () => {
      follow();
      on.edit();
    });
    entry.addEventListener("change", on.commit);
    const write = (value) => {
      entry.value = value === undefined ? "" : tidy(value);
      follow();
    };
    return { ...simple(el("div", { class: "slide" }, range, entry), () => readNumber(entry), write), target: entry };
  },

  number(field, on, { names }) {
    const entry = numberInput(field, names);
    entry.addEventListener("input", on.edit);
    entry.addEventListener("change", on.commit);
    return simple(entry, () => readNumber(entry), (value) => (entry.value = value ?? ""));
  },

  segments(field, on, { names }) {
    const name = freshId("choice");
    const inputs = field.options.map((_, index) => el("input", { type: "radio", name, value: index }));
    let chosen = -1;
    inputs.forEach((input, index) => {
      input.addEventListener("change", () => {
        chosen = index;
        on.edit();
        on.commit();
      });
      // Choosing what is chosen already is a wish to send it again.
      input.addEventListener("click", () => chosen === index && on.commit());
    });
    const buttons = inputs.map((input, index) => el("label", {}, input, el("span", {}, optionText(field.options[index]))));
    const element = el("div", { ...names, role: "radiogroup", class: "segments", "aria-labelledby": `${names.id}-label` }, ...buttons);
    return {
      ...simple(element, () => field.options[chosen], (value) => {
        chosen = indexOf(field.options, value);
        inputs.forEach((input, index) => (input.checked = index === chosen));
      }),
      group: true,
    };
  },

  select(field, on, { names }) {
    const blank = el("option", { value: -1, disabled: true, hidden: true }, "Choose…");
    const options = field.options.map((option, index) => el("option", { value: index }, optionText(option)));
    const element = el("select", { ...names, onchange: () => (on.edit(), on.commit()) }, blank, ...options);
    return simple(element, () => field.options[Number(element.value)], (value) => (element.value = indexOf(field.options, value)));
  },

  text(field, on, { names }) {
    const element = field.multiline
      ? el("textarea", { ...names, rows: 3, maxlength: null, onkeydown: sendOnEnter })
      : el("input", { ...names, type: "text", autocomplete: "off" });
    element.addEventListener("input", on.edit);
    element.addEventListener("change", on.commit);
    return simple(element, () => element.value, (value) => (element.value = value ?? ""));
  },

  toggle(field, on, { names, label }) {
    const box = el("input", { ...names, type: "checkbox", onchange: () => (on.edit(), on.commit()) });
    return { ...simple(el("label", { class: "check" }, box, label), () => box.checked, (value) => (box.checked = value === true)), target: box };
  },

  json(field, on, { names }) {
    const example = field.type === "array" ? "[1, 2]" : field.type === "object" ? '{"key": "value"}' : "any JSON value";
    const element = el("textarea", { ...names, rows: 3, class: "code", spellcheck: "false", placeholder: example });
    element.addEventListener("input", on.edit);
    element.addEventListener("change", on.commit);
    return simple(element, () => parse(element.value), (value) => (element.value = value === undefined ? "" : JSON.stringify(value, null, 1)));
  },
};

const simple = (element, read, write) => ({ element, target: element, read, write });
const indexOf = (options, value) => options.findIndex((option) => JSON.stringify(option) === JSON.stringify(value));
const optionText = (option) => (typeof option === "string" ? option : JSON.stringify(option));
const tidy = (value) => (typeof value === "number" ? Number(value.toPrecision(12)) : value);

function numberInput(field, attributes) {
  return el("input", {
    ...attributes,
    type: "number",
    inputmode: field.integer && field.min >= 0 ? "numeric" : null,
    min: field.min,
    max: field.max,
    step: field.step ?? "any",
  });
}

function readNumber(input) {
  if (input.validity.badInput) return new Unreadable("must be a number");
  return input.value === "" ? undefined : Number(input.value);
}

function parse(text) {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return new Unreadable("is not valid JSON yet");
  }
}

/** A prompt is sent like a chat message: Enter sends, Shift+Enter begins a new line. */
function sendOnEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form?.requestSubmit();
}

function groupControl(field, on, { path, label, quiet }) {
  const id = freshId("group");
  const { help, error, mark, clear } = remarks(field, id);
  const children = field.fields.map((inner) => makeControl(inner, on, { path: `${path}.${inner.name}` }));
  const unset = field.nullable ? unsetBox(label, { element: el("div") }, on) : null;
  const legend = el("legend", { class: quiet && !unset ? "unseen" : "label" }, label, unset?.element);
  const element = el("fieldset", { class: "field group" }, legend, help, ...children.map((child) => child.element), error);
  return {
    element,
    children,
    read() {
      if (unset?.off()) return null;
      const entries = field.fields.map((inner, index) => [inner.name, children[index].read()]);
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    },
    write(value) {
      unset?.set(value !== null && value !== undefined);
      children.forEach((child, index) => child.write(value?.[field.fields[index].name] ?? initial(field.fields[index])));
    },
    mark,
    clear() {
      clear();
      children.forEach((child) => child.clear());
    },
  };
}

function listControl(field, on, { path, label, quiet }) {
  const id = freshId("list");
  const { help, error, mark, clear } = remarks(field, id);
  const rows = el("ol", { class: "rows" });
  const control = { children: [], mark };
  const changed = () => {
    on.edit();
    on.commit();
  };
  const remove = (child) => {
    control.children.splice(control.children.indexOf(child), 1);
    child.row.remove();
    control.children.forEach((other, index) => (other.path = `${path}.${index}`));
    changed();
  };
  const add = (value) => {
    const at = control.children.length;
    const child = makeControl(field.item, on, { path: `${path}.${at}`, label: `${label} ${at + 1}`, quiet: true });
    if (value !== undefined) child.write(value);
    const drop = el("button", { type: "button", class: "plain", "aria-label": `Remove ${label} ${at + 1}`, onclick: () => remove(child) }, "×");
    child.row = el("li", {}, child.element, drop);
    control.children.push(child);
    rows.append(child.row);
    return child;
  };
  const more = el("button", {
    type: "button",
    class: "plain",
    onclick() {
      add().element.querySelector("input, textarea, select")?.focus();
      changed();
    },
  }, "Add");
  const unset = field.nullable ? unsetBox(label, { element: more }, on) : null;
  const legend = el("legend", { class: quiet && !unset ? "unseen" : "label" }, label, unset?.element);
  return Object.assign(control, {
    element: el("fieldset", { class: "field list" }, legend, help, rows, more, error),
    read: () => (unset?.off() ? null : control.children.map((child) => child.read())),
    write(value) {
      unset?.set(value !== null && value !== undefined);
      control.children.length = 0;
      rows.replaceChildren();
      for (const item of value ?? []) add(item);
    },
    clear() {
      clear();
      control.children.forEach((child) => child.clear());
    },
  });
}

/** The control that an error path speaks of, or the nearest one around it. */
export function find(controls, path) {
  for (const control of controls) {
    if (path === control.path) return control;
    if (path.startsWith(`${control.path}.`)) return find(control.children, path) ?? control;
  }
  return null;
}
