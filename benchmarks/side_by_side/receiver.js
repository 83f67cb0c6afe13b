// Receives one contender's video as a user's page would, and reads the time code out of every decoded frame.
// The harness calls what hangs on `window.bench`.

const COLUMNS = 40;
const BLOCK_HEIGHT = 16;
const ANSWER_POLL_MS = 20;
const PING_MS = 4000;

let offset = 0; // what to add to performance.now() to get the machine's CLOCK_MONOTONIC, in ms
const viewers = [];
const now = () => performance.now() + offset;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Best of `count` round trips to the harness; returns the length of that trip in ms. */
async function alignClock(count = 40) {
  let best = Infinity;
  for (let i = 0; i < count; i += 1) {
    const before = performance.now();
    const theirs = Number(await (await fetch("/clock", { cache: "no-store" })).text());
    const after = performance.now();
    if (after - before < best) {
      best = after - before;
      offset = theirs - (before + after) / 2;
    }
  }
  return best;
}

async function post(url, body, method = "POST") {
  const response = await fetch(url, {
    method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

async function gathered(connection) {
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") {
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  return connection.localDescription.sdp;
}

async function pollAnswer(url) {
  for (;;) {
    const response = await fetch(url);
    if (response.status === 200) return (await response.json()).sdp_answer;
    if (response.status !== 202) throw new Error(`GET ${url}: ${response.status} ${await response.text()}`);
    await sleep(ANSWER_POLL_MS);
  }
}

const SIGNALLING = {
  /** The 1.7 generation: one connection, offer posted, answer polled. */
  async g2(viewer, { base }) {
    viewer.channel = viewer.connection.createDataChannel("data");
    const sdp = await gathered(viewer.connection);
    const url = `${base}/sessions/${viewer.session}/transport/webrtc/sdp_params`;
    viewer.offered = now();
    await post(url, { sdp_offer: sdp, client_info: {}, track_mapping: mapping(viewer) });
    return pollAnswer(url);
  },
  /** The 3.x generation: a resource for each connection, a control channel, outputs that are resumed. */
  async g3(viewer, { base }) {
    const { connection } = viewer;
    const root = `${base}/sessions/${viewer.session}/transport/webrtc/connections`;
    const control = connection.createDataChannel("control");
    viewer.channel = connection.createDataChannel("data");
    control.addEventListener("open", () => control.send(JSON.stringify(
      { type: "notification", event: "resume_track", data: { name: "main_video" } })));
    const sdp = await gathered(connection);
    viewer.offered = now();
    const { connection_id: id } = await (await post(root, {})).json();
    await post(`${root}/${id}/sdp_params`, { sdp_offer: sdp, client_info: {}, track_mapping: mapping(viewer) });
    return pollAnswer(`${root}/${id}/sdp_params`);
  },
  /** Ours speaks both generations; before it spoke the later one it took one viewer only. */
  async ours(viewer, options) {
    const probe = await fetch(`${options.base}/sessions/none/transport/webrtc/connections`, { method: "POST" });
    const known = (await probe.json()).code !== "not_found"; // the route, not the session
    if (!known && viewers.length > 1) throw new Error("this version has no route for a second viewer yet");
    return SIGNALLING[known ? "g3" : "g2"](viewer, options);
  },
  /** FastRTC: one request; the stream begins when its input is set. */
  async fastrtc(viewer, { base }) {
    viewer.connection.createDataChannel("text");
    const id = crypto.randomUUID();
    const sdp = await gathered(viewer.connection);
    viewer.offered = now();
    const answer = await (await post(`${base}/webrtc/offer`, { sdp, type: "offer", webrtc_id: id })).json();
    if (!answer.sdp) throw new Error(`FastRTC refused: ${JSON.stringify(answer)}`);
    await post(`${base}/input_hook`, { webrtc_id: id });
    return answer.sdp;
  },
};

function mapping({ transceiver }) {
  return [{ mid: transceiver.mid, name: "main_video", kind: "video", direction: "recvonly" }];
}

async function startSession(base, within = 20000) {
  const deadline = now() + within;
  for (;;) {
    const response = await fetch(`${base}/start_session`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: "{}",
    });
    if (response.ok) return (await response.json()).session_id;
    if (now() > deadline) throw new Error(`start_session: ${response.status} ${await response.text()}`);
    await sleep(50);
  }
}

/** Joins; resolves with the milliseconds from the offer to the first decoded frame. */
async function join(options) {
  const viewer = new Viewer(options);
  viewers.push(viewer);
  if (options.signalling !== "fastrtc") {
    viewer.session = viewers.length > 1 ? viewers[0].session : options.session ?? await startSession(options.base);
  }
  const answer = await SIGNALLING[options.signalling](viewer, options);
  await viewer.connection.setRemoteDescription({ type: "answer", sdp: answer });
  viewer.watchChannel();
  const first = await Promise.race([viewer.first, sleep(15000)]);
  if (first === undefined) throw new Error(`no frame within 15 s; the peer is ${viewer.connection.connectionState}`);
  return first - viewer.offered;
}

class Viewer {
  samples = [];
  unreadable = 0;
  #said = [];

  constructor({ base, codec, signalling, height }) {
    this.height = height;
    this.base = base;
    this.signalling = signalling;
    this.connection = new RTCPeerConnection();
    this.transceiver = this.connection.addTransceiver("video", { direction: "recvonly" });
    if (codec) {
      const { codecs } = RTCRtpReceiver.getCapabilities("video");
      const kept = [`video/${codec}`, "video/rtx", "video/red", "video/ulpfec"];
      this.transceiver.setCodecPreferences(codecs.filter((each) => kept.includes(each.mimeType)));
    }
    this.first = new Promise((resolve) => { this.seen = resolve; });
    this.connection.addEventListener("track", ({ track }) => this.#read(track));
  }

  /** The luma of the next readable frame, base64. */
  grab() {
    return new Promise((resolve) => { this.wanted = resolve; });
  }

  async keep(frame, { counter }) {
    const { width, height } = frame.visibleRect;
    const bytes = new Uint8Array(frame.allocationSize());
    const [{ offset: start, stride }] = await frame.copyTo(bytes);
    const rows = [];
    for (let y = 0; y < height; y += 1) {
      rows.push(String.fromCharCode(...bytes.subarray(start + y * stride, start + y * stride + width)));
    }
    this.wanted({ counter, width, height, luma: btoa(rows.join("")) });
    this.wanted = undefined;
  }

  watchChannel() {
    if (!this.channel) return;
    this.channel.addEventListener("message", ({ data }) => {
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      const at = now();
      this.#said = this.#said.filter((listener) => !listener(text, at));
    });
    const ping = () => {
      if (this.channel.readyState === "open") {
        this.channel.send(JSON.stringify({ scope: "runtime", data: { type: "ping", data: {} } }));
      }
    };
    this.pings = setInterval(ping, PING_MS);
  }

  async #read(track) {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 8 }).readable.getReader();
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      const at = now();
      this.seen(at);
      const code = await readCode(frame, this.height);
      if (code && this.wanted) await this.keep(frame, code);
      frame.close();
      if (code) this.samples.push([at, code.sent, code.counter, code.tag]);
      else this.unreadable += 1;
      this.onFrame?.(at, code);
    }
  }

  /** Runs `configure` in the model; resolves with the ms until its answer and until the tag was seen. */
  async configure(settings, within = 8000) {
    const seen = new Promise((resolve) => {
      this.onFrame = (at, code) => { if (code?.tag === settings.tag) resolve(at); };
    });
    const sent = now();
    const late = sleep(within).then(() => NaN);
    const [answer, picture] = await Promise.all(
      [Promise.race([this.#answered(settings), late]), Promise.race([seen, late])]);
    this.onFrame = undefined;
    return { answer: answer - sent, picture: picture - sent };
  }

  /** Runs `configure` once with each of `requests`, `gap` ms apart; resolves with the ms until each one's answer. */
  async answers(requests, gap, within = 8000) {
    const waiting = [];
    for (const each of requests) {
      const sent = now();
      const late = sleep(within).then(() => NaN);
      waiting.push(Promise.race([this.#answered(each), late]).then((at) => at - sent));
      await sleep(gap);
    }
    return Promise.all(waiting);
  }

  /** When the answer came. */
  #answered(settings) {
    if (this.signalling === "fastrtc") return post(`${this.base}/configure`, settings).then(() => now());
    const answer = new Promise((resolve) => {
      this.#said.push((text, at) => {
        if (!new RegExp(`"tag": ?${settings.tag}(\\.0)?[,}]`).test(text)) return false;
        resolve(at);
        return true;
      });
    });
    this.channel.send(JSON.stringify({ scope: "application", data: { type: "configure", data: settings } }));
    return answer;
  }

  async stats() {
    const report = [...(await this.connection.getStats()).values()];
    const inbound = report.find((each) => each.type === "inbound-rtp" && each.kind === "video") ?? {};
    const codec = report.find((each) => each.id === inbound.codecId);
    const { bytesReceived, framesDecoded, frameWidth, frameHeight } = inbound;
    return { bytesReceived, framesDecoded, frameWidth, frameHeight, codec: codec?.mimeType, at: now() };
  }

  close() {
    clearInterval(this.pings);
    this.connection.close();
  }
}

/** The layout is that of studio/timecode.py. Reads only the luma of the top rows. */
async function readCode(frame, fullHeight) {
  if (!frame.format || !/^(I420|I420A|NV12)$/.test(frame.format)) return null;
  const { width, height } = frame.visibleRect;
  const high = (BLOCK_HEIGHT * height) / fullHeight; // the sender may have scaled the picture down
  const rect = { x: 0, y: 0, width: width - width % 2, height: 2 * Math.ceil(high) };
  const bytes = new Uint8Array(frame.allocationSize({ rect }));
  const [{ offset: start, stride }] = await frame.copyTo(bytes, { rect });
  const block = Math.floor(width / COLUMNS);
  let bits = 0n;
  for (let row = 0; row < 2; row += 1) {
    for (let column = 0; column < COLUMNS; column += 1) {
      let total = 0;
      const middle = Math.floor((row + 0.5) * high);
      for (let y = middle - 2; y < middle + 2; y += 1) {
        for (let x = -2; x < 2; x += 1) {
          total += bytes[start + y * stride + column * block + (block >> 1) + x];
        }
      }
      bits = (bits << 1n) | (total > 16 * 127 ? 1n : 0n);
    }
  }
  const value = bits >> 16n;
  let low = 0;
  let sum = 0;
  for (let shift = 56n; shift >= 0n; shift -= 8n) {
    low = (low + Number((value >> shift) & 255n)) % 255;
    sum = (sum + low) % 255;
  }
  if (BigInt((sum << 8) | low) !== (bits & 65535n)) return null;
  return {
    sent: Number(value >> 32n) / 10, // ms of CLOCK_MONOTONIC, modulo 2^32 ticks
    counter: Number((value >> 8n) & 0xffffffn),
    tag: Number(value & 255n),
  };
}

window.bench = {
  alignClock,
  readCode,
  join,
  /** Samples of one viewer since the last call, and how many frames had no readable code. */
  take(index = 0) {
    const { samples, unreadable } = viewers[index];
    viewers[index].samples = [];
    viewers[index].unreadable = 0;
    return { samples, unreadable, until: now() };
  },
  count: () => viewers.length,
  configure: (settings, index = 0) => viewers[index].configure(settings),
  answers: (requests, gap) => viewers[0].answers(requests, gap),
  grab: (index = 0) => viewers[index].grab(),
  stats: (index = 0) => viewers[index].stats(),
  /** Leaves, newest first, until `count` viewers are left. */
  leave(count = 0) {
    while (viewers.length > count) viewers.pop().close();
  },
  stop: (base) => fetch(`${base}/stop_session`, { method: "POST" }).then((response) => response.status),
};
