// @ts-check
/**
 * What flows through a depot, and how full it is: four figures, in all depots and in one.
 *
 * @module
 */
/** @import { Depot } from "./messages.js" */
import { makeFigures, setText } from "./dom.js";
import { count, gigabytesPerSecond, rate } from "./format.js";

export class Flow {
  #figures = makeFigures(["queue", "frames/s", "GB/s", "drops/s"], "figures");
  element = this.#figures.list;

  /** @param {Depot} depot */
  show({ state, length = 0, maxSize, full, framesPerSecond, bytesPerSecond, droppedPerSecond }) {
    const { queue, "frames/s": frames, "GB/s": gigabytes, "drops/s": drops } = this.#figures.values;
    this.element.hidden = state === "broken";
    setText(queue, maxSize === undefined ? "–" : `${count(length)}/${count(maxSize)}`);
    setText(frames, rate(framesPerSecond));
    setText(gigabytes, gigabytesPerSecond(bytesPerSecond));
    setText(drops, rate(droppedPerSecond));
    queue.classList.toggle("bad", full === true);
    drops.classList.toggle("bad", (droppedPerSecond ?? 0) > 0);
  }
}
