/**
 * A process whose workers, and itself, do what they are told, line by line: an order in, `{ answer }` or `{ error }`
 * out.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Actor, type Answer, type Order } from "./actor.ts";
import { obeyLines } from "./orders.ts";
import { DepotWorker, type Way } from "./workers.ts";

/** What it may be told. Workers go by numbers of the caller's choice. */
export type HostOrder =
  /** Makes workers. */
  | { host: "start"; workers: number[] }
  /** Has a worker obey, or this thread where none is named. */
  | { host: "tell"; worker?: number; order: Order }
  /** Has workers obey at once. */
  | { host: "tellAll"; workers: number[]; order: Order }
  /** Has workers end at once; replies when their threads are gone. */
  | { host: "end"; workers: number[]; how: Way }
  /** Has a worker lease a frame and move its buffer here, which `look` returns some bytes of. */
  | { host: "lend"; worker: number; frameNumber: number }
  | { host: "look" }
  /**
   * Makes workers, `atOnce` of them at a time, and terminates each while it sleeps for a frame. Replies how many heard
   * a message that was sent as soon as they were made, which says where to sleep.
   */
  | { host: "storm"; name: string; workers: number; atOnce: number }
  /** What this process has open, all in all, and of the file with that number. */
  | { host: "counts"; inode?: number }
  /** Ends this process, with its workers as they are or told to end just before. */
  | { host: "exit"; how: "exit" | "throw" | "reject"; ending: number[] };

/** What it has open. */
export type Counts = {
  descriptors: number;
  threads: number;
  /** Mappings of segments. */
  mappings: number;
  /** Descriptors and mappings of the file that was asked for. */
  ofFile: number;
  /** Copies of the native library, and descriptors through which it was loaded. */
  libraries: number;
  libraryFiles: number;
};

/** A message without an answer for this time has not arrived. */
const LOST_MS = 30_000;

const workers = new Map<number, DepotWorker>();
const actor = new Actor();
let moved: ArrayBuffer | undefined;

/** What descriptors lead to; the one that reads the folder is gone by then. */
function files(): { path: string; inode: number }[] {
  return readdirSync("/proc/self/fd").flatMap((file) => {
    try {
      return [{ path: readlinkSync(`/proc/self/fd/${file}`), inode: statSync(`/proc/self/fd/${file}`).ino }];
    } catch {
      return [];
    }
  });
}

function counts(inode = -1): Counts {
  const open = files();
  const maps = readFileSync("/proc/self/maps", "utf8").split("\n").map((line) => line.split(/ +/));
  const ofLibrary = maps.filter(([, , , , , path]) => path?.startsWith("/memfd:frames-depot"));
  return {
    descriptors: open.length,
    threads: readdirSync("/proc/self/task").length,
    mappings: maps.filter(([, , , , , path]) => path?.startsWith("/dev/shm/")).length,
    ofFile: [...open.map((file) => file.inode), ...maps.map(([, , , , inode]) => Number(inode))]
      .filter((number) => number === inode).length,
    libraries: new Set(ofLibrary.map(([, , , , inode]) => inode)).size,
    libraryFiles: open.filter(({ path }) => path.startsWith("/memfd:frames-depot")).length,
  };
}

async function storm(name: string, times: number, atOnce: number): Promise<number> {
  let left = times;
  let arrived = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) {
      const worker = new DepotWorker();
      const opened = await Promise.race([worker.ask<Answer>({ order: { do: "open", name } }), sleep(LOST_MS)]);
      if (opened === undefined) continue;
      if (opened.error !== undefined) throw new Error(opened.error);
      arrived++;
      await worker.ask({ order: { do: "begin", what: "next" } });
      await sleep(Math.random() * 10);
      await worker.end("terminate");
    }
  }));
  return arrived;
}

function exit(how: (HostOrder & { host: "exit" })["how"], ending: number[]): void {
  for (const worker of ending) workers.get(worker)!.end("terminate");
  if (how === "exit") process.exit(7);
  if (how === "reject") Promise.reject(new Error("on purpose"));
  setTimeout(() => {
    throw new Error("on purpose");
  }, 0);
}

async function obey(order: HostOrder): Promise<unknown> {
  switch (order.host) {
    case "start":
      for (const worker of order.workers) workers.set(worker, new DepotWorker());
      return await Promise.all(order.workers.map((worker) => workers.get(worker)!.thread()));
    case "tell":
      if (order.worker === undefined) return await actor.obey(order.order);
      return await workers.get(order.worker)!.ask({ order: order.order });
    case "tellAll":
      return await Promise.all(order.workers.map((worker) => workers.get(worker)!.ask({ order: order.order })));
    case "end":
      return await Promise.all(order.workers.map((worker) => workers.get(worker)!.end(order.how)));
    case "lend":
      moved = await workers.get(order.worker)!.ask<ArrayBuffer>({ lend: order.frameNumber });
      return moved.byteLength;
    case "look":
      return [0, 1, moved!.byteLength - 1].map((at) => new Uint8Array(moved!)[at]);
    case "storm":
      return await storm(order.name, order.workers, order.atOnce);
    case "counts":
      return counts(order.inode);
    case "exit":
      return exit(order.how, order.ending);
  }
}

void obeyLines(async (order: HostOrder): Promise<Answer> => {
  try {
    const answer = await obey(order);
    // What a thread answers is an answer already.
    return order.host === "tell" ? answer as Answer : { answer: answer ?? null };
  } catch (error) {
    return { error: String(error) };
  }
});
