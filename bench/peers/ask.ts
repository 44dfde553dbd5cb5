/**
 * The comparisons as the two tasks make them: `bench` with what needs no installation, `bench:peers` with all.
 *
 * @module
 */
import process from "node:process";
import { BUN_VERSION, NODE_VERSION } from "../../tools/support/versions.ts";
import { plot } from "../report/plot.ts";
import { type Result, save } from "../report/result.ts";
import { table } from "../report/table.ts";
import { builtIn, depots, OURS } from "./built_in.ts";
import { compare, type How } from "./compare.ts";
import { type Comparison, HANDOFF, HANDOFF_ALONE, LATENCY, THROUGHPUT, THROUGHPUT_OF_THREE } from "./comparisons.ts";
import { betweenProcesses, inOneThread } from "./handoffs.ts";
import { type Candidate, CANDIDATES, install, installedVersions } from "./installed.ts";
import type { Peer } from "./run.ts";

/** Those whose frames stay where they were written: with others, how many are under way is not what counts. */
function three(): { peers: Peer[]; candidates: readonly Candidate[] } {
  const atMost = (peer: Peer) => ({ ...peer, depth: 3 });
  const candidates = CANDIDATES
    .filter(({ what }) => IN_PLACE.some((name) => what.startsWith(name)))
    .map(({ what, install }) => ({ what, install: () => ({ ...install(), depth: 3 }) }));
  return { peers: depots().map(atMost), candidates };
}
const IN_PLACE = [OURS, "GStreamer", "shared_memory", "iceoryx2"];

/** The participants of each comparison. */
const PARTS: readonly [Comparison, () => { peers: Peer[]; candidates: readonly Candidate[] }][] = [
  [THROUGHPUT, () => ({ peers: [...depots(), ...builtIn()], candidates: CANDIDATES })],
  [THROUGHPUT_OF_THREE, three],
  [LATENCY, () => ({ peers: [...depots(), ...builtIn()], candidates: CANDIDATES })],
  [HANDOFF, betweenProcesses],
  [HANDOFF_ALONE, inOneThread],
];

const nameIn = (prefix: string, { shown }: Comparison) => shown.map(({ question }) => prefix + question);
const BUILT_IN = "built_in_";
const PEERS = "peers_";

/** What `bench:peers` can be asked. */
export const COMPARISONS: readonly string[] = PARTS.map(([{ name }]) => name);
/** What `bench` can be asked about peers. */
export const BUILT_IN_QUESTIONS: readonly string[] = [THROUGHPUT, LATENCY].map(({ name }) => BUILT_IN + name);
/** The results of both, in the order of the report. */
export const QUESTIONS_TO_PEERS: readonly string[] = [
  ...[THROUGHPUT, LATENCY].flatMap((comparison) => nameIn(BUILT_IN, comparison)),
  ...PARTS.flatMap(([comparison]) => nameIn(PEERS, comparison)),
];

const tell = (what: string) => process.stderr.write(`${what}\n`);

function keep(results: Result[]): void {
  for (const result of results) {
    save(result);
    plot(result);
    console.log(`\n${result.title}\n${table(result)}`);
    for (const { what, reason } of result.missing ?? []) console.log(`not measured: ${what}: ${reason}`);
  }
}

/** Ours and what the runtimes bring. `names` chooses; none means all. */
export async function askBuiltIn(runs: number, names: readonly string[]): Promise<void> {
  for (const comparison of [THROUGHPUT, LATENCY]) {
    const name = BUILT_IN + comparison.name;
    if (names.length > 0 && !names.includes(name)) continue;
    const session = {
      command: `deno task bench ${name}`,
      versions: { bun: BUN_VERSION, node: NODE_VERSION },
      prefix: BUILT_IN,
      among: "; nothing to install",
    };
    keep(await compare(comparison, { peers: [...depots(), ...builtIn()], missing: [] }, session, { runs }));
  }
}

/**
 * Ours, what the runtimes bring, and all that can be installed.
 *
 * @returns the peers that failed while they were measured
 */
export async function askAll(runs: number, names: readonly string[]): Promise<string[]> {
  const how: How = { runs, tell };
  const failed: string[] = [];
  for (const [comparison, part] of PARTS) {
    if (names.length > 0 && !names.includes(comparison.name)) continue;
    const { peers, candidates } = part();
    const { peers: installed, missing } = install(candidates, (what) => tell(`installing: ${what}`));
    const session = {
      command: `deno task bench:peers ${comparison.name}`,
      versions: { bun: BUN_VERSION, node: NODE_VERSION, ...installedVersions() },
      prefix: PEERS,
    };
    const results = await compare(comparison, { peers: [...peers, ...installed], missing }, session, how);
    keep(results);
    const known = missing.map(({ what }) => what);
    failed.push(...(results[0].missing ?? []).map(({ what }) => what).filter((what) => !known.includes(what)));
  }
  return failed;
}
