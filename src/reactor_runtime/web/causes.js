// Why the model failed: a message carries a reference, and the server tells its words to who sits at the machine.

const REFERENCE = /\(reference ([\da-f]{8})\)/;
const AT_HOME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** `{text, cause}`: a sentence, and where this machine runs the server `{hook, error, line}`, else null. */
export async function explained(api, message) {
  const [, reference] = REFERENCE.exec(message ?? "") ?? [];
  if (!reference) return { text: message ?? "", cause: null };
  const { hostname } = new URL(api.base || ".", location.href);
  const cause = AT_HOME.test(hostname) ? await api.cause(reference).catch(() => null) : null;
  if (!cause) return { text: `${message} The server's log has the cause, at this reference.`, cause: null };
  return { text: [cause.error, cause.line].filter(Boolean).join(" — "), cause };
}
