// The pictures: a tile for each output track, what is known about them, and words over them when there are none.

import { el, humanize } from "./dom.js";

const COUNTS_FRAMES = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

export class Stage {
  #tiles = new Map();
  #frames = 0;
  #counted = performance.now();
  #soundless = true;

  constructor(root, { onbutton }) {
    this.grid = el("div", { class: "grid" });
    this.title = el("strong");
    this.sentence = el("span");
    this.button = el("button", { type: "button", class: "big", onclick: onbutton });
    this.veil = el("div", { class: "veil" }, this.title, this.sentence, this.button);
    this.facts = el("p", { class: "facts" });
    this.sound = el("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#setSound(this.#soundless) });
    this.full = el("button", { type: "button", class: "plain", hidden: !document.fullscreenEnabled, onclick: () => this.#fullscreen() }, "Full screen");
    this.screen = el("div", { class: "screen" }, this.grid, this.veil);
    this.lastFrame = -Infinity;
    root.append(this.screen, el("div", { class: "under" }, this.facts, this.sound, this.full));
  }

  /** Puts the tracks of a new connection into the tiles of the old one, so that the page does not jump. */
  attach(outputs) {
    const pictures = outputs.filter((output) => output.kind === "video");
    const sounds = outputs.filter((output) => output.kind === "audio");
    const names = pictures.length ? pictures.map((output) => output.name) : sounds.slice(0, 1).map((output) => output.name);
    for (const [name, tile] of this.#tiles) if (!names.includes(name)) this.#remove(name, tile);
    names.forEach((name, index) => {
      const tile = this.#tiles.get(name) ?? this.#add(name);
      const tracks = pictures.filter((output) => output.name === name).concat(index === 0 ? sounds : []);
      tile.video.srcObject = new MediaStream(tracks.map((output) => output.transceiver.receiver.track));
      tile.caption.hidden = names.length < 2;
    });
    this.#fit();
    this.sound.hidden = sounds.length === 0;
    this.lastFrame = performance.now();
    this.#setSound(sounds.length > 0);
  }

  #add(name) {
    const video = el("video", { autoplay: true, playsinline: true, muted: true, "aria-label": humanize(name), "data-track": name });
    video.muted = true;
    const caption = el("figcaption", {}, humanize(name));
    const tile = { video, caption, element: el("figure", {}, video, caption) };
    this.#tiles.set(name, tile);
    this.grid.append(tile.element);
    video.addEventListener("resize", () => this.#fit());
    this.#watch(video);
    return tile;
  }

  #remove(name, tile) {
    tile.video.srcObject = null;
    tile.element.remove();
    this.#tiles.delete(name);
  }

  #watch(video) {
    if (!COUNTS_FRAMES) return;
    const seen = (now) => {
      this.lastFrame = now;
      if (video === this.main) this.#frames += 1;
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  }

  get main() {
    return this.#tiles.values().next().value?.video ?? null;
  }

  /** The frame around the pictures takes their shape, as if all had that of the first one. */
  #fit() {
    const { videoWidth: width, videoHeight: height } = this.main ?? {};
    const count = this.#tiles.size;
    const columns = count < 2 ? 1 : count < 5 ? 2 : 3;
    this.grid.style.setProperty("--columns", columns);
    if (width) this.screen.style.setProperty("--ratio", (columns * width) / (Math.ceil(count / columns) * height));
  }

  /** Browsers refuse sound before the first touch of a page; the picture must not wait for it. */
  async #setSound(on) {
    this.#soundless = !on;
    const { main } = this;
    if (!main) return;
    main.muted = !on;
    try {
      await main.play();
    } catch (error) {
      if (error.name === "NotAllowedError" && on) return this.#setSound(false);
    }
    this.sound.textContent = this.#soundless ? "Sound on" : "Sound off";
    for (const { video } of this.#tiles.values()) if (video !== main) video.play().catch(() => {});
  }

  #fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.screen.requestFullscreen();
  }

  say({ title, sentence, button, waiting, dim }) {
    this.veil.hidden = !title;
    this.veil.classList.toggle("waiting", waiting);
    this.screen.classList.toggle("dim", dim);
    this.title.textContent = title;
    this.sentence.textContent = sentence;
    this.button.hidden = !button;
    this.button.textContent = button ?? "";
  }

  /** No frame for so long, although the page is in front of somebody. */
  stillFor(ms) {
    return COUNTS_FRAMES && !document.hidden && performance.now() - this.lastFrame > ms;
  }

  /** Called about once a second: `1280×720 · 30 fps`, and what else is known; null when nothing plays. */
  count(extra) {
    const now = performance.now();
    const rate = (1000 * this.#frames) / (now - this.#counted);
    this.#frames = 0;
    this.#counted = now;
    const { videoWidth: width, videoHeight: height } = this.main ?? {};
    const known = width && extra ? [`${width}×${height}`] : [];
    if (known.length && COUNTS_FRAMES) known.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} fps`);
    this.facts.textContent = [...known, ...(extra ?? [])].join(" · ");
  }
}
