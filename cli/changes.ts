/**
 * What became of a name: whether another depot has it, and in what that one differs.
 *
 * @module
 */
import type { DepotInspection } from "../mod.ts";
import type { Sight } from "./sight.ts";
import { size } from "./terminal/units.ts";

/** What readers need to know of a depot's frames. */
export type Shape = Pick<DepotInspection, "frameSize" | "elementType" | "pixelFormat">;

/** `640×480×3 rgb24`. */
export function shapeInWords({ frameSize, elementType, pixelFormat }: Shape): string {
  return [size(frameSize), pixelFormat || elementType].filter(Boolean).join(" ");
}

/** A line for each name that has got another depot a moment ago. */
export function changeNotes(sights: readonly Sight[]): string[] {
  return sights.flatMap(({ info, atMs, after }) => {
    if (after === undefined) return [];
    const [now, before] = [shapeInWords(info), shapeInWords(after.info)];
    const shape = now === before ? "of the same shape" : `${now} after ${before}`;
    return [`${info.name}: another depot since ${((atMs - after.atMs) / 1000).toFixed(0)} s, ${shape}`];
  });
}
