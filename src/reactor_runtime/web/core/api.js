// @ts-check
// The runtime's HTTP. Every refusal becomes an ApiError that carries the server's own sentence and code.

export class ApiError extends Error {
  /**
   * `status` 0 means that no answer came at all.
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {{retryAfter?: number | null, state?: string, progress?: number | null}} extra
   */
  constructor(status, code, detail, extra = {}) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.extra = extra;
  }
}

const ANSWER_LIMIT_MS = 15_000; // the server holds a start for 10 s while the last session closes
const NEGOTIATION_LIMIT_MS = 30_000;
const POLL_FLOOR_MS = 100;
const AT_HOME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether an address is one of this machine alone. */
export const isLoopback = (address) => AT_HOME.test(new URL(address).hostname);

/** A header's characters are bytes: those of the token in UTF-8. */
const inHeader = (token) => String.fromCharCode(...new TextEncoder().encode(token));

export class Api {
  /**
   * `base` is the server's address, with or without a slash; `token` is for pages that get no cookie from it.
   * @param {string | null} [token]
   */
  constructor(base = "", token = null) {
    this.base = base.replace(/\/$/, "");
    this.token = token;
  }

  /** Where the server is, in full. */
  get address() {
    return new URL(this.base || ".", location.href).href;
  }

  /** Whether it is this machine. */
  get isHome() {
    return isLoopback(this.address);
  }

  /**
   * @param {string} [type] of the body
   * @returns {Record<string, string>}
   */
  headers(type) {
    /** @type {Record<string, string>} */
    const content = type ? { "Content-Type": type } : {};
    return this.token ? { ...content, Authorization: `Bearer ${inHeader(this.token)}` } : content;
  }

  async request(method, path, body) {
    const file = body instanceof Blob; // as large as it is: only its sender knows how long that may take
    let response;
    try {
      response = await fetch(this.base + path, {
        method,
        cache: "no-store",
        signal: file ? undefined : AbortSignal.timeout(ANSWER_LIMIT_MS),
        headers: this.headers(file ? "application/octet-stream" : body && "application/json"),
        body: body === undefined || file ? body : JSON.stringify(body),
      });
    } catch {
      throw new ApiError(0, "unreachable", "The server does not answer.");
    }
    const answer = await response.json().catch(() => ({}));
    return { status: response.status, answer, retryAfter: Number(response.headers.get("Retry-After")) || null };
  }

  async call(method, path, body) {
    const { status, answer, retryAfter } = await this.request(method, path, body);
    if (status < 400) return { status, answer };
    const detail = typeof answer.detail === "string" ? answer.detail : `The server answered ${status}.`;
    throw new ApiError(status, answer.code ?? `http_${status}`, detail, { retryAfter, state: answer.state });
  }

  /** Loading and failed are answers here, not errors: only silence throws. */
  async health() {
    return (await this.request("GET", "/health?why=true")).answer;
  }

  async session() {
    return (await this.call("GET", "/session")).answer;
  }

  async start() {
    return (await this.call("POST", "/start_session", {})).answer;
  }

  async stop() {
    return (await this.call("POST", "/stop_session")).answer;
  }

  /** Says goodbye: heard also from a page that goes away. */
  farewell(sessionId, id) {
    const url = this.base + this.#connection(sessionId, id, "farewell");
    if (!this.token && navigator.sendBeacon?.(url)) return;
    fetch(url, { method: "POST", keepalive: true, headers: this.headers() }).catch(() => {});
  }

  wire(sessionId, leaf) {
    return `/sessions/${encodeURIComponent(sessionId)}/transport/webrtc/${leaf}`;
  }

  /** The browser's spelling of the server's ICE list; the wire says `uris`, W3C says `urls`. */
  async iceServers(sessionId) {
    const { answer } = await this.call("GET", this.wire(sessionId, "ice_servers"));
    return (answer.ice_servers ?? []).map((server) => ({
      urls: server.uris,
      username: server.credentials?.username,
      credential: server.credentials?.password,
    }));
  }

  /** The id of a connection that is about to be made. */
  async connection(sessionId) {
    return (await this.call("POST", this.wire(sessionId, "connections"))).answer.connection_id;
  }

  #connection(sessionId, id, leaf) {
    return this.wire(sessionId, `connections/${id}/${leaf}`);
  }

  /** Sends the offer; `again` replaces the connection that had this id, and keeps its role. */
  offer(sessionId, id, body, again) {
    return this.call(again ? "PUT" : "POST", this.#connection(sessionId, id, "sdp_params"), body);
  }

  /** The server holds this request until the answer exists, so asking again at once is cheap. */
  async answer(sessionId, id) {
    const deadline = performance.now() + NEGOTIATION_LIMIT_MS;
    while (performance.now() < deadline) {
      const asked = performance.now();
      const { status, answer } = await this.call("GET", this.#connection(sessionId, id, "sdp_params"));
      if (status === 200) return answer.sdp_answer;
      const rest = POLL_FLOOR_MS - (performance.now() - asked);
      if (rest > 0) await new Promise((done) => setTimeout(done, rest));
    }
    throw new ApiError(0, "no_answer", "The server never answered the offer.");
  }

  candidates(sessionId, id, candidates, isFinal) {
    return this.call("POST", this.#connection(sessionId, id, "ice_candidates"), { candidates, is_final: isFinal });
  }
}
