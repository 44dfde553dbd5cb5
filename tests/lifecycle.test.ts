/**
 * Names and the segments behind them: made, found, removed, full. Races for a name and processes that are killed are in
 * `killed.test.ts`, processes that end by themselves in `ending.test.ts`.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { chownSync, existsSync, statSync } from "node:fs";
import process from "node:process";
import { loadShim } from "../ffi/load.ts";
import { Mapping } from "../ffi/mapping.ts";
import type { Segment } from "../ffi/segment.ts";
import { DepotError, type DepotOptions, FramesDepot } from "../mod.ts";
import { LOCK } from "../ring/layout.ts";
import { depotTest, errorOf, RUNTIMES, skip } from "./support/harness.ts";
import { leftovers } from "../tools/support/leftovers.ts";
import { Remote } from "./support/remote.ts";

const OPTIONS: DepotOptions = { frameSize: [2, 2, 1], maxSize: 4, maxReaders: 2 };
const pixels = (value: number) => new Uint8Array(4).fill(value);
const fileOf = (name: string) => `/dev/shm/frames-depot.${name}`;
const infoOf = (name: string) => FramesDepot.list().find((info) => info.name === name);

depotTest("list tells name, geometry, length and peers of a live depot, and opens none", async (name) => {
  await using depot = await FramesDepot.create(name, {
    ...OPTIONS,
    elementType: "uint16",
    pixelFormat: "gray16le",
    whenFull: "overwrite",
  });
  await using _other = await FramesDepot.open(name);
  await depot.enqueue({ frame: new Uint16Array(4) });
  const { bytes, reason, owner, ...info } = infoOf(name)!;
  assertEquals(owner, process.getuid?.());
  assertEquals(info, {
    name,
    usable: true,
    stale: false,
    frameSize: [2, 2, 1],
    elementType: "uint16",
    pixelFormat: "gray16le",
    frameBytes: 8,
    maxSize: 4,
    whenFull: "overwrite",
    length: 1,
    peers: 2,
    ended: false,
  });
  assert(reason.includes("2 open depot objects") && bytes >= depot.stats().bytes, reason);
  assertEquals(depot.stats().peers.length, 2);
});

depotTest("close of the last depot object removes the segment, whichever process made it", async (name) => {
  const depot = await FramesDepot.create(name, OPTIONS);
  const other = await FramesDepot.open(name);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  await depot.close();
  assertEquals([infoOf(name)?.peers, other.peekFrame(1)?.data[0]], [1, 1]);
  await other.close();
  assertEquals([infoOf(name), leftovers().includes(`frames-depot.${name}`)], [undefined, false]);
  assertEquals(await errorOf(() => FramesDepot.open(name)), "NOT_FOUND");
});

depotTest("unlink removes the name: depot objects stay open, and a new depot can have the name", async (name) => {
  const depot = await FramesDepot.create(name, OPTIONS);
  const other = await FramesDepot.open(name);
  assertEquals([FramesDepot.unlink(name), FramesDepot.unlink(name)], [true, false]);
  assertEquals([infoOf(name), await errorOf(() => FramesDepot.open(name))], [undefined, "NOT_FOUND"]);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  using frame = other.getFrame(1);
  assertEquals(frame?.data[0], 1);
  await using next = await FramesDepot.create(name, { ...OPTIONS, frameSize: [1, 1, 1] });
  assertEquals([next.length, depot.stats().peers.length], [0, 2]);
  // The last close of the old depot does not remove the name of the new one.
  await depot.close();
  await other.close();
  assertEquals([infoOf(name)?.frameBytes, next.stats().peers.length], [1, 1]);
});

for (const runtime of RUNTIMES) {
  depotTest(`open waits up to timeoutMs for a depot that ${runtime} makes later`, async (name) => {
    await using remote = new Remote(runtime);
    const opening = FramesDepot.open(name, { timeoutMs: 60_000 });
    const creating = remote.tell({ do: "create", name, options: OPTIONS });
    await using depot = await opening;
    assertEquals([await creating, depot.frameSize, depot.stats().peers.length], ["made", [2, 2, 1], 2]);
    assertEquals(depot.stats().peers.map((peer) => [peer.runtime, peer.self])[0], [runtime, false]);
  });
}

depotTest("open of a name that no depot has is NOT_FOUND, and says so", async (name) => {
  const error = await assertRejects(() => FramesDepot.open(name), DepotError);
  assertEquals([error.code, error.depot, error.errno], ["NOT_FOUND", name, 2]);
  assertStringIncludes(error.message, `cannot open depot "${name}": there is none; \`timeoutMs\` waits for one`);
  const late = await assertRejects(() => FramesDepot.open(name, { timeoutMs: 30 }), DepotError);
  assertStringIncludes(late.message, "there is none, also after 30 ms; a longer `timeoutMs` waits for one");
});

depotTest("frames, getFrame and peekFrame throw TOO_MANY_PEERS when all readers are in use", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  await using other = await FramesDepot.open(name);
  const readers = [depot.frames(), other.frames({ mode: "lossy" })];
  for (
    const call of [() => depot.frames(), () => other.getFrame(1), () => depot.peekFrame(1), () => depot.readable()]
  ) {
    const error = assertThrows(call, DepotError, "all 2 readers are in use (maxReaders)");
    assertEquals([error.code, error.depot], ["TOO_MANY_PEERS", name]);
  }
  readers[0].release();
  assertEquals([other.getFrame(1), other.peekFrame(1), await errorOf(() => depot.frames())], [
    undefined,
    undefined,
    "TOO_MANY_PEERS",
  ]);
  // Producing needs no such place.
  assertEquals((await depot.enqueue({ frame: pixels(1) })).state, "stored");
});

depotTest("open throws TOO_MANY_PEERS when all entries are in use, until one is closed", async (name) => {
  const depots = [await FramesDepot.create(name, { ...OPTIONS, maxReaders: 1 })];
  try {
    while (depots.length < 33) depots.push(await FramesDepot.open(name));
    const error = await assertRejects(() => FramesDepot.open(name), DepotError, "all 33 entries are in use");
    assertEquals([error.code, error.depot, depots[0].stats().peers.length], ["TOO_MANY_PEERS", name, 33]);
    assertEquals(await errorOf(() => FramesDepot.createOrOpen(name, { ...OPTIONS, maxReaders: 1 })), "TOO_MANY_PEERS");
    await depots.pop()!.close();
    depots.push(await FramesDepot.open(name));
    assertEquals((await depots[32].enqueue({ frameNumber: 1, frame: pixels(1) })).state, "stored");
    assertEquals(depots[1].peekFrame(1)?.data[0], 1);
  } finally {
    for (const depot of depots) await depot.close();
  }
});

depotTest("open and close over and over leave no entry and no descriptor behind", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  const descriptors = () => existsSync("/proc/self/fd") ? Number(statSync("/proc/self/fd").size) : 0;
  for (let round = 0; round < 20; round++) await (await FramesDepot.open(name)).close();
  const before = descriptors();
  for (let round = 0; round < 300; round++) await (await FramesDepot.open(name)).close();
  assert(descriptors() <= before + 5, `${before} descriptors became ${descriptors()}`);
  assertEquals(depot.stats().peers.length, 1);
});

depotTest("create gives the segment the permission bits of mode, whatever the umask", async (name, another) => {
  if (process.platform !== "linux") return skip("segments are no files here");
  const umask = process.umask(0o077);
  try {
    for (const [mode, bits] of [[undefined, 0o600], [0o640, 0o640], [0o666, 0o666]]) {
      const next = another();
      await using _depot = await FramesDepot.create(next, { ...OPTIONS, mode });
      assertEquals(statSync(fileOf(next)).mode & 0o777, bits);
    }
  } finally {
    process.umask(umask);
  }
  assertEquals(infoOf(name), undefined);
});

depotTest("open refuses a segment of another user with PERMISSION, unless that user is trusted", async (name) => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    return skip("needs Linux and root: an owner is changed");
  }
  await using depot = await FramesDepot.create(name, OPTIONS);
  chownSync(fileOf(name), 54_321, 54_321);
  const error = await assertRejects(() => FramesDepot.open(name), DepotError, "`trustedOwners: [54321]`");
  assertEquals([error.code, infoOf(name)?.owner, infoOf(name)?.peers], ["PERMISSION", 54_321, 1]);
  assertEquals(await errorOf(() => FramesDepot.createOrOpen(name, OPTIONS)), "PERMISSION");
  await using other = await FramesDepot.open(name, { trustedOwners: [1, 54_321] });
  await using same = await FramesDepot.createOrOpen(name, { ...OPTIONS, trustedOwners: [54_321] });
  assertEquals([other.stats().peers.length, same.name, depot.length], [3, name, 0]);
});

depotTest("frames waits for the place of a dead reader while another process is slow to give it back", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxReaders: 1 });
  const victim = new Remote();
  await victim.tell({ do: "open", name });
  await victim.tell({ do: "follow", mode: "lossy", frames: 0 });
  await victim.kill();
  const other = loadShim().open(name) as Segment;
  assertEquals(other.lock(LOCK.members), 1);
  const { yield: give } = Mapping.prototype;
  let looks = 0;
  Mapping.prototype.yield = function () {
    if (++looks === 150) other.unlock(LOCK.members); // without a processor until then
    give.call(this);
  };
  try {
    using reader = depot.frames();
    assertEquals([reader.released, looks >= 150], [false, true]);
  } finally {
    Mapping.prototype.yield = give;
    other.close();
  }
});
