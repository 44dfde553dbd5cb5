/**
 * Runs that alternate between peers, and the tables that come of them.
 *
 * @module
 */
import { machine, type Result, type Row, row } from "../report/result.ts";
import { OURS } from "./built_in.ts";
import { WrongChecksum } from "./child.ts";
import type { Comparison, Shown } from "./comparisons.ts";
import { gist } from "./gist.ts";
import type { Missing } from "./installed.ts";
import { type Measured, type Peer, runOnce } from "./run.ts";
import type { Outcome } from "./task.ts";

/** What came of the runs: of a peer that failed once nothing is kept. */
export type Found = { outcomes: Map<Peer, Outcome[]>; failed: Missing[] };

/** How runs are made. */
export type How = {
  runs: number;
  patienceMs?: number;
  /** Hears of each peer before it begins. */
  tell?: (what: string) => void;
};

/**
 * Every peer once, then all again. A peer that fails is named and left out from then on.
 *
 * @throws {WrongChecksum} as soon as there is one
 * @throws {Error} when one of ours fails, for there is no comparison then
 */
export async function alternate(peers: readonly Peer[], measured: Measured, how: How): Promise<Found> {
  const outcomes = new Map<Peer, Outcome[]>(peers.map((peer) => [peer, []]));
  const failed: Missing[] = [];
  for (let turn = 0; turn < how.runs; turn++) {
    for (const [peer, found] of outcomes) {
      how.tell?.(`run ${turn + 1} of ${how.runs}: ${peer.what}`);
      try {
        found.push(await runOnce(peer, measured, how.patienceMs));
      } catch (error) {
        if (error instanceof WrongChecksum || peer.series === OURS) throw error;
        failed.push({ what: peer.what, reason: gist((error as Error).message.replace(`${peer.what}: `, "")) });
        outcomes.delete(peer);
      }
    }
  }
  return { outcomes, failed };
}

/** A table's rows, each beside what it is compared with. */
export function rowsOf(outcomes: Found["outcomes"], shown: Shown, against: Comparison["against"]): Row[] {
  const rows = [...outcomes].map(([{ what, series, note }, found]) => {
    return row(what, found.map(shown.of), { series, note: note || undefined });
  });
  return [...outcomes.keys()].map((peer, place) => ({ ...rows[place], ...against([...rows], peer, shown.better) }));
}

/** What is the same in all results of a session. */
export type Session = {
  command: string;
  versions: Record<string, string>;
  /** Of the questions' names. */
  prefix: string;
  /** Added to titles, where not all take part. */
  among?: string;
};

/** All tables of a comparison. */
export async function compare(
  comparison: Comparison,
  { peers, missing }: { peers: readonly Peer[]; missing: readonly Missing[] },
  session: Session,
  how: How,
): Promise<Result[]> {
  const { outcomes, failed } = await alternate(peers, comparison.measured, how);
  return comparison.shown.map((shown) => ({
    question: session.prefix + shown.question,
    title: shown.title + (session.among ?? ""),
    unit: shown.unit,
    better: shown.better,
    command: session.command,
    date: new Date().toISOString(),
    machine: machine(session.versions),
    rows: rowsOf(outcomes, shown, comparison.against),
    missing: missing.length + failed.length > 0 ? [...missing, ...failed] : undefined,
  }));
}
