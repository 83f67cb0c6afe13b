// Connects to the runtime that serves this page and reads the code of every picture of the model `paced`.
// Evaluated once; leaves window.seen = [{index, emitted, at}], window.heard, window.order(what, value).

async (codec) => {
  window.seen = [];
  window.heard = [];
  const post = (path, body) => fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  const signalling = "/sessions/local/transport/webrtc/sdp_params";
  await post("/start_session");
  const connection = window.connection = new RTCPeerConnection();
  const channel = connection.createDataChannel("data");
  channel.onmessage = ({ data }) => window.heard.push(JSON.parse(data));
  window.order = (what, value) => channel.send(JSON.stringify(
    { scope: "application", data: { type: "order", data: { what, value } } }));
  const transceiver = connection.addTransceiver("video", { direction: "recvonly" });
  const known = RTCRtpReceiver.getCapabilities("video").codecs;
  transceiver.setCodecPreferences(known.filter(({ mimeType }) => ["video/rtx", codec].includes(mimeType)));

  const read = async (track) => {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 100 }).readable.getReader();
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      const at = performance.timeOrigin + performance.now();
      const pixels = new Uint8Array(frame.allocationSize());
      const [plane] = await frame.copyTo(pixels);
      const row = plane.offset + 16 * plane.stride;
      const number = (first, bits) => Array.from({ length: bits }, (_, bit) => (
        pixels[row + (first + bit) * 16 + 8] > 127 ? 2 ** bit : 0)).reduce((sum, bit) => sum + bit, 0);
      window.seen.push({ index: number(32, 16), emitted: number(0, 32), at: at % 2 ** 32 });
      frame.close();
    }
  };
  connection.ontrack = ({ track }) => read(track);
  await connection.setLocalDescription();
  await post(signalling, {
    sdp_offer: connection.localDescription.sdp, client_info: {},
    track_mapping: [{ mid: transceiver.mid, name: "main_video", kind: "video", direction: "recvonly" }],
  });
  let answer;
  do { answer = await fetch(signalling); } while (answer.status !== 200);
  await connection.setRemoteDescription({ type: "answer", sdp: (await answer.json()).sdp_answer });
}
