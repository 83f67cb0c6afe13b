// @ts-check
// What an offer and an answer say of the ways that media can take. Pure: no DOM, no WebRTC.

/** `candidate:1 1 udp 2122 10.0.0.3 40123 typ host` → `{protocol, address, port, relayed, listens}`. */
export function readCandidate(text) {
  const [, , protocol, , address, port, , type] = text.split(" ");
  return { protocol: protocol.toLowerCase(), address, port: Number(port), relayed: type === "relay", listens: !/ tcptype active/.test(text) };
}

/** The candidates of an SDP. */
export const candidatesIn = (sdp) => (sdp.match(/candidate:.*/g) ?? []).map(readCandidate);

/** An SDP without the candidates that a wish leaves out; of the client's own, `tcp` leaves none: it is who connects. */
export function onlyWished(sdp, wish, own = false) {
  if (!wish) return sdp;
  return sdp.replace(/^a=(candidate:.*)\r?\n/gm, (line, text) => {
    const { protocol, relayed } = readCandidate(text);
    return relayed || (own && wish === "tcp") || protocol !== wish ? "" : line;
  });
}
