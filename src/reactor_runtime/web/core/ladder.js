// The ways that media can take, from the best one down; which one carries, and why, in words. Pure: no DOM, no WebRTC.

/** In order. The page tries the first three in one ICE run, and the browser keeps the best that works. */
export const RUNGS = [
  { rung: 1, wire: "udp", name: "UDP" },
  { rung: 2, wire: "tcp", name: "TCP" },
  { rung: 3, wire: "turn", name: "TURN" },
  // Their places; nothing is built there yet.
  { rung: 4, wire: "websocket", name: "WebSocket", built: false },
  { rung: 5, wire: "notebook", name: "notebook", built: false },
];
const WISHES = ["udp", "tcp"];
const HEARD_MAX = 20;

/** What an address asks for: `?wire=tcp` → `{wish: "tcp"}`; a word that is none is told in `sentence`. */
export function wishIn(search) {
  const word = new URLSearchParams(search).get("wire");
  if (word === null || WISHES.includes(word)) return { wish: word, sentence: "" };
  const known = RUNGS.find(({ wire, built }) => wire === word && built === false);
  const why = known ? "which this page cannot do yet" : "which there is not";
  return { wish: null, sentence: `The address asks for the wire “${word.slice(0, HEARD_MAX)}”, ${why}; udp and tcp can be asked for. The page chooses by itself.` };
}

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

/** What a report of statistics says that carries: null before anything does. */
export function carrierOf(report) {
  const all = [...report.values()];
  const chosen = all.find(({ type, selectedCandidatePairId: id }) => type === "transport" && id)?.selectedCandidatePairId;
  const pair = all.find((each) => each.type === "candidate-pair"
    && (chosen ? each.id === chosen : each.state === "succeeded" && (each.nominated || each.selected)));
  const [local, remote] = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => all.find((each) => each.id === id));
  if (!remote) return null;
  const relayed = [local, remote].some((each) => each?.candidateType === "relay");
  return { wire: relayed ? "turn" : remote.protocol, port: remote.port };
}

/** The rung's name, and a sentence's end: "TCP on port 8080, because no UDP packet came back". */
export function wayOf(carrier, { wish, remote }) {
  const { name } = RUNGS.find(({ wire }) => wire === carrier.wire) ?? RUNGS[0];
  const named = carrier.wire === "tcp" ? `TCP on port ${carrier.port}` : carrier.wire === "turn" ? "a TURN server" : name;
  return { name, sentence: `${named}, ${why(carrier, wish, remote)}` };
}

function why({ wire }, wish, remote) {
  if (wish) return `because the address asks for it (?wire=${wish})`;
  if (wire === "turn") return "because no direct way led to the server";
  if (wire !== "tcp") return "the direct way";
  return remote.some(({ protocol }) => protocol === "udp") ? "because no UDP packet came back" : "because the server offers nothing else";
}

/**
 * What to do where no rung carries. `local` and `remote` are the candidates of both sides; `page` is `{loopback, proxied,
 * firefox, port}`.
 */
export function noWay({ wish, local, remote, page }) {
  const tcp = remote.find(({ protocol, listens }) => protocol === "tcp" && listens);
  return [
    "The server answers, but no media gets through.", advice(wish, remote, tcp, page),
    `Tried from this browser: ${listed(local, false)}; to the server: ${listed(remote, true)}.`,
  ].join(" ");
}

function advice(wish, remote, tcp, { loopback, proxied, firefox, port }) {
  const tunnel = `ssh -L ${port}:localhost:${port}`;
  if (wish === "udp") return "The address asks for UDP alone (?wire=udp), and no UDP packet came back: without ?wire=udp the page also tries TCP.";
  if (wish === "tcp" && !tcp) return "The address asks for TCP (?wire=tcp), and the server offers none: it runs with --no-tcp-media or --wire udp, or a proxy stands between.";
  if (!remote.length) return "The server named no address of its own: is it in a container or without a network? Start it with --advertise-ip and --webrtc-port-range, or with --turn-server.";
  if (tcp && firefox && loopback) return "Firefox makes no TCP connection for media to this computer itself, which is where a tunnel ends: open the page in a Chromium-based browser.";
  if (!tcp && proxied) return `A proxy passes this page on, and it passes no media. Open the server's own port instead, as through ${tunnel} and http://localhost:${port}; or start it with --advertise-ip and --advertise-port of a TCP port that leads to it, or with --turn-server.`;
  if (!tcp) return `UDP between this browser and the server must be open. Or reach the server's own port, as through ${tunnel} and http://localhost:${port}; or start it with --advertise-ip and --webrtc-port-range, or with --turn-server.`;
  return "Neither UDP nor TCP came through: whatever stands between passes this page, and no media. In a container or behind a router, "
    + `start the server with --advertise-ip and --advertise-port, or with --turn-server; or reach its own port, as through ${tunnel} and http://localhost:${port}.`;
}

const ADDRESSES_SHOWN = 6;

function listed(candidates, ports) {
  const words = candidates.filter(({ protocol }) => ports || protocol === "udp").map(({ protocol, address, port, relayed }) => {
    if (address.endsWith(".local")) return "addresses that the browser hides";
    const place = address.includes(":") ? `[${address}]` : address;
    return `${place}${ports ? `:${port}` : ""} (${protocol.toUpperCase()}${relayed ? " through TURN" : ""})`;
  });
  return [...new Set(words)].slice(0, ADDRESSES_SHOWN).join(", ") || "none";
}

/** Where this page is, as far as it matters here. */
export function placeOf(address, agent) {
  const { hostname, protocol, port, pathname } = new URL(address);
  const https = protocol === "https:";
  const jupyter = /\/proxy\/(?:absolute\/)?(\d+)\b/.exec(pathname);
  return {
    loopback: /^(localhost|127\..*|\[::1\])$/.test(hostname),
    proxied: https || jupyter !== null,
    firefox: /\bFirefox\//.test(agent),
    port: jupyter ? jupyter[1] : https ? 8080 : Number(port) || 80, // a proxy's own port says nothing about the server's
  };
}
