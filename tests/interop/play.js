// Plays one visit with the SDK that the page was given, in a real browser. The same checks as play.py.

let server = null; // by default the SDK's own
const FRAMES = 60;
const LIMIT_MS = 12000;
const [DARK, MID, LIGHT] = [40, 120, 220];
const CAMERA = 200;
const CAMERA_BACK = 255 - CAMERA;

/** What both releases can do, whatever they call it. */
class Client {
  messages = [];
  frames = {};
  shades = {};

  constructor(Reactor) {
    this.sdk = new Reactor({ modelName: "echo", local: true, ...(server && { apiUrl: server }) });
    this.sdk.on("message", (message) => this.messages.push(message));
    this.sdk.on("runtimeMessage", (message) => this.messages.push(message));
    this.sdk.on("trackReceived", (name, track) => this.watch(name, track));
  }

  async connect() {
    await this.sdk.connect();
    await until(() => this.sdk.getStatus() === "ready", "the client is ready");
  }

  command(name, data = {}) {
    return this.sdk.sendCommand(name, data);
  }

  /** The value that comes back, told from other messages by having no type. */
  async ask(name, data) {
    this.messages.length = 0;
    await this.command(name, data);
    return until(() => this.messages.find((message) => message.type === undefined), `${name} is answered`);
  }

  async error(name, data) {
    this.messages.length = 0;
    await this.command(name, data);
    const found = () => this.messages.find((message) => message.type === "commandError");
    return (await until(found, "the error arrives")).data;
  }

  camera(track) {
    return this.sdk.publishTrack("webcam", track);
  }

  async comeBack() {
    await this.sdk.disconnect(true);
    await sleep(500);
    await this.sdk.reconnect();
    await until(() => this.sdk.getStatus() === "ready", "the client is ready again");
  }

  leave() {
    return this.sdk.disconnect();
  }

  watch(name, track) {
    const video = document.createElement("video");
    Object.assign(video, { srcObject: new MediaStream([track]), muted: true, autoplay: true });
    document.body.append(video);
    const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const look = () => {
      pixel.drawImage(video, 0, 0, 1, 1);
      this.shades[name] = pixel.getImageData(0, 0, 1, 1).data[0];
      this.frames[name] = (this.frames[name] ?? 0) + 1;
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }
}

/** 2.2: one picture each way, and only messages of the model. */
class Single extends Client {
  onePicture = true;
  saysNoErrors = true;

  constructor(Reactor) {
    super(Reactor);
    this.sdk.on("newMessage", (message) => this.messages.push(message));
    this.sdk.on("streamChanged", (track) => track && this.watch("main_video", track));
  }

  camera(track) {
    return this.sdk.publishTrack(track);
  }
}

const checks = {
  connect: ({ client }) => client.connect(),

  async frames(visit) {
    const enough = () => visit.client.frames.main_video >= FRAMES;
    await until(enough, `${FRAMES} frames`, () => JSON.stringify(visit.client.frames));
    await picture(visit, MID);
  },

  async message(visit) {
    const said = (message) => message.type === "hello";
    const hello = await until(() => visit.client.messages.find(said), "hello");
    check(hello.shade === "mid" && hello.received === 0, hello);
  },

  async command(visit) {
    await visit.client.command("set_shade", { shade: "light" });
    await picture(visit, LIGHT);
  },

  async reply({ client }) {
    const reply = await client.ask("add", { a: 2 });
    check(reply.sum === 3, reply);
  },

  async error({ client }) {
    if (client.saysNoErrors) return "cannot";
    const error = await client.error("add", { a: 101 });
    check(error.code === "invalid_command" && error.message.includes("100"), error);
  },

  async camera(visit) {
    await visit.client.camera(grey(CAMERA));
    // Chromium sends a canvas in full range, which reads as brighter than it was.
    if (!visit.client.onePicture) await picture(visit, CAMERA_BACK, "webcam_back", 20);
    let state = await visit.client.ask("state");
    for (const end = Date.now() + LIMIT_MS; state.received === 0; state = await visit.client.ask("state")) {
      check(Date.now() < end, state);
    }
  },

  async upload({ client }) {
    if (!client.sdk.uploadFile) return "cannot";
    const bytes = Uint8Array.from({ length: 256_000 }, (_, index) => index % 256);
    const file = await client.sdk.uploadFile(new File([bytes], "photo.png", { type: "image/png" }));
    const reply = await client.ask("weigh", { file });
    check(reply.name === "photo.png" && reply.mime_type === "image/png", reply);
    check(reply.size === bytes.length && reply.sum === 32_640_000, reply);
  },

  async reconnect(visit) {
    await visit.client.command("set_shade", { shade: "dark" });
    await picture(visit, DARK);
    const { number } = await session();
    await visit.client.comeBack();
    visit.client.shades = {}; // not before: the first connection still showed the same picture
    await picture(visit, DARK);
    const state = await visit.client.ask("state");
    check(state.shade === "dark" && (await session()).number === number, state);
  },

  async disconnect({ client }) {
    await client.leave();
    await until(async () => (await session()).state === "READY", "the server is free");
    const { last_end: end } = await session();
    check(end.reason === "stopped", end);
  },

  async again(visit) {
    const { number } = await session();
    visit.client = visit.make();
    await visit.client.connect();
    await picture(visit, MID);
    await checks.message(visit);
    check((await session()).number === number + 1, await session());
    await visit.client.leave();
  },
};

/** The checks in their order, until one fails: the ones after it need it. */
export async function play(Reactor, version, base = null) {
  server = base;
  const make = () => new (version.startsWith("2.2.") ? Single : Client)(Reactor);
  const visit = { make, client: make() };
  const found = {};
  for (const [name, run] of Object.entries(checks)) {
    try {
      found[name] = (await run(visit)) ?? "ok";
    } catch (error) {
      found[name] = String(error);
      break;
    }
  }
  return found;
}

function picture(visit, shade, track = "main_video", tolerance = 12) {
  const { client } = visit;
  const seen = () => `it is ${client.shades[track]} after ${client.frames[track]} frames`;
  return until(() => Math.abs(client.shades[track] - shade) <= tolerance, `a picture of ${shade} on ${track}`, seen);
}

function grey(value) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d");
  context.fillStyle = `rgb(${value} ${value} ${value})`;
  setInterval(() => context.fillRect(0, 0, 320, 240), 66);
  return canvas.captureStream(15).getVideoTracks()[0];
}

async function session() {
  return (await fetch(`${server ?? "http://localhost:8080"}/session`)).json();
}

async function until(ready, what, seen = () => "") {
  for (const end = Date.now() + LIMIT_MS; ; await sleep(50)) {
    const result = await ready();
    if (result) return result;
    if (Date.now() > end) throw new Error(`never came true: ${what}; ${seen()}`);
  }
}

function check(truth, seen) {
  if (!truth) throw new Error(JSON.stringify(seen));
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
