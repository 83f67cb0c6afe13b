// Small live charts, one for each measure: a line of the last minute, the newest value beside it in words.

import { el } from "./dom.js";
import { MEASURES } from "./stats.js";
import { Waterfall } from "./waterfall.js";

const POINTS = 60;
const SVG = "http://www.w3.org/2000/svg";

export class Charts {
  #charts = new Map();

  constructor(root) {
    const list = el("dl", { class: "charts" });
    for (const [key, label, unit, digits] of MEASURES) {
      const chart = new Chart(label, unit, digits);
      this.#charts.set(key, chart);
      list.append(chart.element);
    }
    this.facts = el("p", { class: "help" }, "Nothing plays.");
    root.append(list, this.facts);
    this.waterfall = new Waterfall(root);
  }

  /** Once a second: `{fps: 30, …}`; what is not known leaves a gap. */
  add(values) {
    this.waterfall.second(values);
    for (const [key, chart] of this.#charts) chart.add(values[key] ?? null);
  }

  say(text) {
    this.facts.textContent = text;
  }
}

class Chart {
  #values = [];

  constructor(label, unit, digits) {
    Object.assign(this, { unit, digits });
    this.value = el("dd", {}, "–");
    this.top = el("span", { class: "top", "aria-hidden": "true" });
    this.line = document.createElementNS(SVG, "path");
    const svg = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${POINTS - 1} 24`, preserveAspectRatio: "none", "aria-hidden": "true" })) {
      svg.setAttribute(name, value);
    }
    svg.append(this.line);
    this.element = el("div", {}, el("dt", {}, label), this.value, el("dd", { class: "plot", "aria-hidden": "true" }, svg, this.top));
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > POINTS) this.#values.shift();
    const known = this.#values.filter((each) => each !== null);
    const last = known.at(-1);
    this.value.textContent = last === undefined ? "–" : `${last.toFixed(this.digits)} ${this.unit}`;
    const top = roundUp(Math.max(...known, 10 ** -this.digits));
    this.top.textContent = known.length ? `${top}` : "";
    this.line.setAttribute("d", this.#path(top));
  }

  /** A gap where nothing was known, a dot where a value stands alone. */
  #path(top) {
    const from = POINTS - this.#values.length;
    let before = null;
    return this.#values.map((value, index) => {
      const step = value === null ? "" : `${before === null ? "M" : "L"}${from + index} ${(23 - (22 * value) / top).toFixed(2)}${before === null ? "h.01" : ""}`;
      before = value;
      return step;
    }).join("");
  }
}

/** 1, 2 or 5 times a power of ten: a scale that does not dance with every value. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return Number(([1, 2, 5, 10].find((each) => each * power >= value * 0.999) * power).toPrecision(3));
}
