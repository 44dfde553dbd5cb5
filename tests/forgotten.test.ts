/**
 * Leases that are never ended, and frames whose readers are dropped: a collection ends no lease that can still be
 * reached. What was not looked at is reclaimed, what was looked at stays leased until its depot object is closed; it is
 * reported once, and harmless at any moment.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { depotTest, HERE, Peer, type Runtime } from "./support/harness.ts";

const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const collects = { collects: true };

const start = (scenario: string, name: string) => new Peer(HERE, "scenario_peer.ts", { scenario, name }, collects);

const play = (scene: string, name: string, runtime: Runtime = HERE) =>
  new Peer(runtime, "lease_peer.ts", { scene, name }, collects);

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

for (const when of ["looked at", "not looked at"]) {
  depotTest(`Frame outlives its reader, which is dropped and collected, ${when} before`, async (name) => {
    await using peer = play(`droppedReader, ${when}`, name);
    assertEquals(await peer.line(), { shows: 1, copies: 1, released: false });
    assertEquals(await peer.line(), { shows: "empty" });
    assertEquals(await peer.line(), { left: true });
    assertEquals(await peer.line(), { shows: "empty", released: true });
    assertEquals(await peer.exit(), 0, peer.errors);
  });
}

depotTest("Frame whose reader was dropped ends no lease of another process when it is released", async (name) => {
  await using orphan = play("orphan", name);
  assertEquals(await orphan.line(), { held: 1 });
  await using neighbour = play("neighbour", name, OTHER);
  assertEquals(await neighbour.line(), { shows: 1 });
  orphan.send("release");
  assertEquals(await orphan.line(), { done: true });
  neighbour.send("look");
  assertEquals(await neighbour.line(), { shows: 1, released: false });
  orphan.send("end");
  assertEquals([await neighbour.exit(), await orphan.exit()], [0, 0], neighbour.errors + orphan.errors);
});

for (const [what, named] of [["frame", "frame 1"], ["slot", "slot 0"], ["reader", "a reader"]]) {
  depotTest(`A ${what} that is forgotten after a look stays leased until close, and is reported`, async (name) => {
    await using peer = play(`forgottenAfterALook, ${what}`, name);
    assertEquals(await peer.line(), { kept: [true, true], gating: 0 });
    assertEquals(await peer.line(), { kept: false });
    assertEquals(await peer.exit(), 0, peer.errors);
    const reports = peer.errors.split("never released").length - 1;
    assert(peer.errors.includes(`${named} of depot`) && peer.errors.includes("stays leased until"), peer.errors);
    assertEquals(reports, 1, peer.errors);
  });

  for (const finalizers of ["ran", "did not run"]) {
    depotTest(
      `A ${what} that is forgotten after a move of its buffer changes no other frame; finalizers ${finalizers} before close`,
      async (name) => {
        await using peer = play(`forgottenAfterAMove, ${what}, ${finalizers}`, name);
        assertEquals(await peer.line(), { before: 1, after: 0 });
        assertEquals(await peer.line(), { other: 108 });
        assertEquals(await peer.exit(), 0, peer.errors);
      },
    );
  }
}
