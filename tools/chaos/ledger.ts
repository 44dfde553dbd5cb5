/**
 * What happened in a run, and whether it may have.
 *
 * @module
 */
import type { WhenFull } from "../../mod.ts";
import { type Board, NOTE } from "./board.ts";
import type { Runtime } from "../support/runtimes.ts";
import { median, quantile } from "../support/statistics.ts";
import type { Death } from "./forker.ts";
import type { ReaderReport } from "./survivor.ts";

/** One death and where it happened. */
export type Entry = Death & { runtime: Runtime; kind: "forked" | "started" | "worker" };

/** What is promised is a quarter of a second; the median may be twice that on a busy machine. */
const RECOVERY_MS = 500;

/** Everything that is counted in a run. */
export class Ledger {
  readonly deaths: Entry[] = [];
  /** Stops that were followed by a correct continuation. */
  stops = 0;
  stored = 0;
  read = 0;
  /** Where frames were lost, doubled, torn, or things left behind. */
  readonly wrong: string[] = [];

  /** Victims ended by another signal than ours; a fork may fail, but rarely. */
  get misfires(): Entry[] {
    return this.deaths.filter(({ signal }) => signal !== 9);
  }

  /** Victims that were workers. */
  get workers(): Entry[] {
    return this.deaths.filter(({ kind }) => kind === "worker");
  }

  get kills(): number {
    return this.deaths.length - this.misfires.length;
  }

  recoveries(role?: string): number[] {
    return this.deaths.flatMap(({ recoveryMs, ...death }) =>
      recoveryMs === undefined || (role !== undefined && role !== death.role) ? [] : [recoveryMs]
    );
  }

  /** Compares what producers were told is stored with what the readers that saw everything have seen. */
  settle(board: Board, whenFull: WhenFull, lives: number, reports: ReaderReport[]): void {
    this.wrong.push(...board.accusations());
    for (const { wrong } of reports) this.wrong.push(...wrong);
    const seen = reports.map(({ lives }) => new Map(lives));
    for (let life = 1; life < lives; life++) {
      const attempted = board.read(life, NOTE.attempted);
      const acknowledged = board.read(life, NOTE.acknowledged);
      this.stored += acknowledged;
      for (const [index, by] of seen.entries()) {
        const count = by.get(life) ?? 0;
        const least = whenFull === "overwrite" ? 0 : acknowledged;
        if (count < least || count > attempted) {
          this.wrong.push(
            `reader ${index} saw ${count} frames of life ${life}, of which ${acknowledged} were acknowledged and ` +
              `${attempted} begun`,
          );
        }
        if (whenFull !== "overwrite" && count !== (seen[0].get(life) ?? 0)) {
          this.wrong.push(`reader ${index} saw ${count} frames of life ${life}, reader 0 ${seen[0].get(life) ?? 0}`);
        }
      }
    }
    for (const { frames } of reports) this.read += frames;
    for (const role of ["producer", "reader", "lookup"]) {
      const half = median(this.recoveries(role));
      if (half > RECOVERY_MS) {
        this.wrong.push(`half of the recoveries of a dead ${role} took ${half.toFixed(0)} ms`);
      }
    }
    // A fork of a runtime now and then dies at birth, before it has touched the depot: no fault of ours, as long as
    // most of that runtime live. Later none should.
    const { misfires } = this;
    const signals = [...new Set(misfires.map(({ signal }) => signal))].join(", ");
    const later = misfires.filter(({ at }) => at !== "birth").length;
    if (later > Math.max(3, this.deaths.length / 50)) {
      this.wrong.push(`${later} of ${this.deaths.length} victims ended by themselves after birth, signals ${signals}`);
    }
    const forks = this.deaths.filter(({ kind }) => kind === "forked");
    for (const runtime of new Set(forks.map((fork) => fork.runtime))) {
      const all = forks.filter((fork) => fork.runtime === runtime);
      const dead = all.filter(({ at, signal }) => signal !== 9 && at === "birth").length;
      if (dead > Math.max(10, all.length / 2)) {
        this.wrong.push(`${dead} of ${all.length} forks of ${runtime} ended at birth, signals ${signals}`);
      }
    }
  }

  /** Adds another run's ledger. */
  add(other: Ledger): void {
    this.deaths.push(...other.deaths);
    this.stops += other.stops;
    this.stored += other.stored;
    this.read += other.read;
    this.wrong.push(...other.wrong);
  }

  /** A table, as people read it. */
  summary(): string {
    const count = <K extends string>(key: (entry: Entry) => K, of = this.deaths) => {
      const counts = new Map<string, number>();
      for (const entry of of) {
        if (entry.signal === 9) counts.set(key(entry), (counts.get(key(entry)) ?? 0) + 1);
      }
      return [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([name, number]) => `${name} ${number}`).join("  ");
    };
    const ms = (values: number[]) =>
      values.length === 0
        ? "none measured"
        : `p50 ${median(values).toFixed(0)} ms, p99 ${quantile(values, 0.99).toFixed(0)} ms, most ` +
          `${Math.max(...values).toFixed(0)} ms (${values.length})`;
    const misfires = this.misfires.map(({ runtime, at, signal }) => `${runtime} at ${at} by signal ${signal}`);
    const kinds = [...new Set(misfires)].map((kind) => `${misfires.filter((other) => other === kind).length} ${kind}`);
    const lines = [
      `kills      ${this.kills}, stopped and continued ${this.stops}`,
      `misfires   ${misfires.length} forks ended by themselves: ${kinds.join(", ") || "none"}`,
      `runtime    ${count(({ runtime, kind }) => `${runtime} ${kind}`)}`,
      `workers    ${count(({ runtime, way }) => `${runtime} ${way}`, this.workers)}`,
      `role       ${count(({ role }) => role)}`,
      `at step    ${count(({ at }) => at)}`,
      `frames     ${this.stored} stored for sure, ${this.read} read by survivors`,
      `recovery   ${ms(this.recoveries())}`,
    ];
    for (const role of ["producer", "reader", "lookup"]) lines.push(`  ${role.padEnd(9)}${ms(this.recoveries(role))}`);
    lines.push(`  workers  ${ms(this.workers.flatMap(({ recoveryMs }) => recoveryMs ?? []))}`);
    return lines.join("\n");
  }
}
