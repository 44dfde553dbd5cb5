/**
 * A process with one member of a group, which does what it is told, and may die at a step of the protocol.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { endAt, type Step } from "../../tools/chaos/steps.ts";
import { DepotError, type Frame, type FrameReader, FramesDepot, type FramesOptions } from "../../mod.ts";
import { obeyLines } from "./orders.ts";

/** What it may be told. */
export type GroupOrder =
  | { do: "open"; name: string }
  | { do: "join"; options: FramesOptions }
  | { do: "take"; within?: number }
  | { do: "clone" }
  | { do: "release" }
  | { do: "leave" }
  | { do: "stats" }
  | { do: "close" }
  | { do: "exit"; how: "exit" | "throw" }
  | { do: "visit"; options: FramesOptions; times: number }
  | { do: "dieAt"; step: Step }
  | { do: "standAt"; step: Step; note: string };

/** A frame that it has taken: its number, and whether it had been another's. */
export type Taken = [frameNumber: number, redelivered: boolean] | null;

let depot: FramesDepot;
let reader: FrameReader;
let frame: Frame | undefined;

/** Joins, takes a frame, and leaves, again and again. @returns what it took */
async function visit(options: FramesOptions, times: number): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (let time = 0; time < times; time++) {
    const visitor = depot.frames(options);
    const frame = time % 3 === 0 ? visitor.tryNext() : await visitor.within(5);
    if (frame !== undefined) taken.push([frame.frameNumber, frame.redelivered]);
    visitor.release();
  }
  return taken;
}

async function obey(order: GroupOrder): Promise<unknown> {
  switch (order.do) {
    case "open":
      depot = await FramesDepot.open(order.name, { timeoutMs: 10_000 });
      return null;
    case "join":
      reader = depot.frames(order.options);
      return null;
    case "take":
      frame = order.within === undefined ? reader.tryNext() : await reader.within(order.within);
      return frame === undefined ? null : [frame.frameNumber, frame.redelivered];
    case "clone":
      frame = frame!.clone();
      return null;
    case "release":
      frame!.release();
      return null;
    case "leave":
      reader.release();
      return null;
    case "stats":
      return depot.stats().groups;
    case "close":
      return await depot.close();
    case "exit":
      if (order.how === "exit") process.exit(0);
      setTimeout(() => {
        throw new Error("on purpose");
      }, 0);
      return await new Promise(() => {});
    case "visit":
      return await visit(order.options, order.times);
    case "standAt":
      endAt(order.step, true, { file: order.note, at: 0, value: 1 }, () => {
        writeFileSync(order.note, "stands");
        process.kill(process.pid, "SIGSTOP");
      });
      return null;
    case "dieAt":
      endAt(order.step, false, undefined, () => {
        process.kill(process.pid, "SIGKILL");
        for (;;);
      });
      return null;
  }
}

void obeyLines(async (order: GroupOrder) => {
  try {
    return { answer: await obey(order) };
  } catch (error) {
    return { error: error instanceof DepotError ? error.code : String(error) };
  }
});
