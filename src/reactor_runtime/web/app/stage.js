// @ts-check
// The pictures and the sound: a tile for each output track, one of them large, and words over them when there are none.

import { el } from "./dom.js";
import { humanize } from "../core/names.js";

const STILL_PX = 1280; // width of the last picture as it is kept
const COUNTS_FRAMES = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

/**
 * `onframe(track, metadata, now)` hears of every displayed frame; `onbutton()` of the button among the words; `volume` is
 * that of the last visit. `onarrange()` and `onsound()` are called when what they are about has changed.
 */
export class Stage {
  tiles = new Map(); // name → {video, still, caption, element}
  sounds = new Map(); // name → audio element, beyond the one that plays with the first picture
  /** @type {string | null | undefined} */
  large = undefined; // null when all are equal, undefined before the first connection
  #on;
  /** @type {HTMLElement | null} */
  cover = null;
  muted = true;
  sounding = false; // whether there is anything to hear
  pictured = true; // whether there is something to see, or nothing to wait for
  lastFrame = -Infinity;
  frames = 0;
  onarrange = () => {};
  onsound = () => {};
  onpicture = () => {};

  constructor(root, { onbutton, onframe = (_track, _data, _now) => {}, volume = 1 }) {
    this.root = root;
    this.#on = onframe;
    this.volume = volume;
    this.grid = el("div", { class: "grid" });
    this.title = el("strong");
    this.sentence = el("span");
    this.cause = el("pre", { hidden: true, tabindex: "0", "aria-label": "The author's own line" });
    this.seconds = el("small", { "aria-hidden": "true", hidden: true });
    this.progress = el("progress", { max: 1, "aria-label": "Loading", hidden: true });
    this.button = el("button", { type: "button", class: "big", onclick: onbutton });
    this.extra = el("div", { class: "extra" });
    this.veil = el("div", { class: "veil" }, this.title, this.sentence, this.cause, this.seconds, this.progress, this.extra, this.button);
    this.tap = el("button", { type: "button", class: "tap", hidden: true, onclick: () => this.setSound(true) }, "Tap for sound");
    this.play = el("div", { class: "play" }); // where pointers play: crosses, sticks
    this.screen = el("div", { class: "screen" }, this.grid, this.play, this.tap, this.veil);
    this.thumbs = el("div", { class: "thumbs" }); // crosses: beside the picture, or below it
    root.append(el("div", { class: "view" }, this.screen, this.thumbs));
    this.grid.addEventListener("dblclick", ({ target }) => target.closest("button") || this.fullscreen());
  }

  /** Puts the tracks of a new connection into the tiles of the old one, so that the page does not jump. */
  attach(outputs) {
    const pictures = outputs.filter(({ kind }) => kind === "video");
    const sounds = outputs.filter(({ kind }) => kind === "audio");
    const names = pictures.length ? pictures.map(({ name }) => name) : sounds.slice(0, 1).map(({ name }) => name);
    for (const [name, tile] of this.tiles) if (!names.includes(name)) this.#remove(name, tile);
    names.forEach((name, index) => {
      const tile = this.tiles.get(name) ?? this.#add(name);
      // The first sound plays with the first picture, so that the browser keeps them together.
      const tracks = pictures.filter((output) => output.name === name).concat(index === 0 ? sounds.slice(0, 1) : []);
      tile.video.srcObject = new MediaStream(tracks.map(trackOf));
    });
    this.#attachSounds(sounds.slice(1));
    // One is the main one: side by side, several pictures would be stamps.
    if (this.large === undefined) this.large = names.length > 1 ? names[0] : null;
    if (!names.includes(this.large)) this.large = null;
    this.#arrange();
    this.sounding = sounds.length > 0;
    this.lastFrame = performance.now();
    this.pictured = pictures.length === 0;
    this.setSound(this.sounding && this.volume > 0);
  }

  #attachSounds(sounds) {
    for (const audio of this.sounds.values()) audio.srcObject = null;
    this.sounds = new Map(sounds.map((output) => [output.name, Object.assign(new Audio(), { srcObject: new MediaStream([trackOf(output)]) })]));
  }

  #add(name) {
    const video = el("video", { autoplay: true, playsinline: true, disablepictureinpicture: true, muted: true, "aria-label": humanize(name), "data-track": name });
    video.muted = true;
    const caption = el("button", { type: "button", class: "caption", onclick: () => this.enlarge(name) }, humanize(name));
    const still = el("canvas", { class: "still", "aria-hidden": "true", hidden: true });
    const tile = { video, still, caption, element: el("figure", {}, video, still, caption) };
    this.tiles.set(name, tile);
    this.grid.append(tile.element);
    video.addEventListener("resize", () => this.#arrange());
    video.addEventListener("loadeddata", () => video.videoWidth && this.#see());
    this.#watch(name, video);
    return tile;
  }

  #see() {
    if (this.pictured) return;
    this.pictured = true;
    if (this.cover) this.cover.hidden = true;
    for (const { still } of this.tiles.values()) still.hidden = true;
    this.onpicture();
  }

  /** Keeps what is seen now: browsers turn the picture of a closed connection black. */
  keep() {
    for (const { video, still } of this.tiles.values()) {
      const { videoWidth: width, videoHeight: height } = video;
      if (!width || !this.pictured) continue;
      const scale = Math.min(1, STILL_PX / width);
      Object.assign(still, { width: Math.round(width * scale), height: Math.round(height * scale) });
      still.getContext("2d", { alpha: false }).drawImage(video, 0, 0, still.width, still.height);
      still.dataset.kept = "";
    }
  }

  #remove(name, tile) {
    tile.video.srcObject = null;
    tile.element.remove();
    this.tiles.delete(name);
  }

  #watch(name, video) {
    if (!COUNTS_FRAMES) return;
    const seen = (now, metadata) => {
      this.lastFrame = now;
      this.frames += 1;
      this.#see();
      this.#on(name, metadata, now);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  }

  /** The picture that is large, or the first. */
  get main() {
    return (this.tiles.get(this.large) ?? this.tiles.values().next().value)?.video ?? null;
  }

  /** One picture large and the others small below it; once more, and all are equal again. */
  enlarge(name) {
    this.large = this.large === name ? null : name;
    this.#arrange();
  }

  /** The frame around the pictures takes their shape, as if all had that of the first one. */
  #arrange() {
    const count = this.tiles.size;
    const { videoWidth: width, videoHeight: height } = this.main ?? {};
    const columns = this.large ? Math.max(1, count - 1) : columnsFor(count);
    this.grid.style.setProperty("--columns", columns);
    this.onarrange();
    this.grid.classList.toggle("onelarge", this.large !== null);
    for (const [name, { caption, element }] of this.tiles) {
      caption.hidden = count < 2;
      caption.setAttribute("aria-pressed", String(name === this.large));
      element.classList.toggle("large", name === this.large);
    }
    const rows = this.large ? 1.25 : Math.ceil(count / columns);
    if (width) this.screen.style.setProperty("--ratio", ((this.large ? 1 : columns) * width) / (rows * height));
  }

  /** A picture of the author's before the first one of the model. */
  poster(url) {
    this.cover = url ? el("img", { class: "poster", src: url, alt: "" }) : null;
    if (this.cover) this.screen.prepend(this.cover);
  }

  /** Browsers refuse sound before the first touch of a page; the picture must not wait for it. */
  async setSound(on) {
    this.muted = !on;
    if (on && !this.volume) this.volume = 1;
    const first = this.tiles.values().next().value?.video;
    const players = [first, ...this.sounds.values()].filter(Boolean);
    for (const player of players) Object.assign(player, { muted: !on, volume: this.volume || 1 });
    this.tap.hidden = true;
    this.onsound();
    for (const { video } of this.tiles.values()) if (video !== first) video.play().catch(() => {});
    const results = await Promise.allSettled(players.map((player) => player.play()));
    if (!on || !results.some((result) => result.status === "rejected" && result.reason?.name === "NotAllowedError")) return;
    await this.setSound(false);
    this.tap.hidden = false;
  }

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.root.requestFullscreen) this.root.requestFullscreen(); // with what is below the picture
    else this.main?.webkitEnterFullscreen?.(); // phones that know it for videos only
  }

  say({ title, sentence, button, waiting = false, dim = false, progress = null, extra = [], count = "", cause = "" }) {
    this.veil.hidden = !title;
    this.veil.classList.toggle("waiting", waiting && progress === null);
    this.screen.classList.toggle("dim", dim);
    for (const { still } of this.tiles.values()) still.hidden = !dim || !("kept" in still.dataset);
    this.title.textContent = title;
    this.sentence.textContent = sentence;
    this.seconds.textContent = count;
    this.seconds.hidden = !count;
    this.cause.textContent = cause;
    this.cause.hidden = !cause;
    this.progress.hidden = progress === null;
    this.progress.value = progress ?? 0;
    this.extra.replaceChildren(...extra);
    this.button.hidden = !button;
    this.button.textContent = button ?? "";
    // An error may be longer than a phone's picture: then keys must reach it to scroll.
    if (this.veil.scrollHeight > this.veil.clientHeight) this.veil.tabIndex = 0;
    else this.veil.removeAttribute("tabindex");
  }

  /** No frame for so long, although the page is in front of somebody. */
  stillFor(ms) {
    return COUNTS_FRAMES && this.main !== null && !document.hidden && performance.now() - this.lastFrame > ms;
  }
}

const trackOf = (output) => output.transceiver.receiver.track;
export const columnsFor = (count) => (count < 2 ? 1 : count < 5 ? 2 : 3);
