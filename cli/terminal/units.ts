/**
 * Numbers as people read them. Units are decimal: 1 GB is 10^9 bytes.
 *
 * @module
 */

const BYTES = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Three digits that count: 5.18, 51.8, 518. */
function threeDigits(value: number): string {
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** Bytes: `0 B`, `955 kB`, `62.2 MB`. */
export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < BYTES.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value.toFixed(0) : threeDigits(value)} ${BYTES[unit]}`;
}

/** The size of a frame, as far as it was said: `640×480×3`, or nothing. */
export function size(frameSize: readonly number[] = []): string {
  return frameSize.filter((pixels) => pixels > 0).join("×");
}

/** Size and elements of a frame: `640 × 480 × 3 uint8`. */
export function elements({ frameSize, elementType }: { frameSize?: readonly number[]; elementType?: string }): string {
  return [size(frameSize).replaceAll("×", " × "), elementType].filter(Boolean).join(" ");
}

/** Bytes of a frame: `6.22 MB`, `up to 2.00 MB`. */
export function frameLength({ frameBytes, variableLength }: { frameBytes?: number; variableLength?: boolean }): string {
  return `${variableLength ? "up to " : ""}${bytes(frameBytes!)}`;
}

/** Bytes a second, always in GB/s, so that rows of a table compare. */
export function gigabytesPerSecond(bytesPerSecond: number): string {
  const value = bytesPerSecond / 1e9;
  return value === 0 ? "0" : value < 0.001 ? "<0.001" : value < 10 ? value.toFixed(3) : value.toFixed(1);
}

/** A rate of frames, without its unit: `0`, `0.5`, `30.0`, `1,200`. */
export function rate(perSecond: number): string {
  return perSecond === 0 ? "0" : perSecond < 99.95 ? perSecond.toFixed(1) : count(perSecond);
}

/** A whole number with its thousands apart: `12,345`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Milliseconds: `0.42 ms`, `33.4 ms`, `12.5 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 0.9995) return `${threeDigits(milliseconds * 1000)} µs`;
  if (milliseconds < 999.5) return `${threeDigits(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).filter(([value]) => value > 0).map((part) => part.join(" ")).join(" ");
}

/** A noun with its number: `1 frame`, `2 frames`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}
