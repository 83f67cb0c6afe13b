// What a declared command asks for: schema → fields, and the checks a value must pass. Pure: no DOM.

const SEGMENTS_MAX = 5;
const SEGMENT_TEXT_MAX = 44; // characters in all buttons of one row
const SLIDER_STEPS_MAX = 10_000; // beyond this a slider cannot hit a whole number
const DEPTH_MAX = 4; // deeper nesting is edited as JSON
const LONG_TEXT = /prompt|text|description|caption|story|script|lyrics|message/i;
const LIVE_KINDS = new Set(["number", "choice", "toggle"]);

/** What a control holds when its text is no value at all: unfinished JSON, half a number. */
export class Unreadable {
  constructor(message) {
    this.message = message;
  }
}

/** `{name, description, schema}` of the descriptor → what the page draws. */
export function readCommand({ name, description = "", schema = {} }) {
  const fields = Object.entries(schema ?? {}).map(([key, spec]) => readField(key, spec));
  return { name, description, fields, live: fields.length > 0 && fields.every(isLive) };
}

const isLive = (field) => LIVE_KINDS.has(field.kind) || (field.kind === "group" && field.fields.every(isLive));

/** One parameter, list item or nested property. `required` is a flag here, a list of names inside objects. */
export function readField(name, spec, required = spec?.required === true, depth = 0) {
  const { core, nullable } = unwrap(spec ?? {});
  const field = {
    name,
    required,
    nullable,
    help: spec?.description ?? core.description ?? "",
    default: spec?.default ?? core.default,
    hasDefault: "default" in (spec ?? {}),
    ...shape(name, core, depth),
  };
  if (field.default === null && !nullable) field.default = undefined;
  return field;
}

/** Takes `| null` and one-armed unions away. */
function unwrap(spec) {
  const arms = spec.anyOf ?? spec.oneOf ?? (spec.allOf?.length === 1 ? spec.allOf : null);
  if (arms) {
    const rest = arms.filter((arm) => arm.type !== "null");
    const nullable = rest.length < arms.length;
    if (rest.length === 1) {
      const inner = unwrap({ ...rest[0] });
      return { core: inner.core, nullable: nullable || inner.nullable };
    }
    const options = rest.flatMap((arm) => arm.enum ?? ("const" in arm ? [arm.const] : [undefined]));
    if (!options.includes(undefined)) return { core: { enum: options }, nullable };
    return { core: { description: spec.description }, nullable };
  }
  if (Array.isArray(spec.type)) {
    const types = spec.type.filter((type) => type !== "null");
    const core = { ...spec, type: types.length === 1 ? types[0] : undefined };
    return { core, nullable: types.length < spec.type.length };
  }
  return { core: spec, nullable: false };
}

function shape(name, core, depth) {
  if (core.enum || "const" in core) return choice(core.enum ?? [core.const]);
  switch (core.type) {
    case "boolean": return { kind: "toggle" };
    case "integer":
    case "number": return number(core);
    case "string": return text(name, core);
    case "array": return list(name, core, depth);
    case "object": return core.properties && depth < DEPTH_MAX ? group(core, depth) : { kind: "json", type: "object" };
    default: return { kind: "json" };
  }
}

function choice(all) {
  const options = all.filter((option) => option !== null);
  const letters = options.reduce((sum, option) => sum + String(option).length + 2, 0);
  return { kind: "choice", options, segmented: options.length <= SEGMENTS_MAX && letters <= SEGMENT_TEXT_MAX };
}

function number(core) {
  const integer = core.type === "integer";
  const above = core.exclusiveMinimum;
  const below = core.exclusiveMaximum;
  const min = core.minimum ?? above;
  const max = core.maximum ?? below;
  const bounded = min !== undefined && max !== undefined && max > min;
  const step = core.multipleOf ?? (integer ? 1 : bounded ? niceStep(max - min) : undefined);
  const slider = bounded && (max - min) / step <= SLIDER_STEPS_MAX;
  return { kind: "number", integer, min, max, above, below, multiple: core.multipleOf, step, slider };
}

/** 100 to 1,000 steps over the range, in round decimals. */
function niceStep(range) {
  return Number(`1e${Math.floor(Math.log10(range / 100) + 1e-9)}`);
}

function text(name, core) {
  const { minLength, maxLength, pattern } = core;
  const start = typeof core.default === "string" ? core.default : "";
  const multiline = LONG_TEXT.test(name) ? !(maxLength <= 60) : maxLength > 120 || start.length > 60 || start.includes("\n");
  return { kind: "text", multiline, minLength, maxLength, pattern };
}

function list(name, core, depth) {
  const items = core.items && depth < DEPTH_MAX ? readField("item", core.items, true, depth + 1) : null;
  if (!items || items.kind === "json") return { kind: "json", type: "array", minItems: core.minItems, maxItems: core.maxItems };
  return { kind: "list", item: items, minItems: core.minItems, maxItems: core.maxItems };
}

function group(core, depth) {
  const required = new Set(Array.isArray(core.required) ? core.required : []);
  const fields = Object.entries(core.properties)
    .map(([key, spec]) => readField(key, spec, required.has(key) || spec.required === true, depth + 1));
  return { kind: "group", fields };
}

/** The value a control begins with; undefined means unset. */
export function initial(field) {
  if (field.default !== undefined) return field.default;
  if (field.nullable) return null;
  if (field.kind === "toggle") return false;
  if (field.kind === "list") return [];
  if (field.kind === "group") {
    return Object.fromEntries(field.fields.map((inner) => [inner.name, initial(inner)]).filter(([, v]) => v !== undefined));
  }
  if (field.kind === "choice" && field.options.length === 1) return field.options[0];
  return undefined;
}

/** Every reason why `value` cannot be sent: `[{path, message}]`, in the order of the fields. */
export function problems(field, value, path = field.name) {
  const say = (message) => [{ path, message }];
  if (value instanceof Unreadable) return say(value.message);
  if (value === undefined || (value === "" && field.required)) return field.required ? say("is required") : [];
  if (value === null) return field.nullable ? [] : say("must have a value");
  return CHECKS[field.kind](field, value, path, say);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const some = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

const CHECKS = {
  toggle: (field, value, path, say) => (typeof value === "boolean" ? [] : say("must be true or false")),
  choice: (field, value, path, say) => (field.options.some((option) => same(option, value))
    ? [] : say(`must be one of ${field.options.join(", ")}`)),
  number(field, value, path, say) {
    if (typeof value !== "number" || !Number.isFinite(value)) return say("must be a number");
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
  list(field, value, path, say) {
    if (!Array.isArray(value)) return say("must be a list");
    return size(field, value, say) ?? value.flatMap((item, index) => problems(field.item, item, `${path}.${index}`));
  },
  group(field, value, path, say) {
    if (typeof value !== "object" || Array.isArray(value)) return say("must be an object");
    return field.fields.flatMap((inner) => problems(inner, value[inner.name], `${path}.${inner.name}`));
  },
  json(field, value, path, say) {
    if (field.type === "array") return Array.isArray(value) ? size(field, value, say) ?? [] : say("must be a JSON list");
    if (field.type === "object" && (typeof value !== "object" || Array.isArray(value))) return say("must be a JSON object");
    return [];
  },
};

function size(field, value, say) {
  if (field.minItems !== undefined && value.length < field.minItems) return say(`must have at least ${some(field.minItems, "item")}`);
  if (field.maxItems !== undefined && value.length > field.maxItems) return say(`must have at most ${some(field.maxItems, "item")}`);
  return null;
}

function matches(pattern, value) {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // a pattern in another dialect: the server will say
  }
}
