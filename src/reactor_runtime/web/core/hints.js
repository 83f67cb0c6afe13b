// @ts-check
// What an author says of a parameter beside its type: `json_schema_extra={"widget": "seed", "unit": "px", …}`. Pure.
// What is not known, or does not fit the type, changes nothing.

const PRESETS_MAX = 24;
const TEXT_MAX = 60;
const FITS = {
  prompt: ({ kind }) => kind === "text",
  seed: ({ kind, integer }) => kind === "number" && integer,
  color: ({ kind }) => kind === "text",
  angle: ({ kind, slider }) => kind === "number" && slider,
  xy: ({ kind, fields = [] }) => ["tuple", "group"].includes(kind) && fields.length === 2 && fields.every(({ slider }) => slider),
  hidden: () => true,
};

/** The hints in `spec` that fit `field`, with the spelling of both sides of the Atlantic. */
export function hintsIn(spec, field) {
  const text = (value) => (typeof value === "string" && value.trim() ? value.trim().slice(0, TEXT_MAX) : null);
  const named = spec.widget === "colour" ? "color" : spec.widget;
  const widget = Object.hasOwn(FITS, named) && FITS[named](field) ? named : null;
  return {
    widget,
    presets: presetsIn(spec.presets),
    unit: field.kind === "number" ? text(spec.unit) ?? (widget === "angle" ? "°" : null) : null,
    section: text(spec.group),
    neutral: spec.neutral,
    order: Number.isFinite(spec.order) ? spec.order : null,
  };
}

/** `["calm", "wild"]`, `{"calm": 0.1}` and `[{"label": "calm", "value": 0.1}]` all are `[{label, value}]`. */
function presetsIn(given) {
  if (typeof given !== "object" || given === null) return [];
  const all = Array.isArray(given)
    ? given.map((each) => (each !== null && typeof each === "object" && "value" in each ? { label: each.label ?? each.value, value: each.value } : { label: each, value: each }))
    : Object.entries(given).map(([label, value]) => ({ label, value }));
  return all.slice(0, PRESETS_MAX).map(({ label, value }) => ({ label: typeof label === "string" ? label : JSON.stringify(label), value }));
}

/** Fields by `order`, those without one after those with one, and otherwise as they were declared. */
export function inOrder(fields) {
  const place = ({ order }) => order ?? Infinity;
  return fields.map((field, index) => ({ field, index }))
    .sort((a, b) => (place(a.field) === place(b.field) ? a.index - b.index : place(a.field) - place(b.field)))
    .map(({ field }) => field);
}
