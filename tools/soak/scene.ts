/**
 * The depots of a soak run, the processes that work on them, and what has to add up in the end.
 *
 * @module
 */
import { FramesDepot, type WhenFull } from "../../mod.ts";
import { type Child, ModuleChild } from "../support/child.ts";
import { COLLECTS, type Runtime, RUNTIMES } from "../support/runtimes.ts";
import { Observer } from "../support/observer.ts";
import type { Random } from "../support/random.ts";
import { END_LIFE, fill, METADATA_BYTES, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";
import { type Sample, sample } from "./sample.ts";
import type { Pace, Report, WorkerTask } from "./worker.ts";

/** One process and what is known of it. */
export class Worker {
  readonly child: Child;
  readonly title: string;
  readonly samples: Sample[] = [];
  report: Report | undefined;

  constructor(child: Child, title: string) {
    this.child = child;
    this.title = title;
  }

  look(): void {
    const seen = sample(this.child.pid);
    if (seen !== undefined) this.samples.push(seen);
  }

  async finish(): Promise<void> {
    this.report = await this.child.line<Report>();
  }
}

type Cast = { producers: [Runtime, Pace][]; readers: [Runtime, "lossless" | "lossy" | "latest"][]; askers: Runtime[] };

/** The one that was added last. */
const THIRD = RUNTIMES.at(-1) === "node" ? "node" : "deno";

const CASTS: Record<WhenFull, Cast> = {
  wait: {
    producers: [["deno", "mixed"], ["bun", "mixed"]],
    readers: [["deno", "lossless"], ["bun", "lossless"], ["deno", "lossy"]],
    askers: [],
  },
  drop: { producers: [["bun", 200]], readers: [[THIRD, "lossless"]], askers: ["deno", "bun"] },
  overwrite: { producers: [["deno", 2000]], readers: [["bun", "lossy"], [THIRD, "latest"]], askers: [] },
};
/** 76,800 bytes: a small picture, and large enough for what is done for views of large ones. */
const FRAME_SIZE = [160, 120, 4] as const;
const MODULE = new URL("./worker.ts", import.meta.url);
const CLOSE_TRIES_MS = 5;

/** A depot and the processes that work on it. */
export class Scene {
  readonly whenFull: WhenFull;
  readonly depot: FramesDepot;
  readonly observer: Observer;
  readonly producers: Worker[] = [];
  readonly readers: Worker[] = [];
  readonly askers: Worker[] = [];

  private constructor(whenFull: WhenFull, depot: FramesDepot) {
    this.whenFull = whenFull;
    this.depot = depot;
    this.observer = new Observer(depot.name);
  }

  static async make(whenFull: WhenFull, name: string): Promise<Scene> {
    const options = { frameSize: FRAME_SIZE, maxSize: 16, metadataBytes: METADATA_BYTES, whenFull };
    return new Scene(whenFull, await FramesDepot.create(name, options));
  }

  get workers(): Worker[] {
    return [...this.producers, ...this.readers, ...this.askers];
  }

  /** Starts all of them, the readers first: they are there for every frame. */
  async start(random: Random, workers: Worker[]): Promise<void> {
    const { producers, readers, askers } = CASTS[this.whenFull];
    const add = async (list: Worker[], runtime: Runtime, title: string, task: DistributedTask) => {
      const worker = await startWorker(runtime, `${this.whenFull} ${title}`, {
        ...task,
        depot: this.depot.name,
        seed: random.seed(),
      });
      list.push(worker);
      workers.push(worker);
    };
    for (const [runtime, mode] of readers) await add(this.readers, runtime, mode, { role: "reader", mode });
    for (const runtime of askers) await add(this.askers, runtime, "asker", { role: "asker", life: END_LIFE + 1 });
    for (const [index, [runtime, pace]] of producers.entries()) {
      await add(this.producers, runtime, "producer", { role: "producer", life: END_LIFE + 1 + index, pace });
    }
  }

  /** Producers end, then askers, then, at a last frame, the readers. */
  async finish(): Promise<void> {
    for (const list of [this.producers, this.askers]) {
      for (const worker of list) worker.child.hangUp();
      for (const worker of list) await worker.finish();
    }
    const frame = new Uint8Array(this.depot.frameBytes);
    const frameNumber = numberOf(END_LIFE, 0);
    fill(frame, frameNumber);
    const last = { frame, frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
    while (this.depot.tryEnqueue(last) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_TRIES_MS));
    }
    for (const { child } of this.readers) child.hangUp();
    for (const worker of this.readers) await worker.finish();
  }

  /** What does not add up. */
  flaws(): string[] {
    const found: string[] = [];
    const total = (name: string) => this.producers.reduce((sum, { report }) => sum + report!.counts[name], 0);
    const same = (what: string, actual: number, expected: number) => {
      if (actual !== expected) found.push(`${this.whenFull}: ${what} is ${actual}, not ${expected}`);
    };
    const { stored, dropped } = this.depot.stats();
    same("stored + dropped of the producers", total("stored") + total("dropped"), total("attempted"));
    same("the segment's stored", stored, total("stored") + 1);
    same("the segment's dropped", dropped, total("dropped"));
    for (const { report, title } of this.readers) {
      same(`read + lost of ${title}`, report!.counts.read + report!.counts.lost, total("stored"));
    }
    for (const { report, title } of this.workers) found.push(...report!.wrong.map((what) => `${title}: ${what}`));
    return found;
  }

  async close(): Promise<void> {
    this.observer.close();
    await this.depot.close();
    FramesDepot.unlink(this.depot.name);
  }
}

type DistributedTask = WorkerTask extends infer Task ? Task extends WorkerTask ? Omit<Task, "depot" | "seed"> : never
  : never;

/** Starts a worker and waits until it works. */
export async function startWorker(
  runtime: Runtime,
  title: string,
  task: object,
): Promise<Worker> {
  const child = new ModuleChild(runtime, MODULE, task, { flags: COLLECTS[runtime] });
  await child.line();
  return new Worker(child, `${title}, ${runtime}`);
}
