// @ts-check
// Keys of the keyboard to `holds`, unless they belong to what has the focus.

const LEAVE_TO_ALL = new Set(["Tab", "Escape"]);
const OWN_KEYS = {
  range: /^(Arrow|Home|End|Page)/,
  radio: /^(Arrow|Space)/,
  checkbox: /^Space$/,
  button: /^(Space|Enter)$/,
  tab: /^(Arrow|Home|End|Space|Enter)/,
};

export class Keyboard {
  /** @type {((code: string | null) => void) | null} */
  #capture = null;

  /** Listens on `target`, the window of the page or a player that somebody embedded, until `signal`. */
  constructor(target, holds, isPlaying, signal) {
    this.holds = holds;
    target.addEventListener("keydown", (event) => this.#down(event, isPlaying()), { signal });
    // Let go anywhere: a key that goes up beside the player must not stay pressed in it.
    addEventListener("keyup", ({ code }) => this.holds.release(code), { signal });
    if (target !== window) target.addEventListener("focusout", ({ relatedTarget }) => target.contains(relatedTarget) || this.releaseAll(), { signal });
  }

  releaseAll() {
    this.holds.releaseAll();
  }

  /** Resolves with the next key's code; null when the person changed their mind. */
  next() {
    this.#capture?.(null);
    return new Promise((done) => (this.#capture = done));
  }

  #down(event, playing) {
    const { code } = event;
    if (this.#capture) {
      event.preventDefault();
      event.stopPropagation();
      return this.captured(code === "Escape" || code === "Tab" ? null : code);
    }
    if (!playing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || LEAVE_TO_ALL.has(code)) return undefined;
    if (belongsTo(event.composedPath()[0], code)) return undefined;
    if (event.repeat ? this.holds.keymap.targetOf(code) : this.holds.press(code)) event.preventDefault();
    return undefined;
  }

  /** A key was chosen, on the keyboard or on a gamepad; true when somebody waited for it. */
  captured(code) {
    const done = this.#capture;
    this.#capture = null;
    done?.(code);
    return done !== null;
  }
}

/** Whether the focused element has a use of its own for this key. */
function belongsTo(element, code) {
  if (!(element instanceof Element)) return false;
  if (element.matches("textarea, select, [contenteditable]")) return true;
  const kind = element instanceof HTMLInputElement ? element.type : element.getAttribute("role") ?? element.localName;
  if (element.matches("input") && !(kind in OWN_KEYS)) return true; // text and numbers
  return OWN_KEYS[kind]?.test(code) ?? false;
}
