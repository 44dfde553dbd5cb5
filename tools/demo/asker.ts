/**
 * A process that asks for single frames by number: mostly recent ones, sometimes one that is long gone or far from
 * made. It is no reader that producers wait for, so it must hold up no process; and no answer may be wrong.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { FramesDepot } from "../../mod.ts";
import { isWhole } from "./checksum.ts";
import { Wire } from "./wire.ts";

/** Between two questions. */
const PAUSE_MS = 5;
/** The part of the questions that is about frames long gone; as many are about frames to come. */
const ODD_PART = 0.1;

await new Wire().serve(async (wire) => {
  const { task, counts } = wire;
  await using depot = await FramesDepot.open(task.depot);
  wire.report({ kind: "ready", pid: process.pid });
  await wire.started;

  /** The highest number known to have been published. */
  let newest = -1;
  const lookAhead = () => {
    while (depot.statusOf(newest + 1) !== "pending") newest++;
  };

  const choose = () => {
    const chance = Math.random();
    const gone = newest - task.maxSize - Math.floor(Math.random() * 1000);
    if (chance < ODD_PART && gone >= 0) return gone;
    if (chance > 1 - ODD_PART) return newest + 1 + Math.floor(Math.random() * 1000);
    return Math.max(0, newest - Math.floor(Math.random() * task.maxSize));
  };

  const ask = (number: number) => {
    const published = newest;
    using frame = depot.peekFrame(number);
    const status = frame === undefined ? depot.statusOf(number) : "there";
    lookAhead();
    if (frame !== undefined) {
      counts.frames++;
      if (!isWhole(frame)) counts.torn++;
    } else if (status === "evicted") counts.evicted++;
    else counts.pending++;
    // Numbers have no gaps here. What is evicted had been published; what is pending, or stored but not there when it
    // was asked for, had not.
    const possible = {
      there: frame?.frameNumber === number && number <= newest,
      evicted: number <= newest,
      pending: number > published,
      stored: number > published,
      missing: false,
    }[status];
    if (!possible) wire.complain(`frame ${number} is ${status}, when ${published} to ${newest} was the newest`);
  };

  while (!wire.signal.aborted) {
    lookAhead();
    counts.asked++;
    ask(choose());
    await delay(PAUSE_MS);
    await wire.turn();
  }
});
