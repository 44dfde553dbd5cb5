/**
 * One run of one peer: its processes are started in order, and whatever happens they are gone at the end.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import { FramesDepot } from "../../mod.ts";
import { FRAME_BYTES, type Outcome, type Task } from "./task.ts";

/** Program and parameters; the task is added as the last one. */
export type Command = string[];

/** Somebody to be compared. */
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
  /** Removes what a run may leave elsewhere. */
  clean?: (task: Task) => void;
};

/** What a run is to find out. */
export type Question = Pick<Task, "kind" | "seconds" | "frames" | "warmup">;

/** A run that takes so much longer than it was told to has hung. */
const PATIENCE_MS = 40_000;
/** How long processes may take to end when the last frame has been read. */
const ENDING_MS = 5000;

let counter = 0;

class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** When it has ended well; rejected otherwise. */
  readonly ended: Promise<void>;

  constructor([executable, ...parameters]: Command, peer: Peer) {
    this.#process = spawn(executable, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...peer.env },
    });
    let complaints = "";
    this.#process.stderr!.setEncoding("utf8").on(
      "data",
      (text: string) => complaints = (complaints + text).slice(-2000),
    );
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve, reject) => {
      this.#process.on("error", reject);
      this.#process.on("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`${peer.what}: ended with ${signal ?? code}: ${complaints}`));
      });
    });
    this.ended.catch(() => {});
  }

  /** The next line that it writes. */
  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    return done ? new Promise(() => {}) : JSON.parse(value); // it has ended: `ended` tells how
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}

function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => timer = setTimeout(() => reject(new Error(`hung: ${what}`)), ms));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs a peer once. @throws {Error} when it fails, hangs, or delivers anything but what was sent */
export async function runOnce(peer: Peer, question: Question): Promise<Outcome> {
  const folder = mkdtempSync(`${tmpdir()}/frames-depot-bench-`);
  const channel = `bench-${process.pid}-${counter++}`;
  const task: Task = { ...question, fps: 60, frameBytes: FRAME_BYTES, depth: 10, channel, folder };
  const children: Child[] = [];
  const start = (command: Command) => children[children.push(new Child([...command, JSON.stringify(task)], peer)) - 1];
  const failed = (child: Child) => child.ended.then(() => new Promise<never>(() => {}));
  let service: Child | undefined;
  try {
    peer.prepare?.(task);
    if (peer.service !== undefined) service = new Child(peer.service(task), peer);
    const receiver = start(peer.receive);
    const measured = async () => {
      if (peer.send !== undefined) {
        await receiver.line();
        const sender = start(peer.send);
        return await Promise.race([receiver.line(), failed(sender)]);
      }
      return await receiver.line();
    };
    const ends = [receiver, ...service === undefined ? [] : [service]].map(failed);
    const outcome = await within(Promise.race([measured(), ...ends]), PATIENCE_MS, peer.what) as Outcome;
    await within(Promise.all(children.map(({ ended }) => ended)), ENDING_MS, `${peer.what} does not end`);
    if (!(outcome.frames > 0 && outcome.seconds > 0)) throw new Error(`${peer.what} delivered nothing`);
    return outcome;
  } finally {
    for (const child of children) await child.kill();
    await service?.kill();
    peer.clean?.(task);
    FramesDepot.unlink(channel);
    rmSync(folder, { recursive: true, force: true });
  }
}
