/**
 * What peers are asked, and which of their figures are shown beside which.
 *
 * @module
 */
import { quantile } from "../../tools/support/statistics.ts";
import type { Result, Row } from "../report/result.ts";
import { blockingNameOf, FLOOR, nameOf, OURS } from "./built_in.ts";
import { C, RUST } from "./handoffs.ts";
import { PROGRAM_RUNTIMES } from "./programs.ts";
import type { Measured, Peer } from "./run.ts";
import type { Outcome } from "./task.ts";

/** One table of a comparison. */
export type Shown = Pick<Result, "question" | "title" | "unit" | "better"> & {
  /** The figure of a run. */
  of(outcome: Outcome): number;
};

/** Several tables may come from the same runs. */
export type Comparison = {
  name: string;
  measured: Measured;
  shown: readonly Shown[];
  /** The row that a peer is compared with, and what is wanted then. */
  against(rows: readonly Row[], peer: Peer, better: Result["better"]): Pick<Row, "baseline" | "goal">;
};

/** As fast as they go, whatever comes after: pages are mapped, and engines have compiled what they find hot. */
const WARM_UP_FRAMES = 1000;

/** Those that do not block their receiving thread. All others are compared with ours that does. */
const EVENT_LOOPS = ["Redis list, Deno"];

/**
 * Peers stand beside ours in the same runtime; those of other languages beside the slower of ours, so that both are
 * ahead.
 */
const againstOurs: Comparison["against"] = (rows, peer, better) => {
  const name = peer.series === OURS || EVENT_LOOPS.includes(peer.what) ? nameOf : blockingNameOf;
  const alike = rows.filter(({ what }) => PROGRAM_RUNTIMES.some((runtime) => what === name(runtime)));
  const worst = alike.sort((a, b) => better === "higher" ? a.value - b.value : b.value - a.value)[0];
  const baseline = peer.against ?? worst.what;
  if (baseline === peer.what) return {};
  return [OURS, FLOOR].includes(peer.series) ? { baseline } : { baseline, goal: better === "higher" ? "< 1x" : "> 1x" };
};

const againstRust: Comparison["against"] = (rows, peer) => {
  const there = rows.some(({ what }) => what === RUST);
  const baseline = there ? RUST : C;
  if (baseline === peer.what || !rows.some(({ what }) => what === baseline)) return {};
  return there && peer.series === OURS ? { baseline, goal: "<= 3x" } : { baseline };
};

function latency(question: string, what: string, q: number, of: "arrivedNs" | "readNs"): Shown {
  const title = `1080p at 60 frames/s: ${what}, ${q === 0.5 ? "median" : "99 of 100"}`;
  return { question, title, unit: "µs", better: "lower", of: (outcome) => quantile(outcome[of], q) / 1000 };
}

const ROUND = "claimed, published, taken, released; payload untouched";

/** 1080p frames as fast as they go. */
export const THROUGHPUT: Comparison = {
  name: "throughput",
  measured: { kind: "throughput", seconds: 1, frames: 0, warmup: WARM_UP_FRAMES },
  against: againstOurs,
  shown: [{
    question: "throughput",
    title: "1080p frames, written and read, as fast as they go",
    unit: "frames/s",
    better: "higher",
    of: ({ frames, seconds }) => frames / seconds,
  }],
};

/** Throughput where all that is under way fits into a cache of 32 MB. */
export const THROUGHPUT_OF_THREE: Comparison = {
  ...THROUGHPUT,
  name: "throughput_of_three",
  shown: [{
    ...THROUGHPUT.shown[0],
    question: "throughput_of_three",
    title: `${THROUGHPUT.shown[0].title}, at most three under way`,
  }],
};

/** 1080p frames at the pace of a camera. */
export const LATENCY: Comparison = {
  name: "latency",
  measured: { kind: "latency", seconds: 0, frames: 600, warmup: WARM_UP_FRAMES },
  against: againstOurs,
  shown: [
    latency("latency_read", "from written until read", 0.5, "readNs"),
    latency("latency_read_p99", "from written until read", 0.99, "readNs"),
    latency("latency_arrival", "from written until the receiver has it", 0.5, "arrivedNs"),
    latency("latency_arrival_p99", "from written until the receiver has it", 0.99, "arrivedNs"),
  ],
};

function handoff(name: string, title: string): Comparison {
  const of = ({ frames, seconds }: Outcome) => seconds / frames * 1e9;
  return {
    name,
    measured: { kind: "handoff", seconds: 0, frames: 200_000, warmup: 20_000 },
    against: againstRust,
    shown: [{ question: name, title, unit: "ns", better: "lower", of }],
  };
}

/** Frames between two processes, which neither writes or reads. */
export const HANDOFF = handoff("handoff", `Bare hand-off of a 1080p frame to another process: ${ROUND}`);
/** The hand-off within one thread: what the calls cost without the way between two cores. */
export const HANDOFF_ALONE = handoff("handoff_alone", `Bare hand-off of a 1080p frame in one thread: ${ROUND}`);
