// @ts-check
// The secret that a server may ask for, from a person's hand to the server.

const BELOW = /\/t\/([^/]+)\/?$/; // http://host:8080/t/TOKEN, which SDKs take as their base URL

/** People copy the whole address as often as the token in it. */
export function tokenIn(text) {
  const written = text.trim();
  if (!URL.canParse(written)) return written;
  const { searchParams, pathname } = new URL(written);
  const below = BELOW.exec(pathname);
  return searchParams.get("token") || (below && decoded(below[1])) || written;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
