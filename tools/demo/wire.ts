/**
 * What the demo's processes say to each other, a line of JSON each: orders come in on standard input, reports go out on
 * standard output. This is the side of the processes that work; `child.ts` is the other.
 *
 * @module
 */
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { DepotError } from "../../mod.ts";
import { orders, taskOf } from "../support/parent.ts";

/** What a process is told when it is started, as its last argument. */
export type Task = {
  depot: string;
  size: [width: number, height: number];
  maxSize: number;
  seconds: number;
  /** The video to take frames from; drawn ones otherwise. */
  video?: string;
  /** Whether the video has to be scaled to `size`. */
  scale?: boolean;
};

/** What the parent sends. `last` tells followers how many frames there are in all. */
export type Order = { kind: "start" } | { kind: "stop" } | { kind: "last"; frames: number };

/** What a process has done so far; what it has nothing to do with stays 0. */
export type Counts = {
  /** Made, or read and checked. */
  frames: number;
  /** Numbers that never came. */
  lost: number;
  /** Numbers that came twice or too late. */
  disordered: number;
  /** Frames that are not what their producer stamped. */
  torn: number;
  /** Questions for a frame by number, and what the answers were. */
  asked: number;
  evicted: number;
  pending: number;
  /** Answers that cannot be. */
  wrong: number;
  /** From the first frame on. */
  seconds: number;
};

/** What a process sends: that it is in its place, how far it is, that it has ended and left the depot. */
export type Report = { kind: "ready"; pid: number } | { kind: "progress" | "done"; counts: Counts };

const COMPLAINTS = 20;
const REPORT_MS = 250;
/** How long frames may keep a process from its orders and timers. */
const TURN_MS = 20;

/** The working side. */
export class Wire {
  readonly task = taskOf<Task>();
  readonly counts: Counts = {
    frames: 0,
    lost: 0,
    disordered: 0,
    torn: 0,
    asked: 0,
    evicted: 0,
    pending: 0,
    wrong: 0,
    seconds: 0,
  };
  #total = Infinity;
  /** Resolved by `start` or `stop`. */
  readonly started: Promise<void>;
  readonly #stop = new AbortController();
  #start!: () => void;
  #startedAt = performance.now();
  #lastTurn = 0;
  #lastReport = 0;

  constructor() {
    this.started = new Promise((resolve) => this.#start = resolve);
    void this.#listen();
    process.stdout.on("error", () => this.stop());
    // Ctrl-C and the closing of a terminal reach every process in it. The parent sends orders, or is gone.
    process.on("SIGINT", () => {});
    process.on("SIGHUP", () => {});
  }

  /** Aborted when it is time to end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether every frame there will ever be has come or is known to be lost. */
  get complete(): boolean {
    const { frames, lost, disordered } = this.counts;
    return frames + lost - disordered >= this.#total;
  }

  /** Ends what waits for {@linkcode Wire.signal}. */
  stop(): void {
    this.#stop.abort();
    this.#start();
  }

  async #listen(): Promise<void> {
    for await (const order of orders<Order>()) this.#obey(order);
    this.stop(); // the parent is gone: nothing gives orders any more, or listens
  }

  #obey(order: Order): void {
    if (order.kind === "start") {
      this.#startedAt = performance.now();
      this.#start();
    } else if (order.kind === "stop") {
      this.stop();
    } else {
      this.#total = order.frames;
      if (this.complete) this.stop();
    }
  }

  /** Sends a line. */
  report(report: Report, then?: () => void): void {
    process.stdout.write(`${JSON.stringify(report)}\n`, then);
  }

  /** Counts a wrong answer; the first few are told in full. */
  complain(what: string): void {
    if (++this.counts.wrong <= COMPLAINTS) process.stderr.write(`${what}\n`);
  }

  /** To be called for each frame: reports from time to time, and lets orders and timers have their turn. */
  async turn(): Promise<void> {
    const now = performance.now();
    if (now - this.#lastTurn < TURN_MS) return;
    this.#count();
    if (now - this.#lastReport > REPORT_MS) {
      this.#lastReport = now;
      this.report({ kind: "progress", counts: this.counts });
    }
    await turn();
    this.#lastTurn = performance.now();
  }

  #count(): void {
    this.counts.seconds = (performance.now() - this.#startedAt) / 1000;
  }

  /** Runs a process's work; when it has left the depot, sends the last report and ends the process. */
  async serve(work: (wire: Wire) => Promise<void>): Promise<void> {
    try {
      await work(this);
      this.#count();
      this.report({ kind: "done", counts: this.counts }, () => process.exit(0));
    } catch (error) {
      const known = error instanceof DepotError || error instanceof RangeError;
      process.stderr.write(`${known ? error.message : (error as Error)?.stack ?? error}\n`, () => process.exit(1));
    }
  }
}
