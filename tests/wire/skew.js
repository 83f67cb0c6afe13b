// Connects to the runtime that serves this page and notes when flashes are shown and beeps are heard.
// Evaluated by skew.py; returns {began, flashes, beeps} in ms of performance.now().

async ({ seconds }) => {
  const post = (path, body) => fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  const signalling = "/sessions/local/transport/webrtc/sdp_params";
  const descriptor = await (await post("/start_session")).json();
  const connection = new RTCPeerConnection();
  const stream = new MediaStream();
  const mapping = descriptor.capabilities.tracks.map((track) => (
    { track, transceiver: connection.addTransceiver(track.kind, { direction: track.direction }) }));
  connection.createDataChannel("data");
  connection.ontrack = ({ track }) => stream.addTrack(track);
  await connection.setLocalDescription();
  await post(signalling, {
    sdp_offer: connection.localDescription.sdp, client_info: {},
    track_mapping: mapping.map(({ track, transceiver }) => (
      { mid: transceiver.mid, name: track.name, kind: track.kind, direction: track.direction })),
  });
  let answer;
  do { answer = await fetch(signalling); } while (answer.status !== 200);
  await connection.setRemoteDescription({ type: "answer", sdp: (await answer.json()).sdp_answer });
  const video = document.createElement("video");
  Object.assign(video, { autoplay: true, srcObject: stream });
  document.body.append(video);

  const began = performance.now(), until = began + seconds * 1000;
  const flashes = [], beeps = [];
  const read = async (track, see) => {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    while (performance.now() < until) {
      const { value, done } = await reader.read();
      if (done) break;
      const at = performance.now();
      await see(value, at);
      value.close();
    }
    await reader.cancel();
  };
  let bright = false;
  const look = async (frame, at) => {
    const pixels = new Uint8Array(frame.allocationSize());
    await frame.copyTo(pixels);
    const now = pixels[0] > 120;
    if (now && !bright) flashes.push(at);
    bright = now;
  };
  let quiet = 0;
  const hear = (block, at) => {
    const samples = new Float32Array(block.numberOfFrames);
    block.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    samples.forEach((sample, index) => {
      if (Math.abs(sample) < 0.05) { quiet += 1; return; }
      if (quiet > 0.1 * block.sampleRate) beeps.push(at + index / block.sampleRate * 1000);
      quiet = 0;
    });
  };
  const [picture] = stream.getVideoTracks(), [sound] = stream.getAudioTracks();
  await Promise.all([read(picture, look), read(sound, hear)]);
  connection.close();
  await post("/stop_session");
  return { began, flashes, beeps };
}
