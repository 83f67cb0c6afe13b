// @ts-check
// Small live charts, one for each measure: a line of the last minute, the newest value beside it in words. Loaded when
// somebody looks at the statistics.

import { el } from "./dom.js";
import { MEASURES } from "../core/stats.js";

const POINTS = 60;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Draws what `measured` keeps into `root`, now and with every change.
 * @param {HTMLElement} root
 * @param {import("../core/measured.js").Measured} measured
 * @param {typeof import("./waterfall.js").Waterfall} Waterfall
 */
export function drawCharts(root, measured, Waterfall) {
  const charts = MEASURES.map(([key, label, unit, digits]) => ({ key, chart: new Chart(label, unit, digits) }));
  const facts = el("p", { class: "help" });
  root.append(el("dl", { class: "charts" }, ...charts.map(({ chart }) => chart.element)), facts);
  const waterfall = new Waterfall(root, measured);
  const draw = () => {
    facts.textContent = measured.facts;
    const seconds = measured.seconds.slice(-POINTS);
    for (const { key, chart } of charts) chart.draw(seconds.map((each) => each[key] ?? null));
    waterfall.draw();
  };
  measured.addEventListener("change", () => root.hidden || draw());
  draw();
  return draw;
}

class Chart {
  constructor(label, unit, digits) {
    this.unit = unit;
    this.digits = digits;
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

  draw(values) {
    const known = values.filter((each) => each !== null);
    const last = known.at(-1);
    this.value.textContent = last === undefined ? "–" : `${last.toFixed(this.digits)} ${this.unit}`;
    const top = roundUp(Math.max(...known, 10 ** -this.digits));
    this.top.textContent = known.length ? `${top}` : "";
    this.line.setAttribute("d", pathOf(values, top));
  }
}

/** A gap where nothing was known, a dot where a value stands alone. */
function pathOf(values, top) {
  const from = POINTS - values.length;
  let before = null;
  return values.map((value, index) => {
    const step = value === null ? "" : `${before === null ? "M" : "L"}${from + index} ${(23 - (22 * value) / top).toFixed(2)}${before === null ? "h.01" : ""}`;
    before = value;
    return step;
  }).join("");
}

/** 1, 2 or 5 times a power of ten: a scale that does not dance with every value. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return Number((([1, 2, 5, 10].find((each) => each * power >= value * 0.999) ?? 10) * power).toPrecision(3));
}
