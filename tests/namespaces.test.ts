/**
 * What only a system with mount and pid namespaces can show: a full /dev/shm of its own, and a depot shared between pid
 * namespaces. Needs Linux and root; elsewhere it says so and passes.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { HERE, Peer } from "./support/harness.ts";
import { namespaceTest, unshared } from "./support/namespaces.ts";

/** Runs a scene of namespace_peer.ts in namespaces of its own. */
const scene = (flags: string[], setUp: string, task: { scene: string; name: string }) => {
  return unshared(flags, setUp, "namespace_peer.ts", task);
};

const SMALL = "mount -t tmpfs -o size=4m tmpfs /dev/shm &&";

namespaceTest("FramesDepot.create says NO_SPACE with figures and remedy on a small /dev/shm", (name) => {
  const { status, out } = scene(["--mount"], SMALL, { scene: "too large", name });
  assertEquals(status, 0, out);
  const { code, message, left } = JSON.parse(out);
  assertEquals([code, left], ["NO_SPACE", []]);
  assertMatch(message, /6\.\d MB are needed/);
  assertStringIncludes(message, "of 4.2 MB");
  assertStringIncludes(message, "--shm-size");
});

namespaceTest("FramesDepot.create says NO_SPACE when others have filled /dev/shm, and no write ever fails", (name) => {
  const { status, out } = scene(["--mount"], SMALL, { scene: "fill", name });
  assertEquals(status, 0, out);
  const { made, code, intact } = JSON.parse(out);
  assert(made >= 2, out);
  assertEquals([code, intact], ["NO_SPACE", true]);
});

namespaceTest("FramesDepot.create takes nothing from a process in another pid namespace", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  await depot.enqueue({ frameNumber: 7, frame: new Uint8Array(4).fill(7) });
  const { status, out } = scene(["--pid", "--fork", "--mount-proc"], "", { scene: "rob", name });
  assertEquals(status, 0, out);
  assertEquals(JSON.parse(out), { pid: JSON.parse(out).pid, create: "EXISTS", stale: false, read: 7 });
});

namespaceTest("FramesDepot.create takes over from a process that died in another pid namespace", async (name) => {
  const { out } = scene(["--pid", "--fork", "--mount-proc"], "", { scene: "die", name });
  assertStringIncludes(out, "made");
  assertEquals(FramesDepot.list().filter((info) => info.name === name).map(({ stale }) => stale), [true]);
  await using depot = await FramesDepot.create(name, { frameSize: [4, 4, 1] });
  assertEquals(depot.frameSize, [4, 4, 1]);
});

namespaceTest("FramesDepot.stats keeps a peer alive whose pid exists twice", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  await using other = new Peer(HERE, "namespace_peer.ts", { scene: "hold", name });
  assertEquals(await other.line(), { open: true });
  scene(["--pid", "--fork", "--mount-proc"], "", { scene: "visit", name });
  assertEquals(depot.stats().peers.map(({ alive }) => alive), [true, true]);
});
