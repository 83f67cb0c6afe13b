// @ts-check
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
  return { name, sentence: `${named}, ${reasonOf(carrier, wish, remote)}` };
}

function reasonOf({ wire }, wish, remote) {
  if (wish) return `because the address asks for it (?wire=${wish})`;
  if (wire === "turn") return "because no direct way led to the server";
  if (wire !== "tcp") return "the direct way";
  return remote.some(({ protocol }) => protocol === "udp") ? "because no UDP packet came back" : "because the server offers nothing else";
}
