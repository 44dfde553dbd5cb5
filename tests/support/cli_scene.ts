/**
 * A shared memory of one's own, with a live, a stale, a broken and an empty segment in it, on which commands run one
 * after the other. Started under `unshare`, so that what removes "all that is stale" meets no other depots. Takes
 * the commands as JSON, prints what they answered and what is left as JSON.
 *
 * @module
 */
import { readdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { type Answer, runCli } from "./cli.ts";
import { Remote } from "./remote.ts";

/** What it prints. */
export type SceneReport = { answers: Answer[]; left: string[]; liveFrame: number | undefined; taken: string };

const SHAPE = { frameSize: [4, 2, 3] as [number, number, number] };
const commands: string[][] = JSON.parse(process.argv[2]);

await using live = await FramesDepot.create("live", SHAPE);
await live.enqueue({ frameNumber: 7, frame: new Uint8Array(24).fill(7) });
{
  await using victim = new Remote();
  await victim.tell({ do: "create", name: "stale", options: SHAPE });
  await victim.kill();
}
writeFileSync("/dev/shm/frames-depot.broken", "not a depot", { mode: 0o600 });
writeFileSync("/dev/shm/frames-depot.empty", "", { mode: 0o600 });

const answers: Answer[] = [];
for (const command of commands) answers.push(await runCli(command));
using frame = live.peekFrame(7);
const left = readdirSync("/dev/shm").sort();
await using other = new Remote();
const taken = String(await other.tell({ do: "create", name: "live", options: SHAPE }));
console.log(JSON.stringify({ answers, left, liveFrame: frame?.data[0], taken } satisfies SceneReport));
