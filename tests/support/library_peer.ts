/**
 * A process that loads the library in its main thread and in a worker, and says what is open and mapped afterwards.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { FramesDepot } from "../../mod.ts";

/** What it says. Empty lists where the system has no /proc. */
export type LibraryState = { values: number[][]; open: string[]; mapped: string[] };

/** A frame that goes through a depot of that name. */
async function pass(name: string): Promise<number[]> {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  const waiting = depot.frames({ waiting: "park" }).next();
  await depot.enqueue({ frame: new Uint8Array([1, 2, 3, 4]) });
  return [...(await waiting).value!.data];
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((entry) => {
      try {
        return [readlinkSync(`${folder}/${entry}`)];
      } catch {
        return []; // the folder's own descriptor
      }
    });
  } catch {
    return [];
  }
}

function mappedFiles(): string[] {
  try {
    const lines = readFileSync("/proc/self/maps", "utf8").split("\n");
    return [...new Set(lines.map((line) => line.slice(73)).filter((path) => path !== ""))];
  } catch {
    return [];
  }
}

if (isMainThread) {
  const { name }: { name: string } = JSON.parse(process.argv[2]);
  const values = [await pass(name)];
  const worker = new Worker(new URL(import.meta.url), { workerData: name });
  values.push(await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject)));
  const state: LibraryState = { values, open: filesOf("/proc/self/fd"), mapped: mappedFiles() };
  console.log(JSON.stringify(state));
  await worker.terminate();
} else {
  parentPort!.postMessage(await pass(workerData));
}
