// Five processes around one depot (pipeline_job.ts): a decoder, a detector that takes 30 ms a frame, a recorder that
// misses nothing, a preview over HTTP, and one that looks frames up by number. This process kills each of them twenty
// times, in any order, and starts it again: the others go on, and the recording is whole.
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { FramesDepot } from "@frames-depot/frames-depot";

const ROLES = ["decoder", "detector", "recorder", "preview", "lookup"] as const;
const KILLS = 20;
const name = `example-pipeline-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), "pipeline-"));
const recording = join(folder, "numbers.txt");
/** What each process has done, over all its lives. */
const done: Record<string, number> = {};

/** Starts one of them. @returns it, once it has done something */
async function start(role: string): Promise<ChildProcess> {
  const child = fork(new URL("./pipeline_job.ts", import.meta.url), [role, name, recording]);
  const begun = new Promise<void>((resolve) =>
    child.on("message", (count: number) => {
      done[role] = (done[role] ?? 0) + count;
      resolve();
    })
  );
  await Promise.race([begun, once(child, "exit").then(([code]) => assert.fail(`the ${role} ended with ${code}`))]);
  return child;
}

/** Kills one of them again and again. @returns the last of its lives */
async function torment(role: string, child: ChildProcess): Promise<ChildProcess> {
  for (let kills = 0; kills < KILLS; kills++) {
    await setTimeout(50 + Math.random() * 250);
    assert.equal(child.exitCode, null, `the ${role} ended by itself`);
    child.kill("SIGKILL"); // no handler runs, nothing is closed
    await once(child, "exit");
    child = await start(role);
    if (kills % 5 === 4) console.log(`the ${role} was killed ${kills + 1} times`);
  }
  return child;
}

console.log(`five processes are killed ${KILLS} times each, in about a minute`);
try {
  const first = await Promise.all(ROLES.map(start));
  const [decoder, ...others] = await Promise.all(ROLES.map((role, i) => torment(role, first[i]!)));
  decoder!.kill("SIGTERM"); // closeOnSignals: it leaves in order
  await once(decoder!, "exit");

  const depot = await FramesDepot.open(name);
  depot.end();
  while (depot.length > 0) await setTimeout(10); // until the recorder has the rest
  await setTimeout(100);
  const last = depot.latest()?.frameNumber;
  for (const child of others) child.kill("SIGTERM");
  await Promise.all(others.map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));
  await depot.close();

  const numbers = readFileSync(recording, "utf8").trimEnd().split("\n").map(Number);
  assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, n) => n));
  assert.equal(numbers.at(-1), last);
  console.log(`ok: ${ROLES.length * KILLS} kills, ${numbers.length} frames recorded; done: ${JSON.stringify(done)}`);
} finally {
  rmSync(folder, { recursive: true });
}
