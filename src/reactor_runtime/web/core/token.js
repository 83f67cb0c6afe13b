// The secret that a server may ask for, from a person's hand to the server.

import { el } from "./dom.js";

const BELOW = /\/t\/([^/]+)\/?$/; // http://host:8080/t/TOKEN, which SDKs take as their base URL

/** People copy the whole address as often as the token in it. */
export function tokenIn(text) {
  const written = text.trim();
  if (!URL.canParse(written)) return written;
  const { searchParams, pathname } = new URL(written);
  const below = BELOW.exec(pathname);
  return searchParams.get("token") || (below && decoded(below[1])) || written;
}

/** A header's characters are bytes: those of the token in UTF-8. */
export const inHeader = (token) => String.fromCharCode(...new TextEncoder().encode(token));

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** The server answers this address with a cookie; it does not stay in the history, which others may read. */
export function openWith(text) {
  location.replace(`?token=${encodeURIComponent(tokenIn(text))}`);
}

/** A place to enter it; `use(text)` is called with what was. */
export function tokenField(use) {
  const entry = el("input", { type: "text", "aria-label": "Token", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const used = () => use(entry.value);
  entry.addEventListener("keydown", ({ key }) => key === "Enter" && used());
  return el("div", { class: "row" }, entry, el("button", { type: "button", onclick: used }, "Enter"));
}
