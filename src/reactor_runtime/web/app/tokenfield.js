// @ts-check
// A place to enter the secret that a server asks for. Loaded when it does.

import { el } from "./dom.js";
import { later } from "../core/later.js";

/** Among the words over the picture of `viewer`, which uses what was entered. */
export async function askToken(viewer) {
  const token = await later("core/token.js");
  if (!token || viewer.shown !== "locked") return;
  const entry = el("input", { type: "text", "aria-label": "Token", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const used = () => viewer.useToken(token.tokenIn(entry.value));
  entry.addEventListener("keydown", ({ key }) => key === "Enter" && used());
  viewer.stage.extra.replaceChildren(el("div", { class: "row" }, entry, el("button", { type: "button", onclick: used }, "Enter")));
}
