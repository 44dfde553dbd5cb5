/**
 * The other process of a ping-pong: sends every frame back, until one is numbered -1.
 *
 * @module
 */
import process from "node:process";
import { type Frame, FramesDepot } from "../../mod.ts";

/** What it is told on its command line. */
export type PartnerTask = { name: string; how: "spins" | "sleeps" };

/** Polls between two looks whether the process that sends is there still. */
const SPINS = 1_000_000;

const { name, how }: PartnerTask = JSON.parse(process.argv[2]);
await using there = await FramesDepot.open(`${name}-there`);
await using back = await FramesDepot.open(`${name}-back`);
const balls = there.frames({ whenProducersGone: how === "sleeps" ? "end" : "wait" }); // what polls looks now and then
const frame = new Uint8Array(back.frameBytes);

/** @returns whether to go on */
function answer(ball: Frame): boolean {
  if (ball.frameNumber < 0) return false;
  back.tryEnqueue({ frameNumber: ball.frameNumber, frame });
  return true;
}

if (how === "sleeps") {
  for await (const ball of balls) if (!answer(ball)) break;
} else {
  for (let spins = 1;; spins++) {
    const ball = balls.tryNext();
    if (ball !== undefined && !answer(ball)) break;
    if (spins % SPINS === 0 && there.stats().producersGone) break;
  }
  await balls.return();
}
