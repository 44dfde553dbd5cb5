/**
 * Work that is shared among processes which die: each frame is worked on once, or again by another member that is told
 * so.
 *
 * @module
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot, type WhenFull } from "../../mod.ts";
import type { ModuleChild } from "../support/child.ts";
import { Random } from "../support/random.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { fill, METADATA_BYTES, metadataOf, timestampOf } from "../support/stamp.ts";
import { start } from "./child.ts";
import { GROUP, type SharerTask } from "./sharing_task.ts";
import type { Step } from "./steps.ts";

/** Steps at which a member dies, and how often it comes to them before. V1 to V4 come where it is the last one. */
export const SHARING_STEPS: readonly [step: string, most: number][] = [
  ...["M1", "M2", "M4", "M5", "R1", "R4", "R5", "W1"].map((step) => [step, 300] as [string, number]),
  ...["B1", "B2", "B3", "B4", "B5", "M3", "P0", "P0a", "P1", "P2"].map((step) => [step, 2] as [string, number]),
  ...["V0", "V1", "V2", "V3", "V4"].map((step) => [step, 1] as [string, number]),
];
/** Members at work at one time. */
const MEMBERS = 4;
const FRAME_SIZE = [64, 32, 1] as const;
const MAX_SIZE = 16;
/** Limit of a member's life, unless a step ends it before. */
const LIFE_MS = 1500;
/** When nothing moves for this time, a process hangs. */
const HANG_MS = 30_000;

/** How a run goes. */
export type SharingOptions = {
  frames: number;
  seed: number;
  /** The least number of members that die, evenly over the frames: a fast machine waits for them. Default 0. */
  deaths?: number;
  whenFull?: WhenFull;
  tell?: (line: string) => void;
};

/** What came of it. */
export type Sharing = {
  frames: number;
  deaths: number;
  /** Deaths at each step. */
  at: Record<string, number>;
  /** Frames that were worked on more than once. */
  twice: number;
  redelivered: number;
  wrong: string[];
};

let runs = 0;

class Run {
  readonly result: Sharing;
  readonly #options: SharingOptions;
  readonly #random: Random;
  readonly #depot: FramesDepot;
  readonly #notes: string;
  readonly #children = new Set<ModuleChild>();
  #stored = 0;
  #ending = false;

  constructor(options: SharingOptions, depot: FramesDepot, notes: string) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#depot = depot;
    this.#notes = notes;
    this.result = { frames: options.frames, deaths: 0, at: {}, twice: 0, redelivered: 0, wrong: [] };
  }

  #start(dies: Step | undefined, turn: number): ModuleChild {
    const task: SharerTask = { name: this.#depot.name, notes: this.#notes, seed: this.#random.seed(), dies };
    const child = start(RUNTIMES[turn % RUNTIMES.length], "./sharer.ts", task, { traced: dies !== undefined });
    this.#children.add(child);
    return child;
  }

  /** One member after the other; each but the last is killed. */
  async #lives(place: number): Promise<void> {
    for (let turn = place; !this.#ending; turn++) {
      const [step, most] = this.#random.pick(SHARING_STEPS);
      const dies = this.#random.percent(60) ? { step, count: this.#random.integer(1, most) } : undefined;
      const child = this.#start(dies, turn);
      if (await child.next() !== undefined) {
        const life = sleep(this.#random.unit() * LIFE_MS);
        await Promise.race([child.ending, life]);
      }
      if (this.#ending) return void await child.ending;
      const itself = child.ended;
      await child.kill();
      const { signal } = await child.ending;
      if (signal !== "SIGKILL") this.result.wrong.push(`${child} ended by itself, ${signal}: ${child.errors}`);
      this.result.deaths++;
      const at = itself && dies !== undefined ? dies.step : "any moment";
      this.result.at[at] = (this.result.at[at] ?? 0) + 1;
    }
  }

  async #produce(): Promise<void> {
    const frame = new Uint8Array(this.#depot.frameBytes);
    const { frames, deaths = 0 } = this.#options;
    for (; this.#stored < frames; this.#stored++) {
      while (this.result.deaths < Math.floor(deaths * this.#stored / frames)) await sleep(5);
      const frameNumber = this.#stored;
      fill(frame, frameNumber);
      const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
      const { state } = await this.#depot.enqueue({ frame, ...details }, { timeoutMs: HANG_MS });
      if (state !== "stored") throw new Error(`frame ${frameNumber} ${state}: ${JSON.stringify(this.#depot.stats())}`);
      if (frameNumber % 5000 === 4999) this.#options.tell?.(`${frameNumber + 1} frames, ${this.result.deaths} deaths`);
    }
  }

  async go(): Promise<void> {
    // A group without members would begin anew.
    const watcher = this.#depot.frames({ group: GROUP });
    const lives = Array.from({ length: MEMBERS }, (_, place) => this.#lives(place));
    await this.#produce();
    this.#ending = true;
    const last = this.#start(undefined, 0);
    this.#depot.end();
    watcher.release();
    const done = Promise.all([...lives, last.ending]);
    const late = sleep(HANG_MS, "late", { ref: false });
    if (await Promise.race([done, late]) === "late") {
      this.result.wrong.push(`members have not ended: ${JSON.stringify(this.#depot.stats().groups)}`);
    }
    this.#judge();
  }

  #judge(): void {
    const { wrong } = this.result;
    const { groups: [group], length } = this.#depot.stats();
    const bytes = fs.readFileSync(this.#notes);
    const notes = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 3);
    const seen = new Map<number, number[]>();
    for (let at = 0; at < notes.length; at += 2) {
      seen.set(notes[at], [...seen.get(notes[at]) ?? [], notes[at + 1]]);
    }
    for (let frame = 0; frame < this.result.frames; frame++) {
      const times = seen.get(frame) ?? [];
      if (times.length === 0) wrong.push(`frame ${frame} was worked on by no member`);
      if (times.includes(2)) wrong.push(`frame ${frame} was torn`);
      if (times.slice(1).includes(0)) wrong.push(`frame ${frame} was given twice, and was not marked: ${times}`);
      if (times.length > 1) this.result.twice++;
    }
    if (seen.size !== this.result.frames) wrong.push(`${seen.size} frames were seen of ${this.result.frames}`);
    this.result.redelivered = group.redelivered;
    if (group.redelivered < this.result.twice) {
      wrong.push(`${this.result.twice} frames came twice: ${JSON.stringify(group)}`);
    }
    if (group.members !== 0 || group.lost !== 0 || group.dropped !== 0 || length !== 0) {
      wrong.push(`left behind: ${length} frames, ${JSON.stringify(group)}`);
    }
  }

  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#children].map((child) => child.kill()));
  }
}

/** Runs until all frames have been worked on. Whatever happens, its processes end and its files are removed. */
export async function sharingRun(options: SharingOptions): Promise<Sharing> {
  const name = `sharing-${process.pid}-${runs++}`;
  const notes = path.join(os.tmpdir(), `frames-depot-${name}.notes`);
  fs.writeFileSync(notes, "", { flag: "wx" });
  try {
    await using depot = await FramesDepot.create(name, {
      frameSize: FRAME_SIZE,
      maxSize: MAX_SIZE,
      metadataBytes: METADATA_BYTES,
      whenFull: options.whenFull ?? "wait",
    });
    const run = new Run(options, depot, notes);
    try {
      await run.go();
    } catch (error) {
      run.result.wrong.push(error instanceof Error ? error.message : String(error));
    } finally {
      await run.end();
    }
    return run.result;
  } finally {
    FramesDepot.unlink(name);
    fs.rmSync(notes, { force: true });
  }
}
