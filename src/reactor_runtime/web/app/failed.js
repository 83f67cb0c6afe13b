// @ts-check
// Why the model failed, over its last picture. Loaded when it did.

/** On this machine the exception and the author's own line; elsewhere where they are. `words` are those of the phase. */
export async function sayWhy(viewer, words) {
  const { text, cause } = await viewer.explained(words.sentence);
  if (viewer.shown !== "ended" || text === words.sentence) return;
  const told = cause ? { sentence: cause.error, cause: cause.line } : { sentence: text };
  viewer.say({ ...words, ...told, dim: true });
  viewer.error(cause?.hook ?? "error", text);
}
