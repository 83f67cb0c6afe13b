// The secret that a server may ask for, from a person's hand to the server.

/** People copy the whole address as often as the token in it. */
export function tokenIn(text) {
  const written = text.trim();
  return (URL.canParse(written) && new URL(written).searchParams.get("token")) || written;
}

/** The server answers this address with a cookie; it does not stay in the history, which others may read. */
export function openWith(text) {
  location.replace(`?token=${encodeURIComponent(tokenIn(text))}`);
}
