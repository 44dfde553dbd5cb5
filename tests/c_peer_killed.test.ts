/** The C peer of tests/c_peer/ and TypeScript each recover what a killed process of the other held. */
import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { after } from "node:test";
import { FramesDepot } from "../mod.ts";
import { HEADER, PEER } from "../ring/layout.ts";
import { CPeer, removePrograms } from "./c_peer/program.ts";
import { cPeers, cTest, type Following, later, SIZE } from "./support/c_peer_scene.ts";
import { HERE, Peer } from "./support/harness.ts";
import type { ProducerReport } from "./support/producer_peer.ts";
import { flaw, stamp } from "./support/stamp.ts";

after(removePrograms);

async function until(done: () => boolean): Promise<void> {
  while (!done()) await later(5);
}

/** Process ids of the peers that have an id in the segment's file, living or dead. */
function idsIn(name: string): Set<number> {
  const file = readFileSync(`/dev/shm/frames-depot.${name}`);
  const maxPeers = file.readUInt32LE(HEADER.maxPeers);
  const entries = Array.from({ length: maxPeers }, (_, index) => HEADER.size + index * PEER.size);
  return new Set(
    entries.filter((at) => file.readUInt32LE(at + PEER.id) !== 0).map((at) => file.readUInt32LE(at + PEER.pid)),
  );
}

cTest("TypeScript recovers the claim of a killed C peer", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 3, whenFull: "wait" });
  const reader = depot.frames({ timeoutMs: 20_000 });
  await using holder = await CPeer.start("hold", name, "claim");
  assertEquals(await holder.line(), { holding: true });
  const frame = new Uint8Array(depot.frameBytes);
  stamp(frame, 0, 7);
  await depot.enqueue({ frameNumber: 7, frame });
  const waiting = reader.next();
  await holder.kill();
  assertEquals((await waiting).value?.frameNumber, 7);
  // Once around the ring and over the slot of the dead peer. The number that was lost with it is counted once.
  for (let frameNumber = 8; frameNumber < 20; frameNumber++) {
    stamp(frame, 0, frameNumber);
    await depot.enqueue({ frameNumber, frame });
    const { value } = await reader.next();
    assertEquals([value?.frameNumber, flaw(value!.data as Uint8Array, 0, frameNumber)], [frameNumber, undefined]);
  }
  assertEquals([depot.stats().peers.length, depot.stats().skipped], [1, 1]);
});

cTest("TypeScript passes over a slot that a C peer keeps, and has it back when that peer is killed", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 3, whenFull: "wait" });
  const reader = depot.frames({ timeoutMs: 20_000 });
  await using holder = await CPeer.start("hold", name, "keep");
  assertEquals(await holder.line(), { holding: true });
  const frame = new Uint8Array(depot.frameBytes);
  const pass = async (frameNumber: number) => {
    stamp(frame, 0, frameNumber);
    await depot.enqueue({ frameNumber, frame });
    const { value } = await reader.next();
    assertEquals([value?.frameNumber, flaw(value!.data as Uint8Array, 0, frameNumber)], [frameNumber, undefined]);
    return value!.sequence;
  };
  const sequences: number[] = [];
  for (let frameNumber = 0; frameNumber < 8; frameNumber++) sequences.push(await pass(frameNumber));
  assertEquals(sequences, [1, 2, 4, 5, 7, 8, 10, 11]);
  assertEquals(depot.stats().skipped, 4);
  await holder.kill();
  assertEquals(depot.stats().peers.length, 1);
  for (let frameNumber = 8; frameNumber < 12; frameNumber++) sequences.push(await pass(frameNumber));
  assertEquals(sequences.slice(-4), [12, 13, 14, 15]);
  assertEquals(depot.stats().skipped, 4);
});

cTest(
  "TypeScript recovers frame and place of a killed C peer, its pin in the second word",
  async (name) => {
    const options = { frameSize: SIZE, maxSize: 3, whenFull: "wait" as const, maxReaders: 40 };
    await using depot = await FramesDepot.create(name, options);
    const others = Array.from({ length: 33 }, () => depot.frames({ mode: "latest" }));
    const frame = new Uint8Array(depot.frameBytes);
    await depot.enqueue({ frameNumber: 0, frame });
    await using holder = await CPeer.start("hold", name, "pin");
    assertEquals(await holder.line(), { holding: true });
    for (let frameNumber = 1; frameNumber < 3; frameNumber++) await depot.enqueue({ frameNumber, frame });
    assertEquals(depot.queueIsFull, true);
    // Another place in the queue, so that room comes with every frame that is read.
    await using reader = depot.frames({ timeoutMs: 20_000 });
    const waiting = (async () => {
      for (let frameNumber = 3; frameNumber < 12; frameNumber++) await depot.enqueue({ frameNumber, frame });
    })();
    await holder.kill();
    for (let frameNumber = 0; frameNumber < 12; frameNumber++) {
      assertEquals((await reader.next()).value?.frameNumber, frameNumber);
    }
    await waiting;
    assertEquals([depot.stats().peers.length, depot.stats().skipped], [1, 0]);
    for (const other of others) other.release();
  },
);

cTest("a C peer recovers the claim of a killed TypeScript process", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 3, whenFull: "wait" });
  await using holder = new Peer(HERE, "../c_peer/holder_peer.ts", { name, what: "claim" });
  assertEquals(await holder.line(), { holding: true });
  await using follower = await CPeer.start("follow", name, 100, "lossless");
  assertEquals(await follower.line(), { ready: true });
  await using producer = await CPeer.start("produce", name, 100);
  await until(() => cPeers(depot).some(({ stored }) => stored === 2));
  await holder.kill();
  assertEquals((await producer.line<ProducerReport>()).stored, 100);
  const { read, lost, torn, disorder } = await follower.line<Following>();
  assertEquals({ read, lost, torn, disorder }, { read: 100, lost: 0, torn: 0, disorder: 0 });
  assertEquals(depot.stats().skipped, 1);
  await producer.leave();
  await follower.leave();
  assertEquals(depot.stats().peers.length, 1);
});

cTest("a C peer recovers the frame and the place of a killed TypeScript process", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 3, whenFull: "wait" });
  await depot.enqueue({ frameNumber: 0, frame: new Uint8Array(depot.frameBytes) });
  await using holder = new Peer(HERE, "../c_peer/holder_peer.ts", { name, what: "pin" });
  assertEquals(await holder.line(), { holding: true });
  // Lossy, so that only the killed process holds the producer back, and no process does once it is dead.
  await using follower = await CPeer.start("follow", name, 0, "lossy", "producers=2");
  assertEquals(await follower.line(), { ready: true });
  await using producer = await CPeer.start("produce", name, 3, "producer=1", "producers=2");
  await until(() => cPeers(depot).some(({ pid, stored }) => pid === producer.pid && stored === 2));
  await holder.kill();
  // Seen without stats(), which would recover the dead itself.
  await until(() => !idsIn(name).has(holder.child.pid!));
  // What was kept for the dead reader is kept for the next lossless reader.
  await using reader = depot.frames({ timeoutMs: 20_000 });
  const seen: (number | undefined)[] = [];
  for (let count = 0; count < 4; count++) seen.push((await reader.next()).value?.frameNumber);
  assertEquals(seen, [0, 1, 3, 5]);
  assertEquals([(await producer.line<ProducerReport>()).stored, depot.stats().skipped], [3, 0]);
  await producer.leave();
  await follower.kill();
});
