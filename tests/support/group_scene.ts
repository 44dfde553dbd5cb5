/**
 * A small depot and the group that its tests share.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type DepotOptions, type FrameReader, FramesDepot, type FramesOptions } from "../../mod.ts";

/** The group's name. */
export const GROUP = "detectors";
/** A frame of one value. */
export const pixels = (value: number): Uint8Array => new Uint8Array(4).fill(value);
/** Waits. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A depot with frames in it. */
export async function make(
  name: string,
  numbers: number[] = [],
  options: Partial<DepotOptions> = {},
): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait", ...options });
  for (const n of numbers) await put(depot, n);
  return depot;
}

/** Stores a frame. */
export async function put(depot: FramesDepot, frameNumber: number): Promise<void> {
  const { state } = await depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { timeoutMs: 10_000 });
  assertEquals(state, "stored");
}

/** Another member. */
export const member = (depot: FramesDepot, options: FramesOptions = {}): FrameReader =>
  depot.frames({ group: GROUP, ...options });
