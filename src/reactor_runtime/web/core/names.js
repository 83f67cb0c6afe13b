// @ts-check
// How the names of code read to people.

/** `set_prompt` and `setPrompt` both read "Set prompt". */
export function humanize(name) {
  const words = String(name).replace(/([a-z\d])([A-Z])/g, "$1 $2").replace(/[_\-.]+/g, " ").trim();
  return words ? words[0].toUpperCase() + words.slice(1) : String(name);
}
