// @ts-check
// Which key does what: by itself for directions, as a person says for anything else. Pure.

import { directionsIn, directionsOf } from "./directions.js";
import { humanize } from "./names.js";

const LETTERS = { up: "KeyW", left: "KeyA", down: "KeyS", right: "KeyD", rise: "KeyE", sink: "KeyQ", jump: "Space" };
const ARROWS = { up: "ArrowUp", left: "ArrowLeft", down: "ArrowDown", right: "ArrowRight", jump: "Space" };
const PAD = { up: "PadUp", left: "PadLeft", down: "PadDown", right: "PadRight", jump: "Pad0" };
const NAMES = { ArrowUp: "↑", ArrowLeft: "←", ArrowDown: "↓", ArrowRight: "→", Escape: "Esc", PadUp: "pad ↑", PadLeft: "pad ←", PadDown: "pad ↓", PadRight: "pad →" };

/** `KeyW` → "W". */
export const keyName = (code) => NAMES[code] ?? code.replace(/^(Key|Digit)/, "").replace(/^Pad/, "pad ");

/**
 * Everything in a command that a key can do: `{id, command, field, label, does}`, where `does` is `fire` (send),
 * `choose` an `option`, `hold` (true while pressed, or in the list while pressed), `flip`, or `step` by a `sign`.
 */
export function targetsOf(command) {
  const of = (field, tag, label, more) => ({ id: [command.name, field.name, tag].join("|"), command: command.name, field, label, ...more });
  const targets = command.fields.flatMap((field) => {
    const named = humanize(field.name);
    if (field.kind === "choice") return field.options.map((option) => of(field, JSON.stringify(option), `${named}: ${option}`, { does: "choose", option }));
    if (isKeyList(field)) return field.item.options.map((option) => of(field, JSON.stringify(option), `${named}: ${option}`, { does: "hold", option }));
    if (field.kind === "toggle") return [of(field, "", named, toggled(command, field))];
    if (field.kind === "number" && field.slider) return [1, -1].map((sign) => of(field, sign, `${named} ${sign > 0 ? "more" : "less"}`, { does: "step", sign }));
    return [];
  });
  const send = { id: command.name, command: command.name, field: null, label: command.fields.length ? "Send" : humanize(command.name), does: "fire" };
  return [...(command.fields.length && command.live ? [] : [send]), ...targets];
}

/** True while it is held, where its name is a direction, or where it is all that a command of such a name takes. */
function toggled({ name, fields }, field) {
  if (directionsIn(field.name)) return { does: "hold" };
  return fields.length === 1 && directionsIn(name) ? { does: "hold", way: name } : { does: "flip" };
}

/** A list of directions is what is held: `keys: list[Literal["w", "a", "s", "d"]]`. */
const isKeyList = (field) => field.kind === "list" && field.item.kind === "choice" && directionsOf(field.item.options) !== null;

/** The targets that lead somewhere, one map from direction to target for each field, for each command of toggles, and for commands that are directions by their names. */
function compasses(targets) {
  const groups = new Map();
  for (const target of targets) {
    const alone = target.way ?? (target.does === "fire" && directionsIn(target.command) ? target.command : null);
    if (alone) target.way = alone;
    else if (target.does !== "choose" && target.does !== "hold") continue;
    const key = alone ? "|" : target.option === undefined ? target.command : `${target.command}|${target.field.name}`;
    groups.set(key, [...(groups.get(key) ?? []), target]);
  }
  return [...groups.values()].flatMap((members) => {
    const word = (target) => target.way ?? target.option ?? target.field.name;
    const ways = directionsOf(members.map(word));
    if (!ways) return [];
    return [new Map(members.filter((target) => ways.has(word(target))).map((target) => [ways.get(word(target)), target]))];
  });
}

/** A code for every target that has one, and the other way round. What people chose is kept apart from what is so by itself. */
export class Keymap {
  #own;
  #chosen;

  /** `chosen` is what `chosen` of an earlier keymap was. */
  constructor(commands, chosen = {}) {
    this.targets = commands.flatMap(targetsOf);
    this.compasses = compasses(this.targets);
    this.#own = this.#automatic();
    this.#chosen = Object.fromEntries(Object.entries(chosen ?? {}).filter(([id]) => this.targets.some((target) => target.id === id)));
  }

  #automatic() {
    const own = {};
    const [first, second] = this.compasses;
    const bind = (compass, codes) => {
      for (const [way, target] of compass ?? []) if (codes[way]) (own[target.id] ??= []).push(codes[way]);
    };
    bind(first, LETTERS);
    bind(second ?? first, ARROWS);
    bind(first, PAD);
    for (const id of Object.keys(own)) own[id] = [...new Set(own[id])];
    return own;
  }

  get chosen() {
    return this.#chosen;
  }

  codesOf(id) {
    if (this.#chosen[id]) return this.#chosen[id];
    const taken = new Set(Object.values(this.#chosen).flat());
    return (this.#own[id] ?? []).filter((code) => !taken.has(code));
  }

  targetOf(code) {
    return this.targets.find(({ id }) => this.codesOf(id).includes(code)) ?? null;
  }

  /** `code` does this from now on, and nothing else; null takes all keys from `id`. */
  assign(id, code) {
    for (const other of Object.keys(this.#chosen)) this.#chosen[other] = this.#chosen[other].filter((each) => each !== code);
    this.#chosen[id] = code === null ? [] : [code];
  }

  /** Back to what is so by itself. */
  reset(ids) {
    for (const id of ids) delete this.#chosen[id];
  }
}
