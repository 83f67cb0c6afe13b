// @ts-check
// What was written before: the arrow up in a prompt, as in a shell.

const KEPT = 30;
const ROWS_MAX = 8;
const ROWS_MIN = 2;

/** Lets `entry` recall and grow; `prefs` (`get()`, `set(list)`) keeps the texts. Returns `{push(text), grow()}`. */
export function withHistory(entry, prefs, write) {
  let at = null; // which of the kept texts is shown; null for what is being written
  let draft = "";
  const grow = () => (entry.rows = Math.min(ROWS_MAX, Math.max(ROWS_MIN, entry.value.split("\n").length, Math.ceil(entry.scrollHeight / 24) - 1)));
  const show = (text) => {
    write(text);
    entry.setSelectionRange(0, 0);
    grow();
  };
  entry.addEventListener("input", () => {
    at = null;
    entry.rows = ROWS_MIN; // so that its height says how much there is
    grow();
  });
  entry.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || entry.selectionEnd !== 0) return;
    const kept = prefs.get() ?? [];
    if (at === null && by < 0) return;
    const next = (at ?? -1) + by;
    if (next >= kept.length) return;
    event.preventDefault();
    if (at === null) draft = entry.value;
    at = next < 0 ? null : next;
    show(at === null ? draft : kept[at]);
  });
  return {
    grow,
    push(text) {
      at = null;
      if (typeof text !== "string" || !text.trim()) return;
      prefs.set([text, ...(prefs.get() ?? []).filter((each) => each !== text)].slice(0, KEPT));
    },
  };
}
