// @ts-check
// What a declared command asks for: schema → fields. Pure: no DOM. What a value must satisfy is in checks.js.

import { hintsIn, inOrder } from "./hints.js";

const SEGMENTS_MAX = 5;
const SEGMENT_TEXT_MAX = 44; // characters in all buttons of one row
const SLIDER_STEPS_MAX = 10_000; // beyond this a slider cannot hit a whole number
const DEPTH_MAX = 5; // deeper nesting is edited as JSON
const LONG_TEXT = /prompt|text|description|caption|story|script|lyrics|message/i;
const HEX_COLOUR = /^#[\da-f]{6}$/i;
const LIVE_KINDS = new Set(["number", "choice", "toggle"]);
const EXAMPLES = {
  date: "2026-01-31",
  time: "12:30:00",
  "date-time": "2026-01-31T12:30:00Z",
  duration: "PT30S",
  uuid: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
};

/** `{name, description, schema}` of the descriptor → what the page draws. */
export function readCommand({ name, description = "", schema = {} }) {
  const fields = inOrder(Object.entries(schema ?? {}).map(([key, spec]) => readField(key, spec)));
  return { name, description, fields, live: fields.length > 0 && fields.every(isLive) };
}

const isLive = (field) => LIVE_KINDS.has(field.kind) || (["group", "tuple"].includes(field.kind) && field.fields.every(isLive));

/** One parameter, list item or nested property. `required` is a flag here, a list of names inside objects. */
export function readField(name, spec, required = spec?.required === true, depth = 0) {
  const { core, nullable } = unwrap(spec ?? {});
  const field = {
    name,
    required,
    nullable,
    // Left out it takes a value that only the server knows (a `default_factory`).
    omittable: !required && !("default" in (spec ?? {})),
    help: spec?.description ?? core.description ?? "",
    default: spec?.default ?? core.default,
    ...shape(name, core, depth),
  };
  Object.assign(field, hintsIn({ ...core, ...spec }, field));
  if (field.widget === "prompt") field.multiline = true;
  if (field.widget === "color") field.colour = true;
  if (field.default === null && !nullable) field.default = undefined;
  // A secret that nobody typed is left out, whatever the server has in its place.
  if (field.kind === "secret" && !required) Object.assign(field, { nullable: false, omittable: false, default: undefined });
  return field;
}

/** Takes `| null`, one-armed unions, and unions of plain choices away. */
function unwrap(spec) {
  if (spec.enum?.includes(null)) return { core: { ...spec, enum: spec.enum.filter((each) => each !== null) }, nullable: true };
  if (Array.isArray(spec.type)) {
    const types = spec.type.filter((type) => type !== "null");
    const core = { ...spec, type: types.length === 1 ? types[0] : undefined };
    return { core, nullable: types.length < spec.type.length };
  }
  const all = spec.anyOf ?? spec.oneOf ?? (spec.allOf?.length === 1 ? spec.allOf : null);
  if (!all) return { core: spec, nullable: false };
  const arms = all.filter((arm) => arm.type !== "null");
  const nullable = arms.length < all.length;
  if (arms.length === 1) {
    const inner = unwrap(arms[0]);
    return { core: inner.core, nullable: nullable || inner.nullable };
  }
  const options = arms.flatMap((arm) => arm.enum ?? ("const" in arm ? [arm.const] : [undefined]));
  if (!options.includes(undefined)) return { core: { enum: options.filter((each) => each !== null) }, nullable: nullable || options.includes(null) };
  const plain = arms.every((arm) => Object.keys(arm).join() === "type" && ["integer", "number"].includes(arm.type));
  return { core: plain ? { type: "number" } : { arms, description: spec.description }, nullable };
}

function shape(name, core, depth) {
  if (core.enum || "const" in core) return choice(core.enum ?? [core.const]);
  if (core.arms) return union(name, core.arms, depth);
  if (core.format === "reactor-upload") return { kind: "file" };
  if (isSecret(core)) return { kind: "secret", numeric: core.type !== "string", minLength: core.minLength, maxLength: core.maxLength };
  switch (core.type) {
    case "boolean": return { kind: "toggle" };
    case "integer":
    case "number": return number(core);
    case "string": return text(name, core);
    case "array": return core.prefixItems ? tuple(core, depth) : list(core, depth);
    case "object": return core.properties ? group(core, depth) : map(core, depth);
    default: return { kind: "json" };
  }
}

const isSecret = ({ type, format, writeOnly }) => (format === "password" || writeOnly === true) && ["string", "number", "integer"].includes(type);

function choice(options) {
  const letters = options.reduce((sum, option) => sum + String(option).length + 2, 0);
  return { kind: "choice", options, segmented: options.length <= SEGMENTS_MAX && letters <= SEGMENT_TEXT_MAX };
}

function number(core) {
  const integer = core.type === "integer";
  const { exclusiveMinimum: above, exclusiveMaximum: below, multipleOf: multiple } = core;
  const min = core.minimum ?? above;
  const max = core.maximum ?? below;
  const bounded = min !== undefined && max !== undefined && max > min;
  const step = multiple ?? (integer ? 1 : bounded ? niceStep(max - min) : undefined);
  const from = reach(min, min === above, step, multiple ?? (integer ? 1 : null), 1);
  const to = reach(max, max === below, step, multiple ?? (integer ? 1 : null), -1);
  const slider = bounded && to > from && (to - from) / step <= SLIDER_STEPS_MAX;
  return { kind: "number", integer, min, max, above, below, multiple, step, slider, from, to };
}

/** The outermost value that a slider may take: on the grid of multiples, inside an exclusive bound. */
function reach(bound, exclusive, step, grid, inwards) {
  if (bound === undefined || step === undefined) return bound;
  if (!grid) return exclusive ? tidy(bound + inwards * step) : bound;
  const onGrid = tidy((inwards > 0 ? Math.ceil(tidy(bound / grid)) : Math.floor(tidy(bound / grid))) * grid);
  return exclusive && onGrid === bound ? tidy(onGrid + inwards * grid) : onGrid;
}

/** 100 to 1,000 steps over the range, in round decimals. */
function niceStep(range) {
  return Number(`1e${Math.floor(Math.log10(range / 100) + 1e-9)}`);
}

/** Without the dust of binary fractions: 0.30000000000000004 is 0.3. */
export const tidy = (value) => (typeof value === "number" ? Number(value.toPrecision(12)) : value);

function text(name, core) {
  const { minLength, maxLength, pattern, format } = core;
  const start = typeof core.default === "string" ? core.default : "";
  const multiline = LONG_TEXT.test(name) ? !(maxLength <= 60) : maxLength > 120 || start.length > 60 || start.includes("\n");
  const colour = format === "color" || (/colou?r/i.test(name) && HEX_COLOUR.test(start));
  return { kind: "text", multiline, minLength, maxLength, pattern, colour, example: EXAMPLES[format] };
}

const asJson = (core) => ({ kind: "json", type: core.type, minItems: core.minItems ?? core.minProperties, maxItems: core.maxItems ?? core.maxProperties });

function list(core, depth) {
  const item = core.items && depth < DEPTH_MAX ? readField("item", core.items, true, depth + 1) : null;
  return item && !isBlank(item) ? { kind: "list", item, minItems: core.minItems, maxItems: core.maxItems } : asJson(core);
}

function tuple(core, depth) {
  if (depth >= DEPTH_MAX) return asJson(core);
  return { kind: "tuple", fields: core.prefixItems.map((spec, index) => readField(String(index), spec, true, depth + 1)) };
}

/** `dict[str, X]`: names that people write, and a value for each. */
function map(core, depth) {
  const [pattern, byPattern] = Object.entries(core.patternProperties ?? {})[0] ?? [];
  const spec = byPattern ?? core.additionalProperties;
  const item = spec && spec !== true && depth < DEPTH_MAX ? readField("value", spec, true, depth + 1) : null;
  if (!item || isBlank(item)) return asJson(core);
  const key = readField("name", core.propertyNames ?? { type: "string", pattern }, true);
  return { kind: "map", item, key, minItems: core.minProperties, maxItems: core.maxProperties };
}

const isBlank = (field) => field.kind === "json" && !field.type;

function group(core, depth) {
  if (depth >= DEPTH_MAX) return asJson(core);
  const { properties } = core;
  // In a required parameter its flag stands where the list would be.
  const names = core["x-required"] ?? core.required;
  const needs = (key) => Array.isArray(names) && names.includes(key);
  return { kind: "group", fields: Object.keys(properties).map((key) => readField(key, properties[key], needs(key), depth + 1)) };
}

/** Several types: a person says which. Members of one shape are told apart by the constant that each has. */
function union(name, specs, depth) {
  const arms = depth < DEPTH_MAX ? specs.map((spec) => readField(name, spec, true, depth + 1)) : [];
  if (!arms.length || arms.some(isBlank)) return { kind: "json" };
  for (const arm of arms) for (const inner of arm.fields ?? []) inner.fixed = arm.kind === "group" && isConstant(inner);
  const labels = arms.map(armLabel);
  return { kind: "union", arms: arms.map((arm, index) => ({ ...arm, help: "", label: unique(labels, index) })) };
}

const isConstant = (field) => field.kind === "choice" && field.options.length === 1;
const unique = (labels, index) => (labels.indexOf(labels[index]) === labels.lastIndexOf(labels[index]) ? labels[index] : `${labels[index]} ${index + 1}`);

function armLabel(arm) {
  const tag = arm.fields?.find?.((inner) => inner.fixed);
  if (tag) return String(tag.options[0]);
  if (arm.kind === "number") return arm.integer ? "whole number" : "number";
  if (arm.kind === "choice") return isConstant(arm) ? String(arm.options[0]) : "choice";
  return { text: "text", secret: "secret", toggle: "yes or no", file: "file", list: "list", tuple: "list", map: "object", group: "object" }[arm.kind] ?? arm.type ?? "other";
}

/** `value` without its secrets, as it may be kept in the browser. */
export function withoutSecrets(field, value) {
  const within = (inner, part) => (part === undefined ? undefined : withoutSecrets(inner, part));
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  switch (field.kind) {
    case "secret": return undefined;
    case "list": return Array.isArray(value) ? value.map((part) => within(field.item, part)) : value;
    case "tuple": return Array.isArray(value) ? value.map((part, index) => within(field.fields[index], part)) : value;
    case "map": return isObject ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, within(field.item, part)])) : value;
    case "group": return isObject ? Object.fromEntries(field.fields.map((inner) => [inner.name, within(inner, value[inner.name])])) : value;
    case "union": return field.arms.some(holdsSecret) ? undefined : value;
    default: return value;
  }
}

function holdsSecret(field) {
  const inner = [...(field.fields ?? []), ...(field.arms ?? []), ...(field.item ? [field.item] : [])];
  return field.kind === "secret" || inner.some(holdsSecret);
}

/** The value a control begins with; undefined means unset. */
export function initial(field) {
  if (field.default !== undefined) return field.default;
  if (field.nullable) return null;
  if (field.omittable) return undefined;
  switch (field.kind) {
    case "toggle": return false;
    case "list": return [];
    case "map": return {};
    case "tuple": return field.fields.map(initial);
    case "group": return Object.fromEntries(field.fields.map((inner) => [inner.name, initial(inner)]).filter(([, value]) => value !== undefined));
    case "union": return initial(field.arms[0]);
    case "choice": return field.options.length === 1 ? field.options[0] : undefined;
    default: return undefined;
  }
}
