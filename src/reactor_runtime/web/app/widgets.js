// @ts-check
// What people touch: one widget for each kind of single value. A widget is `{element, target, read, write}`:
// `target` is the part that is marked when the value is wrong.

import { Unreadable } from "../core/checks.js";
import { el, freshId } from "./dom.js";
import { dial } from "./extras.js";
import { tidy } from "../core/schema.js";
import { progress } from "../core/uploads.js";

/** The widget of a field that holds one value. */
export function makeWidget(field, on, names, label) {
  const kind = field.kind === "number" ? (field.slider ? "slider" : "number")
    : field.kind === "choice" ? (field.segmented ? "segments" : "select")
      : field.kind;
  return WIDGETS[kind](field, on, names, label);
}

const simple = (element, read, write) => ({ element, target: element, read, write });
const indexOf = (options, value) => options.findIndex((option) => JSON.stringify(option) === JSON.stringify(value));

/** `1` and `"1"` in one list must not look the same. */
function optionText(options, option) {
  if (typeof option !== "string") return JSON.stringify(option);
  return options.some((other) => typeof other !== "string" && JSON.stringify(other) === option) ? `"${option}"` : option;
}

const WIDGETS = {
  slider(field, on, names, label) {
    const { from, to } = field;
    const range = el("input", { ...names, type: "range", min: from, max: to, step: field.step });
    const entry = numberInput(field, { "aria-label": `${label}, exact value`, class: "entry" });
    const round = field.widget === "angle" ? dial(field, (value) => {
      write(value);
      on.edit();
      on.commit();
    }) : null;
    const fill = () => {
      range.style.setProperty("--fill", `${(100 * (range.value - from)) / (to - from)}%`);
      round?.show(range.valueAsNumber);
    };
    const follow = () => {
      range.value = entry.value === "" ? from : entry.value;
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
    write(undefined); // a browser puts a new slider at its middle, or its end
    return { ...simple(el("div", { class: "slide" }, round?.element, range, entry), () => readNumber(entry), write), target: entry };
  },

  number(field, on, names) {
    const entry = numberInput(field, names);
    entry.addEventListener("input", on.edit);
    entry.addEventListener("change", on.commit);
    return simple(entry, () => readNumber(entry), (value) => (entry.value = value ?? ""));
  },

  segments(field, on, names) {
    const name = freshId("choice");
    const { options } = field;
    const inputs = options.map((_, index) => el("input", { type: "radio", name, value: index }));
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
    const keys = options.map(() => el("kbd", { "aria-hidden": "true", hidden: true }));
    const buttons = inputs.map((input, index) => (
      el("label", {}, input, el("span", {}, optionText(options, options[index]), keys[index]))));
    const element = el("div", { ...names, role: "radiogroup", class: "segments", "aria-labelledby": names["aria-label"] ? null : `${names.id}-label` }, ...buttons);
    return {
      ...simple(element, () => options[chosen], (value) => {
        chosen = indexOf(options, value);
        inputs.forEach((input, index) => (input.checked = index === chosen));
      }),
      group: true,
      /** Shows which keys choose the options: `hints(option)` gives a text or "". */
      hint(hints) {
        keys.forEach((key, index) => {
          key.textContent = hints(options[index]);
          key.hidden = !key.textContent;
        });
      },
    };
  },

  select(field, on, names) {
    const { options } = field;
    const blank = el("option", { value: -1, disabled: true, hidden: true }, "Choose…");
    const choices = options.map((option, index) => el("option", { value: index }, optionText(options, option)));
    const element = el("select", { ...names, onchange: () => (on.edit(), on.commit()) }, blank, ...choices);
    return simple(element, () => options[Number(element.value)], (value) => (element.value = indexOf(options, value)));
  },

  text(field, on, names, label) {
    const entry = field.multiline
      ? el("textarea", { ...names, dir: "auto", rows: 3, onkeydown: sendOnEnter })
      : el("input", { ...names, dir: "auto", type: "text", autocomplete: "off", placeholder: field.example });
    entry.addEventListener("input", on.edit);
    entry.addEventListener("change", on.commit);
    const write = (value) => (entry.value = value ?? "");
    return field.colour ? withPicker(entry, write, on, label) : simple(entry, () => entry.value, write);
  },

  /** Always empty at first: the server tells no secret, and the page keeps none. */
  secret(field, on, names) {
    const entry = el("input", { ...names, type: "password", autocomplete: "off", spellcheck: "false" });
    entry.addEventListener("input", on.edit);
    entry.addEventListener("change", on.commit);
    const read = () => (entry.value === "" ? undefined : field.numeric ? Number(entry.value) : entry.value);
    return simple(entry, read, (value) => value === undefined && (entry.value = ""));
  },

  toggle(field, on, names, label) {
    const box = el("input", { ...names, type: "checkbox", onchange: () => (on.edit(), on.commit()) });
    const key = el("kbd", { "aria-hidden": "true", hidden: true });
    return {
      ...simple(el("label", { class: "check" }, box, label, key), () => box.checked, (value) => (box.checked = value === true)),
      target: box,
      hint(hints) {
        key.textContent = hints();
        key.hidden = !key.textContent;
      },
    };
  },

  /** A page cannot put a file back that a person chose, so what was kept is never written here. */
  file(field, on, names) {
    const input = el("input", { ...names, type: "file", onchange: () => (on.edit(), on.commit()) });
    const bar = el("progress", { max: 1, hidden: true, "aria-label": "Upload" });
    const zone = el("div", { class: "drop" }, input, bar);
    const take = (files) => {
      if (!files?.length || input.disabled || input.closest(":disabled")) return;
      const one = new DataTransfer();
      one.items.add(files[0]);
      input.files = one.files;
      on.edit();
      on.commit();
    };
    const over = (event, on_) => (event.preventDefault(), zone.classList.toggle("over", on_));
    zone.addEventListener("dragover", (event) => over(event, true));
    zone.addEventListener("dragleave", (event) => over(event, false));
    zone.addEventListener("drop", (event) => (over(event, false), take(event.dataTransfer.files)));
    zone.take = take; // pictures that are pasted: see `cards.js`
    progress.addEventListener("progress", (/** @type {any} */ { detail: { file, share } }) => {
      if (file !== input.files[0]) return;
      bar.hidden = share >= 1;
      bar.value = share;
    });
    return { ...simple(zone, () => input.files[0], (value) => value === undefined && (input.value = "")), target: input };
  },

  json(field, on, names) {
    const example = field.type === "array" ? "[1, 2]" : field.type === "object" ? '{"key": "value"}' : "any JSON value";
    const element = el("textarea", { ...names, rows: 3, class: "code", spellcheck: "false", placeholder: example });
    element.addEventListener("input", on.edit);
    element.addEventListener("change", on.commit);
    return simple(element, () => parse(element.value), (value) => (element.value = value === undefined ? "" : JSON.stringify(value, null, 1)));
  },
};

/** A colour as text, with the browser's own picker beside it. */
function withPicker(entry, write, on, label) {
  const picker = el("input", { type: "color", "aria-label": `${label}, picker` });
  const follow = () => (picker.value = /^#[\da-f]{6}$/i.test(entry.value) ? entry.value : "#000000");
  entry.addEventListener("input", follow);
  picker.addEventListener("input", () => {
    entry.value = picker.value;
    on.edit();
    on.commit();
  });
  const both = (value) => {
    write(value);
    follow();
  };
  return { ...simple(el("div", { class: "slide" }, picker, entry), () => entry.value, both), target: entry };
}

function numberInput(field, attributes) {
  return el("input", {
    ...attributes,
    type: "number",
    inputmode: field.integer && field.min >= 0 ? "numeric" : null,
    min: field.from ?? field.min,
    max: field.to ?? field.max,
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
