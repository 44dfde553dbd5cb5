/**
 * A member of a group that is forgotten with a frame in its hands, looked at or not, while another one stays.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { say } from "../../tools/support/parent.ts";
import { collectUntil } from "./collecting.ts";

const { name, looks } = JSON.parse(process.argv[2]) as { name: string; looks: boolean };
const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait" });
const stays = depot.frames({ group: "g" });
const groupOf = () => depot.stats().groups[0];
for (const frameNumber of [0, 1]) await depot.enqueue({ frameNumber, frame: new Uint8Array(4) });

(() => {
  const frame = depot.frames({ group: "g" }).tryNext()!;
  if (looks) frame.data.at(0);
})();
const before = groupOf().held;
await collectUntil(() => groupOf().members === 1);
const { members, held, redelivered } = groupOf();
say({ before, members, held, redelivered, next: stays.tryNext()?.frameNumber });
await depot.close();
