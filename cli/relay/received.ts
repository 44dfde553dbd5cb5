/**
 * What a relay on the far side has counted.
 *
 * @module
 */
import { counted } from "../terminal/units.ts";

/** What was received: `lost` are frames of the source that did not come, `dropped` those that the depot refused. */
export type Received = {
  depot: string;
  subject: string;
  frames: number;
  lost: number;
  dropped: number;
  bytes: number;
  /** Depots that have had the name, where there was more than one. */
  depots?: number;
};

/** `12 frames received into camera0, 3 lost`. */
export function receivedInWords({ depot, frames, lost, dropped }: Received): string {
  const losses = `${lost > 0 ? `, ${lost} lost` : ""}${dropped > 0 ? `, ${dropped} dropped` : ""}`;
  return `${counted(frames, "frame")} received into ${depot}${losses}`;
}
