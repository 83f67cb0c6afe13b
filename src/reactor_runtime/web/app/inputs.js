// @ts-check
// What the visitor gives to the model: camera, microphone or screen, for each input track that it declares.

import { el } from "./dom.js";
import { humanize } from "../core/names.js";

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const CAMERA_BPS = 6_000_000;
const LEVEL_MS = 80;

export class Inputs {
  #root;
  #rows = new Map();

  /** `failed(what, sentence)` hears why something is not there; `prefs` keeps the chosen devices; `signal` ends it. */
  constructor(root, { failed, prefs, signal }) {
    this.failed = failed;
    this.prefs = prefs;
    this.#root = root;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#rows.forEach((row) => row.devicesChanged()), { signal });
  }

  /** A new connection: rows for its inputs; what was being given goes on. */
  attach(inputs) {
    this.#root.hidden = inputs.length === 0;
    for (const name of [...this.#rows.keys()]) {
      if (inputs.some((input) => input.name === name)) continue;
      this.#rows.get(name).off();
      this.#rows.get(name).element.remove();
      this.#rows.delete(name);
    }
    for (const input of inputs) {
      if (!this.#rows.has(input.name)) {
        const row = new Row(input, this.failed, this.prefs);
        this.#rows.set(input.name, row);
        this.#root.append(row.element);
      }
      this.#rows.get(input.name).give(input.transceiver.sender);
    }
  }

  /** The first input that nothing is given to, as `{what, use()}`; null when the model has all that it declared. */
  get missing() {
    return [...this.#rows.values()].find((row) => !row.on) ?? null;
  }

  /** Nothing is given any more: whoever stopped playing must not stay in front of a camera that is on. */
  close() {
    for (const row of this.#rows.values()) row.off();
  }
}

class Row {
  /** @type {MediaStreamTrack | null} */
  #track = null;
  #given = ""; // camera, microphone or screen
  /** @type {RTCRtpSender | null} */
  #sender = null;
  /** @type {string | null} */
  #unplugged = null; // the id of a device that went away while it was given
  #quiet = () => {};

  constructor({ name, kind }, failed, prefs) {
    const what = kind === "video" ? "camera" : "microphone";
    this.name = name;
    this.kind = kind;
    this.what = what;
    this.failed = failed;
    this.prefs = prefs;
    this.preview = el("video", { muted: true, playsinline: true, disablepictureinpicture: true, hidden: true, "aria-label": `Preview of ${humanize(name)}` });
    this.preview.muted = true;
    this.level = el("meter", { min: 0, max: 1, hidden: true, "aria-label": `Level of ${humanize(name)}` });
    this.devices = el("select", { hidden: true, "aria-label": `Choose the ${what}`, onchange: () => this.use(this.devices.value) });
    this.button = el("button", { type: "button", onclick: () => (this.#track ? this.off() : this.use(prefs.get(`device:${name}`))) });
    this.shareButton = el("button", {
      type: "button",
      hidden: kind !== "video" || !navigator.mediaDevices?.getDisplayMedia,
      onclick: () => this.share(),
    }, "Share screen");
    this.error = el("p", { class: "error", role: "alert", hidden: true });
    this.element = el("div", { class: "card input", "data-input": name },
      el("div", { class: "title" }, el("h2", {}, humanize(name))),
      this.preview,
      this.level,
      el("div", { class: "row" }, this.button, this.shareButton),
      this.devices,
      this.error);
    this.#draw();
  }

  get on() {
    return this.#track !== null;
  }

  /** Something was plugged in or out. What was given until it was pulled out is given again when it is back. */
  async devicesChanged() {
    if (!this.devices.hidden) await this.#listDevices();
    const back = this.#unplugged && (await this.#known()).some(({ deviceId }) => deviceId === this.#unplugged);
    if (back && !this.#track) await this.use(this.#unplugged);
  }

  async use(deviceId) {
    const wish = { ...(this.kind === "video" ? CAMERA : {}) };
    const ask = (more) => navigator.mediaDevices.getUserMedia({ [this.kind]: { ...wish, ...more } });
    await this.#take(this.what, () => ask(deviceId ? { deviceId: { exact: deviceId } } : {}).catch((error) => {
      // A device of last time that is not there any more is no reason to refuse.
      if (error.name === "OverconstrainedError" && this.devices.hidden) return ask({});
      throw error;
    }));
    if (!this.#track) return;
    if (deviceId) this.prefs.set(`device:${this.name}`, deviceId);
    await this.#listDevices();
  }

  async share() {
    await this.#take("screen", () => navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30 } } }));
    this.devices.hidden = true;
  }

  async #take(what, ask) {
    this.error.hidden = true;
    try {
      if (!navigator.mediaDevices) throw Object.assign(new Error(), { name: "Insecure" });
      const [track] = (await ask()).getTracks();
      this.off();
      this.#track = track;
      this.#given = what;
      if (this.kind === "video") track.contentHint = what === "screen" ? "detail" : "motion";
      track.addEventListener("ended", () => track === this.#track && this.#ended(what));
      this.#draw();
      await this.#hand();
    } catch (error) {
      this.#say(what, mediaWords(error, what));
    }
  }

  /** The track ended by itself: unplugged, or taken back in the browser's own bar. */
  async #ended(what) {
    const { deviceId } = this.#track?.getSettings() ?? {};
    this.off();
    if (what === "screen") return;
    // A device that is still listed, or that we may not know any more, was taken back by a person: that is final.
    const gone = !(await this.#known()).some((device) => ["", deviceId].includes(device.deviceId));
    if (this.#track) return; // another one was chosen meanwhile
    this.#unplugged = gone ? deviceId ?? null : null;
    this.#say(what, mediaWords({ name: gone ? "Unplugged" : "Ended" }, what));
  }

  #say(what, sentence) {
    this.error.textContent = sentence;
    this.error.hidden = false;
    this.failed(what, sentence);
  }

  async #known() {
    return (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === `${this.kind}input`);
  }

  async #listDevices() {
    const all = await this.#known();
    this.devices.replaceChildren(...all.map((device, index) => (
      el("option", { value: device.deviceId }, device.label || `${humanize(this.what)} ${index + 1}`))));
    this.devices.value = this.#track?.getSettings().deviceId ?? "";
    this.devices.hidden = all.length < 2;
  }

  off() {
    this.#track?.stop();
    this.#track = this.#unplugged = null;
    this.devices.hidden = true;
    this.#hand().catch(() => {});
    this.#draw();
  }

  give(sender) {
    this.#sender = sender;
    if (this.#track) this.#hand().catch(() => {});
  }

  async #hand() {
    const sender = this.#sender;
    if (!sender || sender.transport?.state === "closed") return;
    await sender.replaceTrack(this.#track);
    if (!this.#track || this.kind !== "video") return;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    // Otherwise Chromium begins small and stays so: a 720p camera arrived as 320 to 480 pixels even on loopback,
    // and models prefer frames of one size.
    parameters.degradationPreference = "maintain-resolution";
    parameters.encodings[0].maxBitrate = CAMERA_BPS;
    await sender.setParameters(parameters).catch(() => {});
  }

  #draw() {
    const on = this.#track !== null;
    const picture = on && this.kind === "video";
    this.button.textContent = on ? `Stop ${this.#given}` : `Use ${this.what}`;
    this.button.classList.toggle("on", on);
    this.preview.hidden = !picture;
    this.preview.srcObject = picture && this.#track ? new MediaStream([this.#track]) : null;
    if (picture) this.preview.play().catch(() => {});
    this.#quiet();
    this.level.hidden = !on || picture;
    this.#quiet = on && !picture ? listen(this.#track, (level) => (this.level.value = level)) : () => {};
  }
}

/** Calls `heard(level)`, 0 to 1, a few times a second; returns how to stop that. */
function listen(track, heard) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    heard(Math.min(1, 3 * Math.sqrt(power)));
  }, LEVEL_MS);
  return () => {
    clearInterval(timer);
    context.close();
  };
}

/** Why a camera, microphone or screen is not there. */
function mediaWords(error, what) {
  switch (error?.name) {
    case "NotAllowedError": return `The ${what} was refused. Allow it in the browser's site settings, then try again.`;
    case "NotFoundError": return `No ${what} was found on this device.`;
    case "NotReadableError": return `The ${what} is in use by another program.`;
    case "OverconstrainedError": return `This ${what} is not there any more. Choose another one.`;
    case "Ended": return `The ${what} was switched off.`;
    case "Unplugged": return `The ${what} was unplugged. It goes on by itself when it is back.`;
    case "Insecure": return `A ${what} needs a secure page: open this one over https:// or as http://localhost.`;
    default: return `The ${what} could not be started: ${error?.message ?? "unknown reason"}.`;
  }
}
