/**
 * Leases that nobody ends: reclaimed once their object has been collected, reported once, and harmless at any moment.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { depotTest, HERE, Peer } from "./support/harness.ts";

const start = (scenario: string, name: string) =>
  new Peer(HERE, "scenario_peer.ts", { scenario, name }, { deno: ["-A", "--v8-flags=--expose-gc"] });

depotTest("Frame that is forgotten is reclaimed, and reported once", async (name) => {
  await using peer = start("forgottenFrame", name);
  assertEquals(await peer.line(), { free: true });
  assertEquals(await peer.line(), { free: true });
  assertEquals(await peer.exit(), 0, peer.errors);
  assertMatch(peer.errors, /frame 0 .*never released/);
  assertEquals(peer.errors.split("never released").length, 2, peer.errors);
});

depotTest("FrameReader that is forgotten gives its place and its last frame back", async (name) => {
  await using peer = start("forgottenReader", name);
  assertEquals(await peer.line(), { left: true, state: "stored" });
  assertEquals(await peer.exit(), 0, peer.errors);
});

depotTest("FrameSlot that is forgotten is given back, and readers go on", async (name) => {
  await using peer = start("forgottenSlot", name);
  assertEquals(await peer.line(), { seen: 7 });
  assertEquals(await peer.exit(), 0, peer.errors);
});

depotTest("Frame stays leased while a view of it is in use, even if the frame itself is forgotten", async (name) => {
  await using peer = start("keptView", name);
  assertEquals(await peer.line(), { view: [5, 5, 5] });
  assertEquals(await peer.exit(), 0, peer.errors);
});

depotTest("close is safe between the collection of a lease and its finalizer", async (name) => {
  await using peer = start("closeBeforeFinalizer", name);
  assertEquals(await peer.line(), { survived: true });
  assertEquals([await peer.exit(), /TypeError/.test(peer.errors)], [0, false], peer.errors);
});
