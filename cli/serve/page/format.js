// @ts-check
/**
 * Numbers as people read them, as the other commands write them. Units are decimal: 1 GB is 10^9 bytes.
 *
 * @module
 */

const BYTES = ["B", "kB", "MB", "GB", "TB", "PB"];
/** Timestamps above are dates: 2000-01-01, in nanoseconds. Those below count from some beginning. */
const FIRST_DATE_NS = 946_684_800_000_000_000n;

/** @param {number} value three digits that count: 5.18, 51.8, 518 */
function threeDigits(value) {
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** @param {number} value a whole number with its thousands apart: `12,345` */
export function count(value) {
  return Math.round(value).toLocaleString("en-US");
}

/** @param {number} value @param {string} noun `1 frame`, `2 frames` */
export function counted(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** @param {number} value bytes: `0 B`, `955 kB`, `62.2 MB` */
export function bytes(value) {
  let unit = 0;
  for (; value >= 999.5 && unit < BYTES.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value.toFixed(0) : threeDigits(value)} ${BYTES[unit]}`;
}

/** @param {number | undefined | null} perSecond bytes, always in GB/s so that depots compare */
export function gigabytesPerSecond(perSecond) {
  if (perSecond === undefined || perSecond === null) return "–";
  const value = perSecond / 1e9;
  return value === 0 ? "0" : value < 0.001 ? "<0.001" : value < 10 ? value.toFixed(3) : value.toFixed(1);
}

/** @param {number | undefined | null} perSecond `0`, `0.5`, `30.0`, `1,200` */
export function rate(perSecond) {
  if (perSecond === undefined || perSecond === null) return "–";
  return perSecond === 0 ? "0" : perSecond < 99.95 ? perSecond.toFixed(1) : count(perSecond);
}

/** @param {number} milliseconds `0.42 ms`, `33.4 ms`, `12.5 s`, `3 min 20 s`, `2 h 5 min` */
export function duration(milliseconds) {
  if (milliseconds < 999.5) return `${threeDigits(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  /** @type {[number, string][]} */
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).filter(([value]) => value > 0).map((part) => part.join(" ")).join(" ");
}

/** @param {string} nanoseconds a timestamp: a time of day, or seconds where it is no date */
export function timestamp(nanoseconds) {
  const value = BigInt(nanoseconds);
  const milliseconds = Number(value / 1_000_000n);
  if (value < FIRST_DATE_NS) return `${(Number(value) / 1e9).toFixed(6)} s`;
  const date = new Date(milliseconds);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(milliseconds % 1000).padStart(3, "0")}`;
}

/** @param {readonly number[] | undefined} frameSize `1920×1080×3`, as far as it was said */
export function size(frameSize) {
  return (frameSize ?? []).filter((pixels) => pixels > 0).join("×");
}
