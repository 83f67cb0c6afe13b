// @ts-check
// What is seen, as a file: one picture, or a film of it. Both are drawn on a canvas, so that several tracks,
// reconnections and changes of size end up in one file.

import { el } from "./dom.js";
import { columnsFor } from "./stage.js";

// Named as what is recorded: Firefox asked for a sound that is not there records nothing and says nothing.
const FORMATS = [["video/mp4;codecs=avc1.42E01F", "mp4a.40.2"], ["video/webm;codecs=vp9", "opus"], ["video/webm;codecs=vp8", "opus"]];
const SILENT_MS = 5_000; // a recorder that has delivered nothing by then never will
const BITS_PER_S = 8_000_000;
const LIMIT_MS = 30 * 60_000;
const SLICE_MS = 1_000;

/** Draws `seen` (`{videos, columns}`) into a canvas of its own; returns the canvas. */
function drawSeen({ videos, columns }, canvas = document.createElement("canvas"), fixed = false) {
  const { videoWidth: width, videoHeight: height } = videos[0];
  if (!fixed) Object.assign(canvas, { width: columns * width, height: Math.ceil(videos.length / columns) * height });
  /** @type {any} */
  const context = canvas.getContext("2d", { alpha: false });
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [wide, high] = [canvas.width / columns, canvas.height / Math.ceil(videos.length / columns)];
  videos.forEach((video, index) => {
    const scale = Math.min(wide / video.videoWidth, high / video.videoHeight);
    if (!Number.isFinite(scale)) return;
    const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
    context.drawImage(video, (index % columns) * wide + (wide - w) / 2, Math.floor(index / columns) * high + (high - h) / 2, w, h);
  });
  return canvas;
}

/** What is seen now: the large picture, or all of them, in rows of `columns`. */
function seenOn({ large, main, tiles }) {
  const videos = large ? [main] : [...tiles.values()].map(({ video }) => video);
  return { videos: videos.filter(Boolean), columns: columnsFor(videos.length) };
}

const streamsOn = ({ tiles, sounds }) => [...tiles.values()].map(({ video }) => video.srcObject).concat([...sounds.values()].map(({ srcObject }) => srcObject));

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const stamp = () => new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");

/** What the two buttons of `capturing.js` do. `seenIn()` gives the stage, `name()` the model's name, `said(text)` hears of files and failures,
 * `record` is the button that says whether a film is taken. */
export class Capture {
  /** @type {any} */
  #recorder = null;
  #stop = () => {};

  constructor({ seenIn, name, said, record }) {
    this.seenIn = seenIn;
    this.name = name;
    this.said = said;
    this.record = record;
  }

  async takeSnapshot() {
    const seen = seenOn(this.seenIn());
    if (!seen.videos[0]?.videoWidth) return this.said("There is no picture yet.");
    const blob = await new Promise((done) => drawSeen(seen).toBlob(done, "image/png"));
    return save(blob, `${this.name()}-${stamp()}.png`);
  }

  toggle() {
    if (this.#recorder) this.#stop();
    else this.#begin();
  }

  #begin() {
    const stage = this.seenIn();
    if (!seenOn(stage).videos[0]?.videoWidth) return this.said("There is no picture yet.");
    const canvas = drawSeen(seenOn(stage));
    const stream = canvas.captureStream();
    for (const sound of streamsOn(stage).flatMap((each) => each?.getAudioTracks() ?? []).slice(0, 1)) stream.addTrack(sound);
    const heard = stream.getAudioTracks().length > 0;
    const types = FORMATS.map(([video, audio]) => (heard ? `${video},${audio}` : video));
    const mimeType = [...types, "video/webm"].find((each) => MediaRecorder.isTypeSupported(each));
    this.#recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS_PER_S });
    const parts = [];
    this.#recorder.ondataavailable = ({ data }) => data.size && parts.push(data);
    this.#recorder.onstop = () => {
      const { type } = parts[0] ?? {};
      if (type) save(new Blob(parts, { type }), `${this.name()}-${stamp()}.${type.includes("mp4") ? "mp4" : "webm"}`);
    };
    this.#recorder.onerror = ({ error }) => this.#fail(error?.message ?? "unknown reason");
    this.#recorder.start(SLICE_MS);
    const silent = setTimeout(() => parts.length || this.#fail("the browser's recorder delivers nothing"), SILENT_MS);
    this.#recorder.addEventListener("stop", () => clearTimeout(silent));
    this.#follow(canvas, stream);
    this.record.textContent = "Stop recording";
    this.record.classList.add("on");
    return undefined;
  }

  #fail(why) {
    if (!this.#recorder) return;
    this.#stop();
    this.said(`The recording failed: ${why}. Nothing was saved.`);
  }

  /** Draws every frame that is shown, until the recording ends. */
  #follow(canvas, stream) {
    let last = -1;
    let request = 0;
    const draw = () => {
      const seen = seenOn(this.seenIn());
      const { frames } = this.seenIn();
      if (frames !== last && seen.videos.length) drawSeen(seen, canvas, true);
      last = frames;
      request = requestAnimationFrame(draw);
    };
    draw();
    const limit = setTimeout(() => (this.said("The recording reached its limit of 30 minutes."), this.#stop()), LIMIT_MS);
    this.#stop = () => {
      cancelAnimationFrame(request);
      clearTimeout(limit);
      this.#recorder.stop();
      this.#recorder = null;
      stream.getVideoTracks()[0].stop();
      this.record.textContent = "Record";
      this.record.classList.remove("on");
    };
  }
}
