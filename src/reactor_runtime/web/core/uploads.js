// @ts-check
// Files among a command's arguments: each is sent first, and then named by what the server calls it.

import { ApiError } from "./api.js";

/** Whether there is a file anywhere in `value`. */
export const holdsFile = (value) => value instanceof File
  || (typeof value === "object" && value !== null && Object.values(value).some(holdsFile));

/** Hears `progress` with `{file, share}`. */
export const progress = new EventTarget();

export class Uploads {
  #sent = new WeakMap(); // File → {session, reference}

  constructor(api) {
    this.api = api;
  }

  /** `value` with a reference in place of every file in it. A file goes once to each session, which keeps it. */
  async named(value, sessionId, session) {
    if (value instanceof File) return this.#reference(value, sessionId, session);
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.named(item, sessionId, session)));
    if (typeof value !== "object" || value === null) return value;
    const named = Object.entries(value).map(async ([key, item]) => [key, await this.named(item, sessionId, session)]);
    return Object.fromEntries(await Promise.all(named));
  }

  async #reference(file, sessionId, session) {
    const before = this.#sent.get(file);
    if (before?.session === session) return before.reference;
    const sent = (share) => progress.dispatchEvent(new CustomEvent("progress", { detail: { file, share } }));
    const reference = { upload_id: await this.#upload(sessionId, file, sent), name: file.name };
    this.#sent.set(file, { session, reference });
    return reference;
  }

  /** Sends a file to the session; resolves with what commands name it by. */
  async #upload(sessionId, file, sent) {
    const about = { name: file.name, size: file.size, ...(file.type && { mime_type: file.type }) };
    const { answer } = await this.api.call("POST", `/sessions/${encodeURIComponent(sessionId)}/uploads`, about);
    sent(0);
    await this.#put(`/uploads/${encodeURIComponent(answer.presigned_id)}`, file, sent).finally(() => sent(1)); // also one that broke off is over
    return answer.presigned_id;
  }

  /** `fetch` does not say how far it is. */
  #put(path, file, sent) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", this.api.base + path);
      for (const [name, value] of Object.entries(this.api.headers("application/octet-stream"))) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded, total }) => total && sent(loaded / total);
      request.onerror = () => reject(new ApiError(0, "unreachable", "The server does not answer."));
      request.onload = () => {
        if (request.status < 400) return resolve(undefined);
        let answer = {};
        try {
          answer = JSON.parse(request.responseText);
        } catch {
          // no words of the server: its status has to do
        }
        return reject(new ApiError(request.status, answer.code ?? `http_${request.status}`, answer.detail ?? `The server answered ${request.status}.`));
      };
      request.send(file);
    });
  }
}
