// @ts-check
// A control for each field, whole types included. A control is `{element, path, children, read, write, mark,
// clear}`: `read()` gives a value, undefined when unset, or Unreadable; `write(value)` never reports back.

import { Unreadable, armOf } from "../core/checks.js";
import { el, freshId } from "./dom.js";
import { humanize } from "../core/names.js";
import { chips, dice, handle } from "./extras.js";
import { Pad } from "./pads.js";
import { initial } from "../core/schema.js";
import { makeWidget } from "./widgets.js";

/**
 * `on.edit()` is called whenever the value moves, `on.commit()` when it is one that may be sent:
 * each step of a drag, a chosen option, a finished text.
 */
export function makeControl(field, on, { path = field.name, label = humanize(field.name), quiet = false } = {}) {
  const build = { list, tuple: group, group, map, union }[field.kind] ?? leaf;
  const control = build(field, on, { path, label, quiet });
  control.path = path;
  control.write(initial(field));
  if (field.widget === "hidden") control.element.hidden = true;
  return control;
}

/** The control that an error path speaks of, or the nearest one around it. */
export function find(controls, path) {
  for (const control of controls) {
    if (path === control.path) return find(control.children, path) ?? control;
    if (path.startsWith(`${control.path}.`)) return find(control.children, path) ?? control;
  }
  return null;
}

function leaf(field, on, { label, quiet }) {
  const id = freshId("field");
  const said = remarks(field, id);
  const names = { id, "aria-describedby": `${id}-help ${id}-error`, "aria-required": field.required ? "true" : null };
  const own = field.kind === "toggle"; // a checkbox carries its label beside it
  const widget = makeWidget(field, on, quiet && !own ? { ...names, "aria-label": label } : names, label);
  const title = quiet || own ? null
    : widget.group ? el("span", { id: `${id}-label`, class: "label" }, label)
      : el("label", { for: id, class: "label" }, label);
  const unset = unsetBox(field, label, widget.element, on, () => widget.read() === undefined && widget.write(start(field)));
  const put = (value) => {
    if (value !== null) widget.write(value);
    unset?.set(value);
    on.edit();
    on.commit();
  };
  if (!own) handle(title, field, widget, on);
  const unit = field.unit ? el("span", { class: "unit" }, field.unit) : null;
  const roll = field.widget === "seed" ? dice(field, label, put) : null;
  const part = unit || roll ? el("div", { class: "slide" }, widget.element, unit, roll) : widget.element;
  const head = el("div", { class: "head" }, own ? widget.element : title, unset?.element);
  return {
    element: el("div", { class: `field ${field.kind}` }, head, own ? null : part, chips(field, put), said.help, said.error),
    children: [],
    read: () => (unset?.off() ? unset.value : widget.read()),
    write(value) {
      unset?.set(value);
      if (value !== null) widget.write(value);
    },
    mark(message) {
      said.mark(message);
      widget.target.setAttribute("aria-invalid", "true");
    },
    clear() {
      said.clear();
      widget.target.removeAttribute("aria-invalid");
    },
    hint: widget.hint,
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

/** What a value begins with when it is switched on: what its widget shows already. */
const start = (field) => ({ number: field.slider ? field.from : undefined, choice: field.options?.[0] })[field.kind];

/** The switch of a value that need not be there: off sends null, or leaves the value out. */
function unsetBox(field, label, part, on, begin = () => {}) {
  if (!field.nullable && !field.omittable) return null;
  const box = el("input", { type: "checkbox", "aria-label": `${label}: give a value` });
  const show = () => {
    part.classList.toggle("off", !box.checked);
    for (const input of [part, ...part.querySelectorAll("*")]) {
      if ("disabled" in input) input.disabled = input.closest(".off") !== null; // one of its own, or around it
    }
  };
  box.addEventListener("change", () => {
    show();
    if (box.checked) begin();
    on.edit();
    on.commit();
  });
  return {
    element: el("label", { class: "unset" }, box, "set"),
    value: field.nullable ? null : undefined,
    off: () => !box.checked,
    set(value) {
      box.checked = value !== null && value !== undefined;
      show();
    },
  };
}

/** What all composed controls share: a frame with a title, an unset switch and a place for remarks. */
function frame(field, on, { label, quiet }, kind, ...parts) {
  const said = remarks(field, freshId(kind));
  const body = el("div", { class: "parts" }, ...parts.filter(Boolean));
  const unset = unsetBox(field, label, body, on);
  const legend = el("legend", { class: quiet && !unset ? "unseen" : "label" }, label, unset?.element);
  const element = el("fieldset", { class: `field ${kind}` }, legend, said.help, body, said.error);
  return { element, unset, mark: said.mark, clearOwn: said.clear };
}

/** The same for all: unset, then the children's values as `collect` puts them together. */
function composed(shell, { children, collect, spread }) {
  return {
    element: shell.element,
    children,
    read: () => (shell.unset?.off() ? shell.unset.value : collect()),
    write(value) {
      spread(value);
      shell.unset?.set(value); // last: what was just built is switched off with the rest
    },
    mark: shell.mark,
    clear() {
      shell.clearOwn();
      children.forEach((child) => child.clear());
    },
  };
}

/** A nested model, or a tuple: a control for each field. */
function group(field, on, place) {
  const { fields } = field;
  const array = field.kind === "tuple";
  const children = fields.map((inner, index) => makeControl(inner, on, {
    path: `${place.path}.${inner.name}`,
    label: array ? `${place.label} ${index + 1}` : undefined,
    quiet: array,
  }));
  children.forEach((child, index) => (child.element.hidden = fields[index].fixed === true));
  const spot = field.widget === "xy" ? spotOf(field, children, on) : null;
  const shell = frame(field, on, place, array ? "tuple" : "group", spot?.area, ...children.map((child) => child.element));
  if (spot) shell.element.classList.add("xy");
  return composed(shell, {
    children,
    collect() {
      const values = children.map((child) => child.read());
      if (array) return values;
      return Object.fromEntries(fields.map((inner, index) => [inner.name, values[index]]).filter(([, value]) => value !== undefined));
    },
    spread: (value) => children.forEach((child, index) => {
      const given = value?.[fields[index].name];
      child.write(given === undefined ? initial(fields[index]) : given);
      spot?.follow();
    }),
  });
}

/** Two numbers as a place: a pad above their sliders. */
function spotOf({ fields: [x, y] }, children, on) {
  const at = (name) => children[name === x.name ? 0 : 1];
  const pad = new Pad({ command: "", x, y, spring: false, down: false }, {
    get: (name) => at(name).read(),
    move(values) {
      for (const [name, value] of Object.entries(values)) at(name).write(value);
      pad.follow();
      on.edit();
      on.commit();
    },
  }, { get: () => null, set: () => {} });
  children.forEach((child) => child.element.addEventListener("input", () => pad.follow()));
  return pad;
}

function list(field, on, place) {
  const { path, label } = place;
  const rows = el("ol", { class: "rows" });
  const children = [];
  const changed = () => (on.edit(), on.commit());
  const remove = (child) => {
    children.splice(children.indexOf(child), 1);
    child.row.remove();
    const values = children.map((other) => other.read());
    fill(values); // labels and paths count anew
    more.focus();
    changed();
  };
  const add = (value) => {
    const at = children.length;
    const child = makeControl(field.item, on, { path: `${path}.${at}`, label: `${label} ${at + 1}`, quiet: true });
    if (value !== undefined) child.write(value);
    child.row = el("li", {}, child.element, dropButton(`Remove ${label} ${at + 1}`, () => remove(child)));
    children.push(child);
    rows.append(child.row);
    return child;
  };
  const fill = (values) => {
    children.length = 0;
    rows.replaceChildren();
    for (const value of values) add(value instanceof Unreadable ? undefined : value);
  };
  const more = moreButton(label, () => (focusIn(add()), changed()));
  const shell = frame(field, on, place, "list", rows, more);
  return composed(shell, { children, collect: () => children.map((child) => child.read()), spread: (value) => fill(value ?? []) });
}

/** `dict[str, X]`: rows of a name and a value. */
function map(field, on, place) {
  const { path, label } = place;
  const rows = el("ol", { class: "rows" });
  const children = [];
  const changed = () => (on.edit(), on.commit());
  const add = (name, value) => {
    const at = children.length + 1;
    const key = makeControl(field.key, { edit: on.edit, commit: on.commit }, { path, label: `${label} name ${at}`, quiet: true });
    const child = makeControl(field.item, on, { path: `${path}.${name ?? ""}`, label: `${label} value ${at}`, quiet: true });
    if (name !== undefined) key.write(name);
    if (value !== undefined) child.write(value);
    const drop = dropButton(`Remove ${label} ${at}`, () => {
      children.splice(children.indexOf(child), 1);
      child.row.remove();
      changed();
    });
    child.key = key;
    child.row = el("li", { class: "pair" }, key.element, child.element, drop);
    children.push(child);
    rows.append(child.row);
    return child;
  };
  const more = moreButton(label, () => (focusIn(add().key), changed()));
  const shell = frame(field, on, place, "map", rows, more);
  return composed(shell, {
    children,
    collect() {
      const names = children.map((child) => child.key.read() ?? "");
      children.forEach((child, index) => (child.path = `${path}.${names[index]}`));
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice !== undefined) return new Unreadable(`has the name '${twice}' twice`);
      return Object.fromEntries(children.map((child, index) => [names[index], child.read()]));
    },
    spread(value) {
      children.length = 0;
      rows.replaceChildren();
      for (const [name, item] of Object.entries(value ?? {})) add(name, item);
    },
  });
}

/** Several types: a choice of which, and the control of the one that was chosen. */
function union(field, on, place) {
  const { arms } = field;
  const children = [];
  const hole = el("div");
  const show = (index, value) => {
    picker.value = index;
    const arm = arms[index];
    children[0] = makeControl({ ...arm, label: undefined }, on, { path: place.path, label: `${place.label}, ${arm.label}`, quiet: true });
    if (value !== undefined) children[0].write(value);
    hole.replaceChildren(children[0].element);
  };
  const picker = el("select", {
    "aria-label": `${place.label}: type`,
    onchange: () => (show(Number(picker.value)), on.edit(), on.commit()),
  }, ...arms.map((arm, index) => el("option", { value: index }, arm.label)));
  const shell = frame(field, on, place, "union", picker, hole);
  return composed(shell, {
    children,
    collect: () => children[0].read(),
    spread: (value) => show(value === undefined || value === null ? 0 : armOf(field, value), value ?? undefined),
  });
}

const focusIn = (control) => control.element.querySelector("input, textarea, select")?.focus();
const moreButton = (label, onclick) => el("button", { type: "button", class: "plain", "aria-label": `Add to ${label}`, onclick }, "Add");
const dropButton = (label, onclick) => el("button", { type: "button", class: "plain", "aria-label": label, onclick }, "×");
