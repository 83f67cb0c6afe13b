// @ts-check
// What to do where no rung of the ladder carries, in words: asked for when that is so. Pure.

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

/** What to do where `peer` finds no way. */
export const noWayOf = ({ tried, wish, address = location.href }) => noWay({ ...tried, wish, page: placeOf(address, navigator.userAgent) });
