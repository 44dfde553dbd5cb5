// @ts-check
/**
 * How far the slowest loop was behind, over the last minute.
 *
 * @module
 */
import { make, setText } from "./dom.js";
import { counted } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const [SECONDS, WIDTH, HEIGHT] = [60, 240, 60];

/** @param {string} tag @param {Record<string, string>} attributes */
function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  return element;
}

export class LagLine {
  element = make("figure", { class: "lag" });
  #svg = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  #area = shape("path", { class: "lag-area" });
  #line = shape("path", { class: "lag-line" });
  #limit = shape("path", { class: "lag-limit" });
  #top = make("span", { class: "lag-top" });
  #now = make("span");

  constructor() {
    this.#svg.append(this.#area, this.#line, this.#limit);
    const caption = make("figcaption", {}, make("span", {}, "slowest reader, last minute"), this.#now);
    this.element.append(caption, make("div", { class: "lag-plot" }, this.#svg, this.#top));
  }

  /** @param {readonly number[]} lags one for each second, the newest last @param {number} maxSize slots of the queue */
  show(lags, maxSize) {
    const last = lags.slice(-SECONDS);
    const highest = Math.max(maxSize, ...last, 1);
    const x = (/** @type {number} */ index) => WIDTH - (last.length - 1 - index) * WIDTH / (SECONDS - 1);
    const y = (/** @type {number} */ lag) => HEIGHT - 1 - lag / highest * (HEIGHT - 4);
    const points = last.map((lag, index) => `${x(index).toFixed(1)} ${y(lag).toFixed(1)}`);
    this.#line.setAttribute("d", points.length === 0 ? "" : `M${points.join("L")}`);
    const area = points.length === 0 ? "" : `M${x(0).toFixed(1)} ${HEIGHT}L${points.join("L")}L${WIDTH} ${HEIGHT}Z`;
    this.#area.setAttribute("d", area);
    this.#limit.setAttribute("d", `M0 ${y(maxSize).toFixed(1)}H${WIDTH}`);
    const now = last.at(-1);
    setText(this.#top, `${maxSize} slots`);
    setText(this.#now, now === undefined ? "no reader" : `${counted(now, "frame")} now`);
    const most = Math.max(0, ...last);
    this.#svg.setAttribute(
      "aria-label",
      `Lag now ${now ?? "unknown"}, at most ${most} in the last minute, of ${maxSize} slots`,
    );
    this.element.dataset.level = maxSize > 0 && (now ?? 0) >= maxSize ? "bad" : "plain";
  }
}
