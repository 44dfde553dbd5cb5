/**
 * One run of one peer: its processes are started in order, and whatever happens they are gone at the end.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot } from "../../mod.ts";
import { Child, WrongChecksum } from "./child.ts";
import { FRAME_BYTES, type Outcome, type Task } from "./task.ts";

/** Program and parameters; the task is added as the last one. */
export type Command = string[];

/** One of those that are compared. */
export type Peer = {
  /** Its name in tables. */
  what: string;
  /** Its colour in plots. */
  series: string;
  /** What is copied on the way. */
  note: string;
  /** A server that they need; ended when they have. */
  service?: (task: Task) => Command;
  /** Writes the outcome. If there is a sender too, it first writes `{"ready":true}`, and the sender is started then. */
  receive: Command;
  send?: Command;
  /** Environment variables of its processes. */
  env?: Record<string, string>;
  /** Makes what has to be there before, in the task's folder. */
  prepare?: (task: Task) => void;
  /** The row that it is compared with, where the question's own is not the right one. */
  against?: string;
  /** The most frames on their way, where not the ten of all others. */
  depth?: number;
  /** Frames, or rounds, where the question's number would take it too long. */
  frames?: number;
};

/** What a run is to find out. */
export type Measured = Pick<Task, "kind" | "seconds" | "frames" | "warmup">;

/** A run that takes this time has hung; none is told to take more than a few seconds. */
const PATIENCE_MS = 60_000;
/** How long processes may take to end when the last frame has been read. */
const ENDING_MS = 5000;
/** How long they may take to complain when another of them has failed. */
const COMPLAINING_MS = 1000;
const SHM = "/dev/shm";

let counter = 0;

/** Shared memory has the channel's name in it, but for GStreamer's, which has the process's number. */
function sweep(channel: string, pids: (number | undefined)[]): void {
  for (const name of [channel, `${channel}back`]) FramesDepot.unlink(name);
  if (!existsSync(SHM)) return;
  const starts = [channel, ...pids.map((pid) => `shmpipe.${pid}.`)];
  for (const name of readdirSync(SHM)) {
    if (starts.some((start) => name.startsWith(start))) rmSync(`${SHM}/${name}`, { force: true });
  }
}

function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => timer = setTimeout(() => reject(new Error(what)), ms));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A side that fails takes the other one with it: what a checksum says counts, whichever is noticed first. */
async function causeOf(error: unknown, children: Child[]): Promise<Error> {
  const ended = Promise.allSettled(children.map(({ success }) => success));
  if (children.some(({ fault }) => fault !== undefined)) {
    await Promise.race([ended, sleep(COMPLAINING_MS, undefined, { ref: false })]);
  }
  return children.map(({ fault }) => fault).find((fault) => fault instanceof WrongChecksum) ?? error as Error;
}

/**
 * Runs a peer once.
 *
 * @throws {WrongChecksum} when it delivers anything but what was sent
 * @throws {Error} when it fails or hangs; its name is part of the message
 */
export async function runOnce(peer: Peer, measured: Measured, patienceMs = PATIENCE_MS): Promise<Outcome> {
  const folder = mkdtempSync(`${tmpdir()}/frames-depot-bench-`);
  const channel = `bench-${process.pid}-${counter++}-`;
  const fewer = peer.frames === undefined
    ? {}
    : { frames: peer.frames, warmup: Math.min(measured.warmup, peer.frames) };
  const { depth = 10 } = peer;
  const task: Task = { ...measured, ...fewer, fps: 60, frameBytes: FRAME_BYTES, depth, channel, folder };
  const children: Child[] = [];
  const started = (command: Command) => {
    const child = new Child(command, peer.env);
    children.push(child);
    return child;
  };
  const start = (command: Command) => started([...command, JSON.stringify(task)]);
  const answer = async (receiver: Child): Promise<unknown> => {
    if (peer.send === undefined) return await receiver.line();
    await receiver.line();
    const sender = start(peer.send);
    return await Promise.race([receiver.line(), sender.failure()]);
  };
  let service: Child | undefined;
  try {
    peer.prepare?.(task);
    if (peer.service !== undefined) service = started(peer.service(task));
    const receiver = start(peer.receive);
    const failures = children.map((child) => child.failure());
    const outcome = await within(Promise.race([answer(receiver), ...failures]), patienceMs, "hung") as Outcome;
    const ended = Promise.all(children.filter((child) => child !== service).map(({ success }) => success));
    await within(ended, ENDING_MS, "did not end when it was done");
    if (!(outcome.frames > 0 && outcome.seconds > 0)) throw new Error("delivered nothing");
    return outcome;
  } catch (error) {
    const cause = await causeOf(error, children.filter((child) => child !== service));
    cause.message = `${peer.what}: ${cause.message}`;
    throw cause;
  } finally {
    for (const child of children.reverse()) await child.kill();
    sweep(channel, children.map(({ pid }) => pid));
    rmSync(folder, { recursive: true, force: true });
  }
}
