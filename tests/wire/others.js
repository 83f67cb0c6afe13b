// A page of no SDK that changes its mind: each step is a further offer of the same RTCPeerConnection.
async ({ policy, steps }) => {
  const base = "/sessions/local/transport/webrtc";
  const call = async (verb, path, body) => {
    const response = await fetch(path, {
      method: verb,
      headers: { "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${verb} ${path}: ${response.status} ${await response.text()}`);
    return { status: response.status, ...(await response.json()) };
  };
  const until = async (what, condition) => {
    const deadline = performance.now() + 12000;
    for (;;) {
      const found = await condition();
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`no ${what}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const camera = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 240];
    const context = canvas.getContext("2d");
    let count = 0;
    setInterval(() => {
      context.fillStyle = count++ % 2 ? "#505050" : "#545454";
      context.fillRect(0, 0, 320, 240);
    }, 66);
    return canvas.captureStream(15).getVideoTracks()[0];
  };

  await call("POST", "/start_session", {});
  const { connection_id: id } = await call("POST", `${base}/connections`);
  const path = `${base}/connections/${id}/sdp_params`;
  const peer = new RTCPeerConnection({ bundlePolicy: policy });
  peer.onicecandidate = ({ candidate }) =>
    candidate && call("POST", `${base}/connections/${id}/ice_candidates`, {
      candidates: [
        { candidate: candidate.candidate, sdp_mid: candidate.sdpMid, sdp_mline_index: candidate.sdpMLineIndex },
      ],
    });
  const mapping = new Map();
  const messages = [];
  let channel = null;
  let requests = 0;
  const ask = async () => {
    const request = `r${requests++}`;
    channel.send(JSON.stringify({ scope: "application", data: { type: "state", data: {}, id: request } }));
    const found = () => messages.find((message) => message.data?.data?.id === request);
    return (await until("answer", async () => found())).data.data.result;
  };
  const decoded = async (transceiver) => {
    const report = [...(await peer.getStats(transceiver.receiver.track)).values()];
    const stream = report.find((each) => each.type === "inbound-rtp");
    // The model's size: anything else is not its picture.
    return stream?.frameWidth === 320 ? stream.framesDecoded : 0;
  };
  const act = {
    watch: (name) =>
      mapping.set(name, [peer.addTransceiver("video", { direction: "recvonly" }), "recvonly"]),
    send: (name) =>
      mapping.set(name, [peer.addTransceiver(camera(), { direction: "sendonly" }), "sendonly"]),
    // A codec that this server does not encode.
    foreign: (name) => {
      act.watch(name);
      const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
      const [transceiver] = mapping.get(name);
      transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType === "video/VP9"));
    },
    stop: (name) => {
      mapping.get(name)[0].stop();
      mapping.delete(name);
    },
    pause: (name) => (mapping.get(name)[0].direction = "inactive"),
    resume: (name) => (mapping.get(name)[0].direction = mapping.get(name)[1]),
    restart: () => peer.restartIce(),
    channel: () => {
      channel = peer.createDataChannel("data");
      channel.onmessage = ({ data }) => messages.push(JSON.parse(data));
    },
  };
  const negotiate = async () => {
    await peer.setLocalDescription();
    await call("PUT", path, {
      sdp_offer: peer.localDescription.sdp,
      track_mapping: [...mapping].map(([name, [transceiver, direction]]) => ({
        mid: transceiver.mid, name, kind: "video", direction,
      })),
    });
    const answer = await until("answer", async () => (await call("GET", path)).sdp_answer);
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    return answer.match(/^m=\w+ \d+/gm);
  };
  const result = [];
  for (const step of steps) {
    for (const [what, name] of step.map((word) => word.split(" "))) act[what](name);
    const lines = await negotiate();
    await until("connection", async () => peer.connectionState === "connected" && channel.readyState === "open");
    const flows = [];
    for (const [name, [transceiver, direction]] of mapping) {
      if (transceiver.currentDirection !== direction) continue;
      if (direction === "recvonly") {
        const before = await decoded(transceiver);
        await until(`pictures on ${name}`, async () => (await decoded(transceiver)) > before + 5);
      } else {
        const { received } = await ask();
        await until(`pictures from ${name}`, async () => (await ask()).received > received + 5);
      }
      flows.push(name);
    }
    result.push({ lines, flows });
  }
  const told = messages.filter((message) => message.data.type === "mediaRefused").map(({ data }) => data.data);
  channel.close();
  peer.close();
  await call("POST", "/stop_session");
  return { result, told };
};
