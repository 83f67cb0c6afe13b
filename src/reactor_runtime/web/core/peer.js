// @ts-check
// One WebRTC connection: an m-section for each declared track, one data channel, candidates as they come.
// This is the only module that knows RTCPeerConnection; session.js talks to what `openPeer` returns.

import { ApiError } from "./api.js";
import { later } from "./later.js";
import { candidatesIn, onlyWished, readCandidate } from "./ladder.js";

const READY_LIMIT_MS = 20_000;
const EARLY_MS = 2_500; // no way that carries takes longer than this
const PING_MS = 5_000;
const CANDIDATE_BATCH_MS = 20;
const VERSION = "1";

/**
 * Connects and resolves once media and messages can flow. `id` is the connection to come back to; null makes one.
 *
 * `on.message(object)` hears every JSON message, `on.closed()` once when an open connection is lost; aborting
 * `signal` closes it, at any time, in silence. `on.slow(sentence)` hears what to do where no way carries so far; it may yet.
 * `wish` is the one wire that is to be used, as in `ladder.js`.
 * The result: `outputs` and `inputs` (`{name, kind, transceiver}`), `id`, `send(object)`, `stats()`,
 * `tried` (the candidates of both sides), `close()`.
 */
export async function openPeer({ api, sessionId, tracks, id = null, wish = null, on, signal }) {
  const [iceServers, given] = await Promise.all([api.iceServers(sessionId), id ?? api.connection(sessionId)]);
  const connection = new RTCPeerConnection({ iceServers });
  const peer = new Peer(connection, given, on, wish);
  signal.addEventListener("abort", () => peer.close(), { once: true });
  try {
    await peer.negotiate(api, sessionId, tracks, id !== null);
    return peer;
  } catch (error) {
    peer.close();
    throw error;
  }
}

class Peer {
  #on;
  #over = false;
  #channel;
  #pings;
  #giveUp = () => {};
  #look;

  constructor(connection, id, on, wish) {
    this.wish = wish;
    this.connection = connection;
    this.id = id;
    this.#on = on;
    this.outputs = [];
    this.inputs = [];
    this.tried = { local: [], remote: [] };
  }

  async negotiate(api, sessionId, tracks, again) {
    const added = tracks.map((track) => ({ ...track, transceiver: this.#add(track) }));
    this.#channel = this.connection.createDataChannel("data");
    this.#channel.addEventListener("message", ({ data }) => this.#receive(data));
    this.outputs = added.filter((track) => track.direction === "recvonly");
    this.inputs = added.filter((track) => track.direction === "sendonly");

    const ready = this.#ready();
    ready.catch(() => {}); // heard below; a failure during the offer must not count as unhandled
    const trickle = new Trickle(api, sessionId, this);
    const { sdp } = await this.connection.createOffer();
    await this.connection.setLocalDescription({ type: "offer", sdp: inStereo(sdp) });
    await api.offer(sessionId, this.id, this.#offerBody(added), again);
    trickle.begin();
    const answer = await api.answer(sessionId, this.id);
    const wished = onlyWished(answer, this.wish);
    this.tried.remote = candidatesIn(wished);
    this.address = api.address; // there is an answer
    await this.connection.setRemoteDescription({ type: "answer", sdp: wished });
    this.#look();
    await ready;
    this.#watch();
  }

  #add({ kind, direction }) {
    const transceiver = this.connection.addTransceiver(kind, { direction });
    if (direction === "recvonly") {
      // A live picture is worth more than a smooth one: show each frame when it comes.
      if ("jitterBufferTarget" in transceiver.receiver) transceiver.receiver.jitterBufferTarget = 0;
      if ("playoutDelayHint" in transceiver.receiver) transceiver.receiver.playoutDelayHint = 0;
    }
    return transceiver;
  }

  #offerBody(added) {
    return {
      sdp_offer: onlyWished(this.connection.localDescription.sdp, this.wish, true),
      client_info: { sdk_version: VERSION, sdk_type: "page" },
      track_mapping: added.map(({ name, kind, direction, transceiver }) => (
        { mid: transceiver.mid, name, kind, direction })),
    };
  }

  /** Connected means: ICE and DTLS are up and the data channel is open. */
  #ready() {
    const { connection } = this;
    return new Promise((resolve, reject) => {
      const fail = (code, sentence) => reject(new ApiError(0, code, sentence));
      const noWay = () => this.#noRoute().then((sentence) => fail("ice_failed", sentence));
      this.#giveUp = () => fail("closed", "The connection was closed.");
      const stuck = () => this.address && /new|checking/.test(connection.iceConnectionState);
      setTimeout(() => stuck() && this.#noRoute().then((sentence) => stuck() && this.#on.slow(sentence)), EARLY_MS);
      const late = setTimeout(noWay, READY_LIMIT_MS);
      const look = this.#look = () => {
        const state = connection.connectionState;
        if (state === "connected" && this.#channel.readyState === "open") resolve(null);
        // Firefox may say so before the answer, when it has no address of its own; what to do stands in the answer.
        else if (state === "failed" && this.address) noWay();
        else return;
        clearTimeout(late);
      };
      connection.addEventListener("connectionstatechange", look);
      this.#channel.addEventListener("open", look);
      this.#channel.addEventListener("close", () => fail("closed", "The server closed the connection."));
    });
  }

  /** Which addresses were tried, and what would help. */
  async #noRoute() {
    return (await later("core/noway.js"))?.noWayOf(this) ?? "";
  }

  #watch() {
    const { connection } = this;
    connection.addEventListener("connectionstatechange", () => {
      if (["disconnected", "failed", "closed"].includes(connection.connectionState)) this.lost();
    });
    this.#channel.addEventListener("close", () => this.lost());
    const ping = () => this.send({ scope: "runtime", data: { type: "ping", data: {} } });
    this.#pings = setInterval(ping, PING_MS);
    ping();
  }

  #receive(text) {
    try {
      this.#on.message(JSON.parse(text));
    } catch (error) {
      console.warn("A message of the server could not be read.", error);
    }
  }

  /** False when the channel is not open: nothing is queued behind the caller's back. */
  send(object) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(object));
    return true;
  }

  stats() {
    return this.connection.getStats();
  }

  /** Told by the connection itself, or by a caller who knows better, as when the server is gone. */
  lost() {
    if (this.#over) return;
    this.close();
    this.#on.closed();
  }

  close() {
    this.#over = true;
    this.#giveUp();
    clearInterval(this.#pings);
    this.connection.close();
  }
}

/** Browsers hear mono unless their own offer says that they want both channels (RFC 7587, section 6.1). */
function inStereo(sdp) {
  return sdp.replace(/^(a=fmtp:\d+ .*\buseinbandfec=1)(?!.*\bstereo=)/gm, "$1;stereo=1");
}

/** Gathers candidates into small batches, and holds them until the server knows the offer. */
class Trickle {
  #waiting = [];
  #begun = false;
  #final = false;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  constructor(api, sessionId, peer) {
    this.send = (batch, final) => api.candidates(sessionId, peer.id, batch, final).catch(() => {
      // The connection may work without them; if it does not, `ready` says so in words.
    });
    peer.connection.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.candidate) {
        peer.tried.local.push(readCandidate(candidate.candidate));
        if (peer.wish === "tcp") return; // it is this side that connects
        this.#waiting.push({
          candidate: candidate.candidate,
          sdp_mid: candidate.sdpMid,
          sdp_mline_index: candidate.sdpMLineIndex,
        });
      } else if (!candidate) this.#final = true;
      this.#schedule();
    });
  }

  begin() {
    this.#begun = true;
    this.#schedule();
  }

  #schedule() {
    if (!this.#begun || this.#timer || !(this.#waiting.length || this.#final)) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.send(this.#waiting.splice(0), this.#final);
      this.#final = false;
    }, CANDIDATE_BATCH_MS);
  }
}
