/**
 * What only a system with mount and pid namespaces can show: a full /dev/shm of its own, and a depot shared between pid
 * namespaces. Needs Linux and root; elsewhere it says so and passes.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FramesDepot } from "../mod.ts";
import { depotTest, executableOf, HERE, Peer } from "./support/harness.ts";

const SCRIPT = fileURLToPath(new URL("./support/namespace_peer.ts", import.meta.url));
const FLAGS = { deno: "run --quiet --no-check -A", bun: "run" };
const possible = spawnSync("unshare", ["--mount", "--pid", "--fork", "true"]).status === 0;

/**
 * Runs a scene of namespace_peer.ts under `unshare`. The shell stays its parent: process 1 of a pid namespace cannot
 * kill itself. @returns what the scene printed
 */
function unshared(flags: string[], setUp: string, parameters: unknown): { status: number | null; out: string } {
  const run = `${executableOf(HERE)} ${FLAGS[HERE]} ${SCRIPT} '${JSON.stringify(parameters)}'`;
  const { status, stdout, stderr } = spawnSync("unshare", [...flags, "sh", "-c", `${setUp} ${run}; exit $?`], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, out: `${stdout}${stderr}` };
}

function namespaceTest(title: string, body: (name: string) => Promise<void> | void): void {
  depotTest(title, async (name) => {
    if (!possible) return console.log("no namespaces here: needs Linux and root");
    await body(name);
  });
}

const SMALL = "mount -t tmpfs -o size=4m tmpfs /dev/shm &&";

namespaceTest("FramesDepot.create says NO_SPACE with figures and remedy on a small /dev/shm", (name) => {
  const { status, out } = unshared(["--mount"], SMALL, { scene: "too large", name });
  assertEquals(status, 0, out);
  const { code, message, left } = JSON.parse(out);
  assertEquals([code, left], ["NO_SPACE", []]);
  assertStringIncludes(message, "6.2 MB");
  assertStringIncludes(message, "of 4.2 MB");
  assertStringIncludes(message, "--shm-size");
});

namespaceTest("FramesDepot.create says NO_SPACE when others have filled /dev/shm, and no write ever fails", (name) => {
  const { status, out } = unshared(["--mount"], SMALL, { scene: "fill", name });
  assertEquals(status, 0, out);
  const { made, code, intact } = JSON.parse(out);
  assert(made >= 2, out);
  assertEquals([code, intact], ["NO_SPACE", true]);
});

namespaceTest("FramesDepot.create takes nothing from a process in another pid namespace", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  await depot.enqueue({ frameNumber: 7, frame: new Uint8Array(4).fill(7) });
  const { status, out } = unshared(["--pid", "--fork", "--mount-proc"], "", { scene: "rob", name });
  assertEquals(status, 0, out);
  assertEquals(JSON.parse(out), { pid: JSON.parse(out).pid, create: "EXISTS", stale: false, read: 7 });
});

namespaceTest("FramesDepot.create takes over from a process that died in another pid namespace", async (name) => {
  const { out } = unshared(["--pid", "--fork", "--mount-proc"], "", { scene: "die", name });
  assertStringIncludes(out, "made");
  assertEquals(FramesDepot.list().filter((info) => info.name === name).map(({ stale }) => stale), [true]);
  await using depot = await FramesDepot.create(name, { frameSize: [4, 4, 1] });
  assertEquals(depot.frameSize, [4, 4, 1]);
});

namespaceTest("FramesDepot.stats keeps a peer alive whose pid exists twice", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  await using other = new Peer(HERE, "namespace_peer.ts", { scene: "hold", name });
  assertEquals(await other.line(), { open: true });
  unshared(["--pid", "--fork", "--mount-proc"], "", { scene: "visit", name });
  assertEquals(depot.stats().peers.map(({ alive }) => alive), [true, true]);
});
