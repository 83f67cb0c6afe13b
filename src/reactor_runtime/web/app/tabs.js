// @ts-check
// Several panels in one place, as the ARIA practices want them: arrows move, the chosen one is in the tab order.

import { el, freshId } from "./dom.js";

/** `panels` is `[[label, element, chosen], …]`, `chosen()` being called whenever it is; returns the list of tabs and what to append. */
export function makeTabs(label, panels) {
  const tabs = panels.map(([name, panel]) => {
    panel.id ||= freshId("panel");
    panel.setAttribute("role", "tabpanel");
    const tab = el("button", { type: "button", role: "tab", id: freshId("tab"), "aria-controls": panel.id, onclick: () => choose(tab) }, name);
    panel.setAttribute("aria-labelledby", tab.id);
    return tab;
  });
  const choose = (chosen) => tabs.forEach((tab, index) => {
    const [, panel, shown] = panels[index];
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    panel.hidden = tab !== chosen;
    if (tab === chosen) shown?.();
  });
  const list = el("div", {
    role: "tablist",
    "aria-label": label,
    class: "tabs",
    onkeydown(event) {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = tabs.at((tabs.indexOf(event.target) + by) % tabs.length);
      next.focus();
      choose(next);
    },
  }, ...tabs);
  choose(tabs[0]);
  return [list, ...panels.map(([, panel]) => panel)];
}
