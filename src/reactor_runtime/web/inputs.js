// What the visitor gives to the model: camera, microphone or screen, for each input track that it declares.

import { el, humanize } from "./dom.js";
import { mediaWords } from "./words.js";

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const CAMERA_BPS = 6_000_000;

export class Inputs {
  #root;
  #rows = new Map();

  constructor(root, { failed }) {
    this.#root = root;
    this.failed = failed;
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
        const row = new Row(input, this.failed);
        this.#rows.set(input.name, row);
        this.#root.append(row.element);
      }
      this.#rows.get(input.name).give(input.transceiver.sender);
    }
  }
}

class Row {
  #track = null;
  #sender = null;

  constructor({ name, kind }, failed) {
    this.kind = kind;
    this.what = kind === "video" ? "camera" : "microphone";
    this.failed = failed;
    this.preview = el("video", { muted: true, playsinline: true, hidden: true, "aria-label": `Preview of ${humanize(name)}` });
    this.preview.muted = true;
    this.devices = el("select", { hidden: true, "aria-label": `Choose the ${this.what}`, onchange: () => this.use(this.devices.value) });
    this.button = el("button", { type: "button", onclick: () => (this.#track ? this.off() : this.use()) });
    this.shareButton = el("button", {
      type: "button",
      hidden: kind !== "video" || !navigator.mediaDevices?.getDisplayMedia,
      onclick: () => this.share(),
    }, "Share screen");
    this.error = el("p", { class: "error", role: "alert", hidden: true });
    this.element = el("div", { class: "card input", "data-input": name },
      el("div", { class: "title" }, el("h2", {}, humanize(name))),
      this.preview,
      el("div", { class: "row" }, this.button, this.shareButton),
      this.devices,
      this.error);
    this.#draw();
  }

  async use(deviceId) {
    const wish = { ...(this.kind === "video" ? CAMERA : {}), ...(deviceId ? { deviceId: { exact: deviceId } } : {}) };
    await this.#take(this.what, () => navigator.mediaDevices.getUserMedia({ [this.kind]: wish }));
    if (this.#track) await this.#listDevices();
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
      if (this.kind === "video") track.contentHint = what === "screen" ? "detail" : "motion";
      track.addEventListener("ended", () => track === this.#track && this.off());
      this.#draw();
      await this.#hand();
    } catch (error) {
      const sentence = mediaWords(error, what);
      this.error.textContent = sentence;
      this.error.hidden = false;
      this.failed(what, sentence);
    }
  }

  async #listDevices() {
    const wanted = this.kind === "video" ? "videoinput" : "audioinput";
    const all = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === wanted);
    this.devices.replaceChildren(...all.map((device, index) => (
      el("option", { value: device.deviceId }, device.label || `${humanize(this.what)} ${index + 1}`))));
    this.devices.value = this.#track?.getSettings().deviceId ?? "";
    this.devices.hidden = all.length < 2;
  }

  off() {
    this.#track?.stop();
    this.#track = null;
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
    this.button.textContent = on ? "Stop" : `Use ${this.what}`;
    this.button.classList.toggle("on", on);
    this.preview.hidden = !on || this.kind !== "video";
    this.preview.srcObject = on && this.kind === "video" ? new MediaStream([this.#track]) : null;
    if (this.preview.srcObject) this.preview.play().catch(() => {});
  }
}
