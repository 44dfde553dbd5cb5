/**
 * The line that shows how it goes while it goes on: in place on a terminal, a line each second elsewhere.
 *
 * @module
 */
import process from "node:process";
import type { DepotStats, FramesDepot, ReaderStats } from "../../mod.ts";
import type { Child } from "./child.ts";

/** Rates are over this time. */
const WINDOW_MS = 1000;
const LINE_MS = 1000;
/** Columns that stay free: for the `^C` that a terminal adds, which must not begin another line. */
const SPARE = 3;
const CLEAR = "\r\x1b[2K";

/** Frames so far; `moved` leaves out the asker, which asks whether or not anything moves. */
type Sample = { at: number; stored: number; read: number; moved: number };

const readBy = (readers: readonly ReaderStats[]) => readers.reduce((sum, { read }) => sum + read, 0);

/** Shows what the depot's own counters say, with what the processes report. */
export class LiveLine {
  readonly #depot: FramesDepot;
  readonly #children: readonly Child[];
  readonly #startedAt = performance.now();
  readonly #inPlace = process.stdout.isTTY === true;
  #samples: Sample[] = [];
  /** Frames read, by process id: readers that have left no longer count in the depot's own figures. */
  readonly #read = new Map<number, number>();
  #printedAt = performance.now();
  /** Looks in a row at which no frame had been made or followed. */
  #idle = 0;
  /** How far any follower was ever seen behind the producer. */
  greatestLag = 0;

  constructor(depot: FramesDepot, children: readonly Child[]) {
    this.#depot = depot;
    this.#children = children;
  }

  /** Looks and, when it is time, shows. @returns how many looks in a row saw nothing move */
  update(): number {
    const stats = this.#depot.stats();
    const followers = stats.peers.flatMap(({ readers }) => readers).filter(({ gating }) => gating);
    for (const { pid, readers } of stats.peers) if (readers.length > 0) this.#read.set(pid, readBy(readers));
    const read = this.#read.values().reduce((sum, frames) => sum + frames, 0);
    const now = { at: performance.now(), stored: stats.stored, read, moved: stats.stored + readBy(followers) };
    const lag = Math.max(0, ...followers.map((follower) => follower.lag));
    this.greatestLag = Math.max(this.greatestLag, lag);
    this.#idle = this.#samples.at(-1)?.moved === now.moved ? this.#idle + 1 : 0;
    this.#samples.push(now);
    while (this.#samples.length > 2 && now.at - this.#samples[1].at >= WINDOW_MS) this.#samples.shift();
    const fields = this.#fields(stats, lag, this.#samples[0], now);
    if (this.#inPlace) {
      process.stdout.write(CLEAR + fit(fields, process.stdout.columns - SPARE));
    } else if (now.at - this.#printedAt >= LINE_MS) {
      this.#printedAt += LINE_MS;
      console.log(fields.join("  "));
    }
    return this.#idle;
  }

  /** What is shown, the most important first. */
  #fields(stats: DepotStats, lag: number, first: Sample, now: Sample): string[] {
    const seconds = Math.max(1, now.at - first.at) / 1000;
    const fps = (now.stored - first.stored) / seconds;
    const gigabytes = (frames: number) => (frames * this.#depot.frameBytes / seconds / 1e9).toFixed(2);
    const slots = String(stats.maxSize);
    const sum = (key: "torn" | "lost" | "asked") =>
      this.#children.reduce((total, { counts }) => total + (counts?.[key] ?? 0), 0);
    return [
      `${((now.at - this.#startedAt) / 1000).toFixed(1).padStart(5)} s`,
      `${fps.toFixed(0).padStart(4)} fps`,
      `${gigabytes(now.stored - first.stored)} GB/s in`,
      `${gigabytes(now.read - first.read)} out`,
      `queue ${String(stats.length).padStart(slots.length)}/${slots}`,
      `drops ${stats.dropped}`,
      `lag ${String(lag).padStart(slots.length)}`,
      `torn ${sum("torn")}`,
      `lost ${sum("lost")}`,
      `frame ${stats.stored}`,
      `asked ${sum("asked")}`,
    ];
  }

  /** Makes way for what comes next. */
  end(): void {
    if (this.#inPlace) process.stdout.write(CLEAR);
  }
}

/** As many of the fields as fit; the first one at least in part. */
function fit(fields: string[], width: number): string {
  let line = fields[0].slice(0, Math.max(0, width));
  for (const field of fields.slice(1)) {
    if (line.length + 2 + field.length > width) break;
    line += `  ${field}`;
  }
  return line;
}
