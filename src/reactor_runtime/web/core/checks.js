// @ts-check
// What a value must satisfy before it is sent, in the server's own words. Pure: no DOM.

/** What a control holds when its text is no value at all: unfinished JSON, half a number. */
export class Unreadable {
  constructor(message) {
    this.message = message;
  }
}

/** Every reason why `value` cannot be sent: `[{path, message}]`, in the order of the fields. */
export function problems(field, value, path = field.name) {
  const say = (message) => [{ path, message }];
  if (value instanceof Unreadable) return say(value.message);
  if (value === undefined || (value === "" && field.required)) return field.required ? say("is required") : [];
  if (value === null && (field.nullable || field.kind === "json")) return [];
  return CHECKS[field.kind](field, value, path, say);
}

/** The member of a union that `value` belongs to, or comes nearest to. */
export function armOf(field, value) {
  const wrong = field.arms.map((arm) => (WANTED[arm.kind]?.(value) === false ? Infinity : score(arm, value)));
  return Math.max(0, wrong.indexOf(Math.min(...wrong)));
}

/** A wrong constant says more than any number of wrong values: it is how members are told apart. */
function score(arm, value) {
  const foreign = arm.fields?.some?.((inner) => inner.fixed && value?.[inner.name] !== inner.options[0]);
  const unknown = arm.kind === "group" ? Object.keys(value ?? {}).filter((key) => !arm.fields.some((inner) => inner.name === key)).length : 0;
  return problems(arm, value).length + unknown + (foreign ? 1_000 : 0);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const some = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const quoted = (option) => (typeof option === "string" ? `'${option}'` : JSON.stringify(option));
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const WANTED = {
  number: (value) => typeof value === "number",
  text: (value) => typeof value === "string",
  secret: (value) => ["string", "number"].includes(typeof value),
  toggle: (value) => typeof value === "boolean",
  file: (value) => value instanceof File,
  list: Array.isArray,
  tuple: Array.isArray,
  map: isObject,
  group: isObject,
};

function listed(options) {
  const words = options.map(quoted);
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

const CHECKS = {
  file: (field, value, path, say) => (value.size > 0 ? [] : say("must not be empty")),
  toggle: (field, value, path, say) => (typeof value === "boolean" ? [] : say("must be true or false")),
  choice: (field, value, path, say) => (field.options.some((option) => same(option, value)) ? [] : say(`must be ${listed(field.options)}`)),
  number(field, value, path, say) {
    if (typeof value !== "number" || !Number.isFinite(value)) return say(`must be a ${field.integer ? "whole " : ""}number`);
    if (field.integer && !Number.isInteger(value)) return say("must be a whole number");
    if (field.above !== undefined && value <= field.above) return say(`must be greater than ${field.above}`);
    if (field.below !== undefined && value >= field.below) return say(`must be less than ${field.below}`);
    if (field.min !== undefined && value < field.min) return say(`must be at least ${field.min}`);
    if (field.max !== undefined && value > field.max) return say(`must be at most ${field.max}`);
    const { multiple } = field;
    if (multiple && Math.abs(value / multiple - Math.round(value / multiple)) > 1e-9) return say(`must be a multiple of ${multiple}`);
    return [];
  },
  text(field, value, path, say) {
    if (typeof value !== "string") return say("must be text");
    const length = [...value].length; // the server counts characters, not UTF-16 units
    if (field.minLength !== undefined && length < field.minLength) return say(`must have at least ${some(field.minLength, "character")}`);
    if (field.maxLength !== undefined && length > field.maxLength) return say(`must have at most ${some(field.maxLength, "character")}`);
    if (field.pattern && !matches(field.pattern, value)) return say(`must match the pattern ${field.pattern}`);
    return [];
  },
  secret: (field, value, path, say) => (field.numeric ? [] : CHECKS.text(field, value, path, say)),
  list(field, value, path, say) {
    if (!Array.isArray(value)) return say("must be a list");
    return size(field, value.length, say) ?? value.flatMap((item, index) => problems(field.item, item, `${path}.${index}`));
  },
  tuple(field, value, path, say) {
    if (!Array.isArray(value)) return say("must be a list");
    return field.fields.flatMap((inner, index) => problems(inner, value[index], `${path}.${index}`));
  },
  map(field, value, path, say) {
    if (!isObject(value)) return say("must be an object");
    return size(field, Object.keys(value).length, say) ?? Object.entries(value).flatMap(([key, item]) => (
      [...problems(field.key, key, `${path}.${key}`), ...problems(field.item, item, `${path}.${key}`)]));
  },
  group(field, value, path, say) {
    if (!isObject(value)) return say("must be an object");
    return field.fields.flatMap((inner) => problems(inner, value[inner.name], `${path}.${inner.name}`));
  },
  union: (field, value, path) => problems(field.arms[armOf(field, value)], value, path),
  json(field, value, path, say) {
    if (field.type === "array" && !Array.isArray(value)) return say("must be a list");
    if (field.type === "object" && !isObject(value)) return say("must be an object");
    return field.type ? size(field, Object.keys(value).length, say) ?? [] : [];
  },
};

function size(field, length, say) {
  if (field.minItems !== undefined && length < field.minItems) return say(`must have at least ${some(field.minItems, "item")}`);
  if (field.maxItems !== undefined && length > field.maxItems) return say(`must have at most ${some(field.maxItems, "item")}`);
  return null;
}

function matches(pattern, value) {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // a pattern in another dialect: the server will say
  }
}

/** `Command 'x': argument 'a.b' must be …, not …` → the way to the field, and what is said there. */
export function placed({ message, field }) {
  const told = /^Command '.*?': argument ['"](.+?)['"] (.*)$/s.exec(message);
  if (told) return { path: told[1], message: told[2] };
  return { path: field ? String(field) : null, message };
}
