// A page of no SDK: connects as the third generation does, and restarts ICE on the same RTCPeerConnection.
async (method) => {
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
    const deadline = performance.now() + 15000;
    for (;;) {
      const found = await condition();
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`no ${what}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };

  const { capabilities } = await call("POST", "/start_session", {});
  const { connection_id: id } = await call("POST", `${base}/connections`);
  const path = `${base}/connections/${id}/sdp_params`;
  const peer = new RTCPeerConnection();
  const states = [];
  peer.onconnectionstatechange = () => states.push(peer.connectionState);
  peer.onicecandidate = ({ candidate }) =>
    call("POST", `${base}/connections/${id}/ice_candidates`, {
      candidates: candidate
        ? [{ candidate: candidate.candidate, sdp_mid: candidate.sdpMid, sdp_mline_index: candidate.sdpMLineIndex }]
        : [],
      is_final: !candidate,
    });
  const mapping = capabilities.tracks.map((track) => ({
    track,
    transceiver: peer.addTransceiver(track.kind, { direction: track.direction }),
  }));
  const channel = peer.createDataChannel("data");
  const messages = [];
  channel.onmessage = ({ data }) => messages.push(JSON.parse(data));

  const negotiate = async (verb, options) => {
    await peer.setLocalDescription(await peer.createOffer(options));
    await call(verb, path, {
      sdp_offer: peer.localDescription.sdp,
      client_info: { sdk_type: "js", sdk_version: "0" },
      track_mapping: mapping.map(({ track, transceiver }) => ({
        mid: transceiver.mid, name: track.name, kind: track.kind, direction: track.direction,
      })),
    });
    const answer = await until("answer", async () => (await call("GET", path)).sdp_answer);
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    return answer;
  };
  const line = (sdp, name) => sdp.match(new RegExp(`a=${name}:(\\S+.*)`))[1].trim();
  const frames = async () => {
    const report = [...(await peer.getStats()).values()];
    return report.filter((each) => each.type === "inbound-rtp").map((each) => each.framesDecoded ?? 0);
  };
  const ask = async (request) => {
    channel.send(JSON.stringify({ scope: "application", data: { type: "state", data: {}, id: request } }));
    const found = () => messages.find((message) => message.data?.data?.id === request);
    return (await until(`answer to ${request}`, async () => found())).data.data.result;
  };

  const first = await negotiate("POST");
  await until("connection", async () => peer.connectionState === "connected" && channel.readyState === "open");
  await until("pictures", async () => (await frames()).every((count) => count > 5));
  const before = await ask("before");

  const restarts = [];
  for (let round = 0; round < 2; round++) {
    peer.restartIce();
    const again = await negotiate(method);
    await until("a new path", async () => {
      const report = await peer.getStats();
      const transport = [...report.values()].find((each) => each.type === "transport");
      const pair = report.get(transport.selectedCandidatePairId);
      const local = pair && report.get(pair.localCandidateId);
      return transport.iceState === "connected" || transport.iceState === "completed"
        ? local.usernameFragment === line(peer.localDescription.sdp, "ice-ufrag")
        : false;
    });
    const counted = await frames();
    await until("more pictures", async () => (await frames()).every((count, i) => count > counted[i] + 5));
    restarts.push({ ufrag: line(again, "ice-ufrag"), fingerprint: line(again, "fingerprint") });
  }
  const after = await ask("after");
  const session = await call("GET", "/session");
  channel.close();
  peer.close();
  await call("POST", "/stop_session");
  return {
    first: { ufrag: line(first, "ice-ufrag"), fingerprint: line(first, "fingerprint") },
    restarts, before, after, states, clients: session.clients, state: session.state,
  };
};
