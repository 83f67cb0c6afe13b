// @ts-check
// The browser's counters → numbers that mean something: rates over the time since the last look. Pure.

/** What is shown, in this order: `[key, label, unit, digits]`. */
export const MEASURES = [
  ["photon", "Command to picture", "ms", 0],
  ["reply", "Command to reply", "ms", 0],
  ["fps", "Frame rate", "fps", 0],
  ["bitrate", "Bit rate", "Mbit/s", 2],
  ["sent", "Sent by the server", "Mbit/s", 2],
  ["target", "The encoder's target", "Mbit/s", 2],
  ["estimate", "The network's estimate", "Mbit/s", 2],
  ["rtt", "Network round trip", "ms", 0],
  ["jitter", "Jitter buffer", "ms", 0],
  ["loss", "Packets lost", "%", 1],
];

/** Counters of the pictures in `report`, to be kept for the next look. */
export function countersOf(report, now) {
  const all = [...report.values()];
  const inbound = all.filter((each) => each.type === "inbound-rtp");
  const videos = inbound.filter((each) => each.kind === "video");
  const pair = all.find((each) => each.type === "candidate-pair" && each.nominated && each.state === "succeeded");
  const sum = (list, key) => list.reduce((total, each) => total + (each[key] ?? 0), 0);
  const main = videos[0];
  return {
    now,
    bytes: sum(inbound, "bytesReceived"),
    received: sum(inbound, "packetsReceived"),
    lost: sum(inbound, "packetsLost"),
    frames: main?.framesDecoded ?? 0,
    delay: main?.jitterBufferDelay ?? 0,
    emitted: main?.jitterBufferEmittedCount ?? 0,
    rtt: pair?.currentRoundTripTime,
    width: main?.frameWidth,
    height: main?.frameHeight,
    codec: all.find((each) => each.id === main?.codecId)?.mimeType?.split("/")[1],
  };
}

/** What happened between two looks; a number that cannot be known is null. */
export function ratesBetween(before, after) {
  const seconds = (after.now - before.now) / 1000;
  const gone = (key) => after[key] - before[key];
  const over = (part, whole) => (whole > 0 ? part / whole : null);
  if (!(seconds > 0) || gone("received") < 0) return null; // another connection: nothing to compare with
  const packets = gone("received") + Math.max(0, gone("lost"));
  return {
    fps: gone("frames") / seconds,
    bitrate: (8 * gone("bytes")) / seconds / 1e6,
    rtt: after.rtt === undefined ? null : 1000 * after.rtt,
    jitter: scaled(over(gone("delay"), gone("emitted")), 1000),
    loss: scaled(over(Math.max(0, gone("lost")), packets), 100),
    width: after.width,
    height: after.height,
    codec: after.codec,
  };
}

/** What the server says of the video it sends to who asks, in Mbit/s. */
export function outboundOf({ clients = [] }) {
  const videos = (clients.find(({ you }) => you)?.outbound ?? []).filter(({ kind }) => kind === "video");
  const sum = (key) => (videos.some((each) => each[key]) ? videos.reduce((total, each) => total + (each[key] ?? 0), 0) / 1e6 : null);
  return { sent: sum("sent_bitrate"), target: sum("target_bitrate"), estimate: videos[0]?.available_outgoing_bitrate ? videos[0].available_outgoing_bitrate / 1e6 : null };
}

/** Why no picture is shown although they arrive; "" where that is not so. */
export const undecodedIn = (counters) => (counters?.received > 100 && counters.frames === 0
  ? "Pictures arrive, but this browser decodes none of them. Smaller ones would work (1920×1080), or start the server with --encoder vp8."
  : "");

const scaled = (value, by) => (value === null ? null : value * by);

/** What is written below the picture: size, frames, rate and way, as far as they are known. */
export function factsIn(rates, { videoWidth: width, videoHeight: height }, way) {
  if (!rates) return [];
  const known = width ? [`${width}×${height}`] : [];
  if (rates.fps !== undefined) known.push(`${rates.fps < 9.5 ? rates.fps.toFixed(1) : Math.round(rates.fps)} fps`);
  if (rates.bitrate !== undefined) known.push(`${rates.bitrate.toFixed(1)} Mbit/s`);
  if (known.length && way) known.push(way.name);
  return known;
}
