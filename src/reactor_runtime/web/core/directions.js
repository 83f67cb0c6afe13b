// @ts-check
// What a model's words mean for playing: directions, rest, and pairs of numbers that are one movement. Pure.

const WORDS = {
  up: ["up", "forward", "forwards", "fwd", "ahead", "north", "w"],
  down: ["down", "back", "backward", "backwards", "bwd", "reverse", "south", "s"],
  left: ["left", "west", "a"],
  right: ["right", "east", "d"],
  rise: ["rise", "ascend"],
  sink: ["sink", "descend"],
  jump: ["jump", "space"],
};
const MEANING = new Map(Object.entries(WORDS).flatMap(([meaning, words]) => words.map((word) => [word, meaning])));
const FILLERS = new Set(["move", "go", "turn", "look", "strafe", "walk", "pan", "rotate", "camera", "arrow", "key", "step", "is", "set", "press", "hold", "pressed"]);
const REST = new Set(["none", "stop", "idle", "neutral", "still", "stay", "center", "centre", "middle", "off", "noop", "no_op", "nothing", "rest", "static", ""]);
const PAIRS = [
  ["x", "y"], ["dx", "dy"], ["vx", "vy"], ["u", "v"], ["pan", "tilt"], ["yaw", "pitch"], ["azimuth", "elevation"],
  ["horizontal", "vertical"], ["lon", "lat"], ["steer", "throttle"], ["steering", "throttle"], ["turn", "speed"], ["strafe", "forward"],
];
const ANGLES = /yaw|pitch|pan|tilt|azimuth|elevation|lon|lat/;

/** `forward_left` → ["up", "left"]; null when the word is no direction. */
export function directionsIn(option) {
  if (typeof option !== "string") return null;
  const parted = option.toLowerCase().replace(/^(north|south|up|down)(east|west|left|right)$/, "$1_$2");
  const words = parted.split(/[_\-\s+]+/).filter((word) => !FILLERS.has(word));
  const meanings = words.map((word) => MEANING.get(word));
  return words.length && !meanings.includes(undefined) ? meanings : null;
}

/** Which way each option leads: a map from option to meaning, or null when these are not directions. */
export function directionsOf(options) {
  const found = new Map();
  for (const option of options) {
    const ways = directionsIn(option);
    if (ways?.length === 1) found.set(option, ways[0]);
  }
  // Where there is a "forward", "up" is a third dimension.
  if (options.some((option) => /forward|fwd|ahead/i.test(option))) {
    for (const option of found.keys()) {
      if (/(^|_)up$/i.test(option)) found.set(option, "rise");
      if (/(^|_)down$/i.test(option)) found.set(option, "sink");
    }
  }
  const ways = new Set(found.values());
  const paired = (ways.has("left") && ways.has("right")) || (ways.has("up") && ways.has("down"));
  return paired ? found : null;
}

/** The value that means "nothing is pressed": undefined when the type has none. */
export function neutralOf(field) {
  if (field.neutral !== undefined) return field.neutral;
  if (field.kind === "toggle") return false;
  if (field.kind === "list") return [];
  const word = field.options?.find((option) => typeof option === "string" && REST.has(option.toLowerCase()));
  if (word !== undefined) return word;
  return field.nullable ? null : undefined;
}

const isBounded = (field) => field.kind === "number" && field.slider;

/**
 * The two numbers of a command that are one movement: `{command, x, y, spring, down}` with fields in `x` and `y`.
 * `spring`: letting go brings it back, as for a stick; `down`: larger values are further down, as in pictures.
 */
export function pairOf(command) {
  const numbers = command.fields.filter(isBounded);
  for (const [first, second] of PAIRS) {
    const x = numbers.find(({ name }) => tail(name) === first);
    const y = numbers.find(({ name }) => tail(name) === second && stem(name) === stem(x?.name ?? ""));
    if (x && y) return describe(command, x, y);
  }
  const both = numbers.length === 2 && command.fields.length === 2 && numbers.every((field) => field.min === -field.max);
  return both ? describe(command, ...numbers) : null;
}

const tail = (name) => name.toLowerCase().split("_").pop();
const stem = (name) => name.toLowerCase().split("_").slice(0, -1).join("_");

function describe(command, x, y) {
  const centred = [x, y].every((field) => field.min === -field.max);
  const spring = centred && !ANGLES.test(`${x.name}${y.name}`);
  return { command: command.name, x, y, spring, down: !centred };
}

/** Where a released stick stands. */
export const restOf = (field) => field.default ?? (field.min <= 0 && field.max >= 0 ? 0 : (field.min + field.max) / 2);
