// @ts-check
// Everything that plays besides the mouse on a control: keys, gamepads, sticks and crosses on the picture.

import { makeCross } from "./cross.js";
import { Holds } from "../core/holds.js";
import { keyEditor } from "./keyeditor.js";
import { Keyboard } from "./keyboard.js";
import { later } from "../core/later.js";
import { Keymap, keyName } from "../core/keymap.js";
import { mouseLook } from "./mouselook.js";

const THUMBS = 2;

export class Play {
  #offs = [];
  /** @type {import("./gamepad.js").Gamepads | null} */
  gamepads = null;

  /**
   * `surface` lies over the picture, `thumbs` beside it; `keysOn` is where keys are heard; `isPlaying()` says whether they count, and
   * `signal` ends it.
   */
  constructor({ cards, surface, thumbs, prefs, keysOn, isPlaying, signal }) {
    this.cards = cards;
    this.surface = surface;
    this.thumbs = thumbs;
    this.prefs = prefs;
    this.keyboard = new Keyboard(keysOn, new Holds(new Keymap([]), cards), isPlaying, signal);
    addEventListener("gamepadconnected", async () => {
      const there = await later("app/gamepad.js");
      this.gamepads ??= there && new there.Gamepads(this.keyboard, () => cards.pads, isPlaying, signal);
      this.gamepads?.begin();
    }, { signal });
    addEventListener("blur", () => this.releaseAll(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.releaseAll(), { signal });
  }

  /** The cards were drawn anew. */
  attach() {
    const { cards, keyboard, prefs, surface } = this;
    this.releaseAll();
    const keymap = new Keymap(cards.commands, prefs.get("keys"));
    keyboard.holds = new Holds(keymap, cards);
    const editors = [];
    const show = () => {
      for (const card of cards.all) card.showKeys((field, option) => this.#keysOf(keymap, card, field, option));
    };
    for (const card of cards.all) {
      const targets = keymap.targets.filter((target) => card.names.includes(target.command));
      if (!targets.length) continue;
      const editor = keyEditor(targets, keymap, keyboard, () => {
        prefs.set("keys", keymap.chosen);
        for (const each of editors) each.draw(); // a key that went here was taken from there
        show();
      });
      editors.push(editor);
      card.tools.append(editor.button);
      card.element.append(editor.table);
    }
    show();
    for (const off of this.#offs.splice(0)) off();
    const [pad] = cards.pads;
    surface.classList.toggle("stick", pad !== undefined);
    if (pad) {
      const looking = new AbortController();
      pad.side.append(mouseLook(surface, pad, looking.signal));
      this.#offs.push(pad.listenOn(surface), () => looking.abort());
    }
    const crosses = keymap.compasses.slice(0, THUMBS).map((compass) => makeCross(compass, keyboard.holds));
    const sticks = cards.pads.slice(0, THUMBS - crosses.length).map((each) => each.stick());
    this.thumbs.replaceChildren(...crosses, ...sticks.map(({ element }) => element));
    this.#offs.push(...sticks.map(({ off }) => off));
  }

  #keysOf(keymap, card, field, option) {
    const id = field === null ? option : [card.command.name, field.name, JSON.stringify(option)].join("|");
    return keymap.codesOf(id).filter((code) => !code.startsWith("Pad")).map(keyName)[0] ?? "";
  }

  /** Nothing is pressed any more, whatever hands do: the focus or the connection is gone. */
  releaseAll() {
    this.keyboard.releaseAll();
    this.gamepads?.releaseAll();
    for (const pad of this.cards.pads) pad.release();
  }
}
