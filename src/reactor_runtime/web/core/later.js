// @ts-check
// What is loaded when it is needed, and no sooner: all of it is asked for here, and again where it did not come.

const PAUSES_MS = [0, 500, 2_000];

/** @type {Map<string, Promise<any>>} */
const coming = new Map();

/** Tells of each part that did not come, as `missing` with a sentence. */
export const parts = new EventTarget();

/**
 * A module by its path below `web`; null, and everybody is told, where it did not come. The next call asks again.
 * @template {keyof import("./parts.d.ts").Later} Name
 * @param {Name} name
 * @returns {Promise<import("./parts.d.ts").Later[Name] | null>}
 */
export function later(name) {
  const there = coming.get(name) ?? fetched(name);
  coming.set(name, there);
  return there;
}

async function fetched(name) {
  const at = new URL(`../${name}`, import.meta.url);
  for (const pause of PAUSES_MS) {
    if (pause) await new Promise((done) => setTimeout(done, pause));
    try {
      return await import(at.href);
    } catch {
      at.search = `${Date.now()}`; // a browser remembers which address did not come
    }
  }
  coming.delete(name);
  parts.dispatchEvent(new CustomEvent("missing", { detail: "A part of the page did not come. Try again, or reload it." }));
  return null;
}
