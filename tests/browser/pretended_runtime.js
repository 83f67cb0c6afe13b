// Stands in for the runtime, inside the page under test: answers `fetch`, and is the other end of a real
// RTCPeerConnection whose video is a canvas. Tests drive it through `window.runtime`.

(() => {
  const wide = { brightness: { type: "number", minimum: 0, maximum: 1, default: 0.5, description: "How bright the picture is." } };
  const runtime = (window.runtime = {
    model: "pretended",
    health: null, // {status, body} to be loading or failed
    start: null, // {status, body} to refuse sessions
    down: false,
    state: "READY",
    started: 0,
    boot: 1, // changes when the server was started anew
    role: null, // "viewer" when somebody else plays
    offers: [],
    requests: [],
    received: [],
    lastEnd: null,
    clients: [], // who is there, as `/session` says it
    freeIn: null, // seconds until a session whose player is gone ends
    resetFailed: null,
    notices: {}, // why pictures of a track do not come
    value: 0.5,
    tracks: [{ name: "main_video", kind: "video", direction: "recvonly" }],
    commands: [
      { name: "set_brightness", description: "", schema: wide },
      { name: "reset", description: "Back to the defaults" },
    ],
    /** Replies to a command: an object for commandResult, a throw of {code, message, field} for commandError. */
    handle: (type, data) => {
      if ("brightness" in data) runtime.value = data.brightness;
      return { ok: true };
    },
    delay: 0, // ms before a command is answered
    slow: 0, // ms before a request is answered
    say: (object) => runtime.channel?.send(JSON.stringify(object)),
    cast: (role, reason) => runtime.say({ scope: "runtime", data: { type: "role", data: { role, reason } } }),
    end(reason, message = null) {
      runtime.say({ scope: "runtime", data: { type: "sessionEnded", data: { reason, message } } });
      runtime.state = "READY";
      runtime.lastEnd = { reason, message };
      setTimeout(() => runtime.hangUp(), 50);
    },
    hangUp() {
      runtime.peer?.close();
      runtime.peer = runtime.channel = null;
      if (runtime.state === "STREAMING") runtime.state = "ORPHANED";
    },
  });

  const canvas = new OffscreenCanvas(320, 180);
  const draw = canvas.getContext("2d");
  let tick = 0;

  function picture(track) {
    const element = document.createElement("canvas");
    element.width = 320;
    element.height = 180;
    const to = element.getContext("2d");
    setInterval(() => {
      tick += 1;
      const level = Math.round(255 * runtime.value);
      draw.fillStyle = `rgb(${level}, ${Math.round(level * 0.8)}, ${Math.round(level * 0.5)})`;
      draw.fillRect(0, 0, 320, 180);
      draw.fillStyle = "#4cc9f0";
      draw.fillRect((tick * 4) % 320, 75, 30, 30);
      to.drawImage(canvas, 0, 0);
    }, 66);
    return element.captureStream(15).getTracks()[0];
  }

  const descriptor = () => ({
    session_id: "local",
    number: runtime.started,
    started_at: runtime.boot,
    state: runtime.state,
    cluster: "local",
    model: { name: runtime.model },
    capabilities: { protocol_version: "1.0", tracks: runtime.tracks, commands: runtime.commands },
    last_end: runtime.lastEnd,
    clients: runtime.clients,
    free_in: runtime.freeIn,
    notices: runtime.notices,
    reset_failed: runtime.resetFailed,
    audit: runtime.audit,
  });

  let answer = null;

  async function accept({ sdp_offer, track_mapping }) {
    runtime.hangUp();
    const peer = (runtime.peer = new RTCPeerConnection());
    peer.ondatachannel = ({ channel }) => {
      runtime.channel = channel;
      channel.onmessage = ({ data }) => hear(JSON.parse(data));
      if (runtime.role) runtime.cast(runtime.role);
    };
    await peer.setRemoteDescription({ type: "offer", sdp: sdp_offer });
    for (const { mid, kind, direction } of track_mapping) {
      const transceiver = peer.getTransceivers().find((each) => each.mid === mid);
      if (direction === "sendonly") continue;
      transceiver.direction = "sendonly";
      if (kind === "video") await transceiver.sender.replaceTrack(picture());
    }
    await peer.setLocalDescription();
    if (peer.iceGatheringState !== "complete") {
      await new Promise((done) => (peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done()));
    }
    runtime.state = "STREAMING";
    answer = peer.localDescription.sdp;
  }

  async function hear({ scope, data }) {
    runtime.received.push(data);
    if (data.type === "takeControl") runtime.cast("controller");
    if (scope !== "application") return;
    if (runtime.delay) await new Promise((done) => setTimeout(done, runtime.delay));
    const { id, type: command } = data;
    try {
      const reply = { id, command, frame: tick, ...runtime.handle(command, data.data) };
      runtime.say({ scope: "runtime", data: { type: "commandResult", data: reply } });
    } catch (refusal) {
      runtime.say({ scope: "runtime", data: { type: "commandError", data: { id, command, ...refusal } } });
    }
  }

  const routes = {
    "GET /health": () => [runtime.health?.status ?? 200, runtime.health?.body ?? { status: "healthy", state: runtime.state, model: runtime.model }],
    "GET /session": () => [200, descriptor()],
    "POST /start_session"() {
      if (runtime.health?.status === 503) return [503, { detail: "Not now.", code: "unavailable", state: runtime.health.body.state }];
      if (runtime.start) return [runtime.start.status, runtime.start.body];
      if (runtime.state !== "READY") return [409, { detail: "Somebody is playing.", code: "session_running", state: runtime.state }];
      runtime.started += 1;
      runtime.state = "WAITING";
      return [200, descriptor()];
    },
    "POST /stop_session"() {
      runtime.state = "READY";
      setTimeout(() => runtime.hangUp(), 50);
      return [200, { state: "READY" }];
    },
    "POST connections": () => [201, { connection_id: 4711 }],
    "GET ice_servers": () => [200, { ice_servers: [] }],
    async "POST sdp_params"(body, method) {
      answer = null;
      runtime.offers.push({ method, ...body });
      accept(body);
      return [202, {}];
    },
    "GET sdp_params": () => (answer ? [200, { sdp_answer: answer }] : [202, {}]),
    "POST ice_candidates"(body) {
      for (const { candidate, sdp_mid, sdp_mline_index } of body.candidates) {
        runtime.peer?.addIceCandidate({ candidate, sdpMid: sdp_mid, sdpMLineIndex: sdp_mline_index }).catch(() => {});
      }
      return [202, {}];
    },
  };

  const real = window.fetch;
  window.fetch = async (url, { method = "GET", body } = {}) => {
    const path = new URL(url, location.href).pathname;
    if (path.startsWith("/web/") || url.startsWith("blob:")) return real(url);
    if (runtime.down) throw new TypeError("Failed to fetch");
    const key = path.includes("/transport/webrtc/") ? path.split("/").pop() : path;
    runtime.requests.push(`${method} ${key}`);
    if (runtime.slow) await new Promise((done) => setTimeout(done, runtime.slow));
    const route = routes[`${method === "PUT" ? "POST" : method} ${key}`];
    const [status, reply] = route ? await route(body ? JSON.parse(body) : undefined, method) : [404, { detail: "Not found", code: "not_found" }];
    return new Response(JSON.stringify(reply), { status, headers: { "Content-Type": "application/json" } });
  };
})();
