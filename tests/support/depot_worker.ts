/**
 * A worker that does with one depot what it is told, and ends in the way it is told. Its module and all that it imports
 * have no top-level await: Bun loses messages that come before such a module has run, and Deno loses descriptors when
 * it is terminated meanwhile.
 *
 * @module
 */
import { existsSync, readlinkSync } from "node:fs";
import process from "node:process";
import { workerScope } from "../../tools/support/worker.ts";
import { Actor, type Order } from "./actor.ts";

/** What it may be told. `lend` leases a frame and moves its buffer away. */
export type Message =
  | { order: Order }
  | { lend: number }
  | { end: "close" | "exit" | "throw" | "reject" };

/** What it answers first: its thread, as the system numbers it; 0 where that cannot be known. */
export type Birth = { thread: number };

const scope = workerScope();
const actor = new Actor();

const SELF = "/proc/thread-self";
const isKnown = process.platform === "linux" && existsSync(SELF);
const birth: Birth = { thread: isKnown ? Number(readlinkSync(SELF).split("/").at(-1)) : 0 };

function end(how: (Message & { end: string })["end"]): void {
  if (how === "close") scope.close();
  else if (how === "exit") process.exit(3);
  else if (how === "reject") Promise.reject(new Error("on purpose"));
  else {
    setTimeout(() => {
      throw new Error("on purpose");
    }, 0);
  }
}

scope.onmessage = async ({ data: message }: { data: Message }) => {
  if ("end" in message) end(message.end);
  else if ("order" in message) scope.postMessage(await actor.obey(message.order));
  else {
    const { buffer } = actor.peek(message.lend)!.data;
    scope.postMessage(buffer, [buffer as ArrayBuffer]);
  }
};
scope.postMessage(birth);
