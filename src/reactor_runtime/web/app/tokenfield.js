// @ts-check
// A place to enter the secret that a server asks for.

import { el } from "./dom.js";
import { tokenIn } from "../core/token.js";

/** A place to enter it; `use(token)` is called with what was. */
export function tokenField(use) {
  const entry = el("input", { type: "text", "aria-label": "Token", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const used = () => use(tokenIn(entry.value));
  entry.addEventListener("keydown", ({ key }) => key === "Enter" && used());
  return el("div", { class: "row" }, entry, el("button", { type: "button", onclick: used }, "Enter"));
}
