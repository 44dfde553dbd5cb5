/**
 * A process that loads the library in its main thread and in a worker, and says what is open and mapped afterwards.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { startWorker } from "../../tools/support/worker.ts";
import { pass } from "./pass.ts";

/** What it says. Empty lists where the system has no /proc. */
export type LibraryState = { values: number[][]; open: string[]; mapped: string[] };

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

const { name }: { name: string } = JSON.parse(process.argv[2]);
const values = [await pass(name)];
const worker = startWorker(new URL("./library_worker.ts", import.meta.url));
values.push(
  await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(name);
  }),
);
const state: LibraryState = { values, open: filesOf("/proc/self/fd"), mapped: mappedFiles() };
console.log(JSON.stringify(state));
await worker.terminate();
