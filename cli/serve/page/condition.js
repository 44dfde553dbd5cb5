// @ts-check
/**
 * What is unusual about a depot, in words.
 *
 * @module
 */
/** @import { Depot } from "./messages.js" */
import { counted, size } from "./format.js";

/** @typedef {{ text: string, level: "plain" | "warning" | "bad" }} Remark */

/** The share of the queue from which a reader that is behind is worth a warning. */
const FAR_BEHIND = 0.5;

/**
 * Which reader is slow, if one is attached.
 *
 * @param {Depot} depot
 * @returns {Remark | undefined}
 */
export function slowness({ slow = [], full, maxSize = 0, whenFull }) {
  const slowest = slow.toSorted((one, other) =>
    Number(other.blocks ?? false) - Number(one.blocks ?? false) ||
    other.lag - one.lag
  )[0];
  if (slowest === undefined) {
    if (!full) return undefined;
    const missing = whenFull === "wait" ? "lossless reader" : "reader";
    return {
      text: `full: no ${missing} is attached, so the frames wait for one`,
      level: "warning",
    };
  }
  const process = `${slowest.runtime} ${slowest.pid}`;
  const behind = `${counted(slowest.lag, "frame")} behind`;
  if (slowest.blocks || full) {
    return {
      text: `full: ${process} holds the queue up, ${behind}`,
      level: "bad",
    };
  }
  const isFar = maxSize > 0 && slowest.lag >= maxSize * FAR_BEHIND;
  return {
    text: `slowest: ${process}, ${behind}`,
    level: isFar ? "warning" : "plain",
  };
}

/**
 * Why no new frame comes, if none can.
 *
 * @param {Depot} depot
 * @returns {string | undefined}
 */
export function ending({ state, reason, producersGone }) {
  if (state === "ended") return "ended: it takes no more frames";
  if (state === "stale") return `stale: ${reason ?? "its processes are dead"}`;
  if (state === "broken") return reason ?? "it cannot be opened";
  if (state === "gone") return "gone: the depot was removed";
  return producersGone ? "its producers are gone: readers wait for the next one" : undefined;
}

/** @param {Depot} depot what the page calls a depot in its list */
export function stateText({ state, producersGone }) {
  return state === "live" && producersGone ? "no producer" : state;
}

/** @param {Depot} depot `1920×1080×3 rgb24` */
export function formatText({ frameSize, pixelFormat, elementType }) {
  return [size(frameSize), pixelFormat || elementType].filter(Boolean).join(" ");
}
