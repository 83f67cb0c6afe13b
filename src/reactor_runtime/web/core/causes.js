// @ts-check
// Why the model failed: a message carries a reference, and the server tells its words to who sits at the machine.

const REFERENCE = /\(reference ([\da-f]{8})\)/;

/** `{text, cause}`: a sentence, and where this machine runs the server `{hook, error, line}`, else null. */
export async function explained(api, message) {
  const [, reference] = REFERENCE.exec(message ?? "") ?? [];
  if (!reference) return { text: message ?? "", cause: null };
  const cause = api.isHome ? await api.call("GET", `/errors/${reference}`).then(({ answer }) => answer, () => null) : null;
  if (!cause) return { text: `${message} The server's log has the cause, at this reference.`, cause: null };
  return { text: [cause.error, cause.line].filter(Boolean).join(" — "), cause };
}
