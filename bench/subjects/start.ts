/**
 * What it costs to begin: importing the module, opening a depot, and memory beyond the frames.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import { withDepot } from "./depot.ts";

const OPENS = 20;

/** Milliseconds to open an existing depot, in the median; the library is loaded. */
export function open(): Promise<Record<string, number>> {
  return withDepot({ frameSize: [1920, 1080, 3], maxSize: 10 }, async (depot) => {
    const times: number[] = [];
    for (let index = 0; index < OPENS; index++) {
      const started = performance.now();
      const opened = await FramesDepot.open(depot.name);
      times.push(performance.now() - started);
      await opened.close();
    }
    return { open: times.sort((a, b) => a - b)[OPENS >> 1] };
  });
}

/** Percent of the payload that a segment has beyond it, less the 64 KB that every depot may have. */
export async function overhead(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [width, height] of [[320, 240], [1280, 720], [1920, 1080]]) {
    const payload = width * height * 3 * 10;
    const { bytes } = await withDepot({ frameSize: [width, height, 3], maxSize: 10 }, (depot) => depot.stats());
    found[`${width} × ${height}`] = Math.max(0, bytes - payload - 65_536) / payload * 100;
  }
  return found;
}
