// @ts-check
// A link for others and its QR code: a telephone that plays, people who watch. Loaded when somebody asks for it.

import { el, freshId } from "./dom.js";
import { isLoopback } from "../core/api.js";

const VALUES_MAX = 900; // characters: more make a code that no camera reads
const ROLES = [["view", "Others watch"], ["control", "My phone plays"]];

/** A dialog, which the caller puts into the page. `values()` gives what the controls hold. */
export function shareDialog({ api, values, said }) {
  const name = freshId("share");
  const picture = el("img", { class: "qr", alt: "QR code of the link" });
  const link = el("input", { type: "text", readonly: true, "aria-label": "Link", onfocus: () => link.select() });
  const note = el("p", { class: "help", role: "status" });
  const withValues = el("input", { type: "checkbox", onchange: () => draw() });
  const choices = ROLES.map(([role, text], index) => el("label", { class: "check" },
    el("input", { type: "radio", name, value: role, checked: index === 0, onchange: () => draw() }), text));
  const dialog = el("dialog", { class: "card share", "aria-labelledby": `${name}-title` },
    el("div", { class: "title" }, el("h2", { id: `${name}-title` }, "Share"), el("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    el("div", { class: "row", role: "radiogroup", "aria-label": "Who opens it" }, ...choices),
    el("label", { class: "check" }, withValues, "with the values of the controls"),
    picture, el("div", { class: "row" }, link, el("button", { type: "button", onclick: () => copy() }, "Copy")), note);

  async function copy() {
    link.select();
    await navigator.clipboard?.writeText(link.value).then(() => (note.textContent = "Copied."), () => {}); // refused: it is selected
  }

  async function draw() {
    const role = dialog.querySelector("[type=radio]:checked")?.getAttribute("value");
    const kept = withValues.checked ? encodeURIComponent(JSON.stringify(values())).replace(/[^!-~]/g, "") : "";
    const fits = kept.length <= VALUES_MAX;
    try {
      const { answer } = await api.call("POST", "/share", { address: location.origin + location.pathname, role, values: fits ? kept : "" });
      picture.src = `data:image/svg+xml,${encodeURIComponent(answer.qr)}`;
      picture.hidden = false;
      link.value = answer.link;
      note.textContent = [fits ? "" : "These values are too long for a code: Copy link, beside the controls, has them.", opens(answer)].filter(Boolean).join(" ");
    } catch (error) {
      picture.hidden = true;
      link.value = "";
      note.textContent = error.message;
      said(error.message);
    }
  }

  return { dialog, open: () => (dialog.showModal(), draw()) };
}

/** Where and how long a link opens, where that is not everywhere and for ever. */
function opens({ expires_at: until, session }) {
  const here = isLoopback(location.href) ? "This address opens on this machine only: open the page by the machine's address in your network (reactor run --host 0.0.0.0 prints it)." : "";
  const ends = session ? "It opens while this session lasts." : until ? `It opens until ${new Date(until * 1000).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" })}.` : "";
  return [here, ends].filter(Boolean).join(" ");
}
