/**
 * Conditions for `doctor`, one after the other, in a shared memory of their own (started under `unshare`). Prints what
 * it found in each, and in none of them.
 *
 * @module
 */
import { chmodSync, chownSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { Finding } from "../../cli/doctor/finding.ts";
import { FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";
import { runCli } from "./cli.ts";
import { HERE, Peer } from "./harness.ts";
import { Remote } from "./remote.ts";

/** What it prints: what was found, by condition. */
export type SceneFindings = Record<string, { code: number; findings: Finding[] }>;

const SHAPE = { frameSize: [4, 2, 3] as [number, number, number] };
const { library } = taskOf<{ library: string | undefined }>();
const fileOf = (name: string) => `/dev/shm/frames-depot.${name}`;
const found: SceneFindings = {};

async function look(condition: string, fix = false): Promise<void> {
  const { code, out } = await runCli(["doctor", "--json", ...fix ? ["--fix"] : []]);
  found[condition] = { code, findings: JSON.parse(out).findings };
}

const CONDITIONS: Record<string, () => Promise<void>> = {
  async nothing() {
    await using _depot = await FramesDepot.create("whole", SHAPE);
    await look("nothing");
  },
  async stale() {
    await using victim = new Remote();
    await victim.tell({ do: "create", name: "old", options: SHAPE });
    await victim.kill();
    await look("stale");
    FramesDepot.unlink("old");
  },
  async broken() {
    writeFileSync(fileOf("odd"), "not a depot", { mode: 0o600 });
    await look("broken");
    rmSync(fileOf("odd"));
  },
  async removed() {
    await using _depot = await FramesDepot.create("lost", SHAPE);
    rmSync(fileOf("lost"));
    await look("removed");
  },
  async taken() {
    await using holder = new Remote();
    await using opener = new Remote(); // sees the name, which its maker does not
    await holder.tell({ do: "create", name: "twice", options: SHAPE });
    await opener.tell({ do: "open", name: "twice" });
    await using _depot = await FramesDepot.create("twice", { ...SHAPE, replace: true });
    await look("taken");
  },
  async forked() {
    if (library === undefined) return;
    await using parent = new Peer(HERE, "fork_peer.ts", { name: "forked", library });
    const { fork } = await parent.line<{ fork: number }>();
    try {
      await look("forking"); // while its parent lives, it does no harm
      await parent.kill();
      await look("forked");
      found.forked.findings.push({ id: "fork", check: "", verdict: "ok", says: String(fork) });
    } finally {
      process.kill(fork, "SIGKILL");
      FramesDepot.unlink("forked");
    }
  },
  async modes() {
    await using _depot = await FramesDepot.create("open", { ...SHAPE, mode: 0o666 });
    await look("written");
    chmodSync(fileOf("open"), 0o644);
    await look("read");
    chownSync(fileOf("open"), 61234, 61234);
    await look("owned");
  },
  async unfinished() {
    for (const name of [".frames-depot-7-0", ".frames-depot.begun"]) {
      writeFileSync(`/dev/shm/${name}`, "half");
      await look("young");
      utimesSync(`/dev/shm/${name}`, new Date(0), new Date(0));
    }
    await look("unfinished");
    await look("swept", true);
    await look("nothing left");
  },
};

for (const make of Object.values(CONDITIONS)) await make();
say(found);
process.exit(0);
