// @ts-check
// What stands around the controls: all of them reset or in a link, a log that folds, keys and pastes that belong to none.

import { el } from "./dom.js";
import { later } from "../core/later.js";
import { linkWith } from "../core/link.js";
import { makeTabs } from "./tabs.js";

const WRITES = "input, textarea, select, [contenteditable]";

/** Two buttons for all controls. */
export function allControls({ cards, messages }) {
  const copy = async () => {
    const link = linkWith(cards.values(), location.origin + location.pathname);
    if (!link) return messages.note("These values are too long for a link.");
    await navigator.clipboard?.writeText(link).catch(() => {}); // refused: it can be read below
    return messages.note(`A link with these values: ${link}`);
  };
  const button = (text, onclick) => el("button", { type: "button", class: "plain", onclick }, text);
  return el("div", { class: "row everything" }, button("Reset all", () => cards.reset()), button("Copy link", copy));
}

/** `tabs` with a button beside them that folds what is below; `set(on)` does it. */
function foldable(tabs, set, store) {
  let on = store.preferred("", "folded") === true;
  const draw = () => (set(on), button.setAttribute("aria-expanded", String(!on)));
  const button = el("button", {
    type: "button",
    class: "plain fold",
    "aria-label": "Messages and statistics",
    onclick: () => ((on = !on), store.prefer("", "folded", on), draw()),
  }, "▾");
  queueMicrotask(draw); // when what it folds is there
  return el("div", { class: "tabsrow" }, tabs, button);
}

/** Messages, statistics and schema behind tabs. `folded(on)` folds them; `measured` is what the statistics draw. */
export function logOf(messages, { folded, store, measured }) {
  const statistics = el("div", { class: "panelbody", tabindex: "0" });
  let draw = null;
  const look = async () => {
    const [charts, fall] = await Promise.all([later("app/charts.js"), later("app/waterfall.js")]);
    if (charts && fall) draw ??= charts.drawCharts(statistics, measured, fall.Waterfall);
    draw?.();
  };
  const schema = el("pre", { tabindex: "0", "aria-label": "Declared commands and tracks" });
  const panel = el("div", { class: "panelbody" }, schema);
  const tabs = makeTabs("About the session", [["Messages", messages], ["Statistics", statistics, look], ["Schema", panel]]);
  const head = foldable(tabs[0], folded, store);
  const section = el("section", { class: "log", "aria-label": "Messages, statistics, schema" }, head, ...tabs.slice(1));
  return { section, schema };
}

/** The track of that number becomes the large one. */
function chooseTrack(stage, number) {
  const name = stage.tiles.size > 1 ? [...stage.tiles.keys()][number - 1] : undefined;
  if (name !== undefined && name !== stage.large) stage.enlarge(name);
}

/** Number keys choose a track, and a pasted picture goes to the first place for files. */
export function listenBeside(target, { stage, cards }, signal) {
  target.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^Digit[1-9]$/.test(event.code) && !event.composedPath()[0].matches?.(WRITES)) chooseTrack(stage, Number(event.code.slice(5)));
  }, { signal });
  target.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (files?.length && !event.composedPath()[0].matches?.(WRITES) && cards.paste(files)) event.preventDefault();
  }, { signal });
}
