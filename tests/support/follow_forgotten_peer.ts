/**
 * Followers that are forgotten: between two frames, while they wait for the next depot, with a frame that is in use.
 *
 * @module
 */
import process from "node:process";
import { type Frame, FramesDepot, type ReadMode } from "../../mod.ts";
import { say } from "../../tools/support/parent.ts";
import { collectUntil } from "./collecting.ts";

const { name, ends } = JSON.parse(process.argv[2]) as { name: string; ends: boolean };
const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4 });
await depot.enqueue({ frameNumber: 7, frame: new Uint8Array(4).fill(7) });
const inUse: Frame[] = [];
const peers = () => depot.stats().peers.length;

async function forget(mode: ReadMode, keeps: boolean): Promise<void> {
  const follower = FramesDepot.follow(name, { mode });
  const { value } = await follower.next();
  if (keeps) inUse.push(value!);
  else if (ends) await follower.within(20);
}

if (ends) depot.end();
else await forget("lossy", true);
for (const mode of ["lossy", "lossless", "latest"] as const) await forget(mode, false);
const before = peers();
await collectUntil(() => peers() === 1 + inUse.length);
say({ before, after: peers(), held: inUse.map((frame) => [frame.released, frame.data[0]]) });
await depot.close();
