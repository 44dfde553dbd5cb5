/**
 * One frame through a depot, asleep and woken: all that a library has to do.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";

/** Makes a depot of that name. @returns the bytes that came out */
export async function pass(name: string): Promise<number[]> {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  const waiting = depot.frames({ waiting: "park" }).next();
  await depot.enqueue({ frame: new Uint8Array([1, 2, 3, 4]) });
  return [...(await waiting).value!.data];
}
