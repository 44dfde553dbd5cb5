/**
 * A C program that was written from docs/internals/protocol.md and docs/internals/layout.md (tests/c_peer/) exchanges
 * frames with TypeScript under sanitizers: of addresses and undefined behaviour, and of threads for its threads.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { after } from "node:test";
import { type Frame, FramesDepot, type WhenFull } from "../mod.ts";
import { FIRST_SEQUENCE } from "../depot/shape.ts";
import { CPeer, programs, RACE, removePrograms, run } from "./c_peer/program.ts";
import { cPeers, cTest, type Following, later, SIZE } from "./support/c_peer_scene.ts";
import { HERE, Peer, skip } from "./support/harness.ts";
import type { ProducerReport, ProducerTask } from "./support/producer_peer.ts";
import type { ReaderReport, ReaderTask } from "./support/reader_peer.ts";
import { END, flaw, stamp, stampOf } from "./support/stamp.ts";

const FRAMES = 20_000;

type Crew = { producers: ProducerReport[]; readers: Following[] };

after(removePrograms);

/** Puts `count` stamped frames and the END frame in. */
async function fill(depot: FramesDepot, count: number): Promise<number> {
  const frame = new Uint8Array(depot.frameBytes);
  let stored = 0;
  for (let frameNumber = 0; frameNumber < count; frameNumber++) {
    stamp(frame, 0, frameNumber);
    const result = depot.tryEnqueue({ frameNumber, frame }) ?? await depot.enqueue({ frameNumber, frame });
    if (result.state === "stored") stored++;
    if (depot.whenFull !== "wait" && frameNumber % 256 === 0) await later(0);
  }
  await end(depot);
  return stored;
}

async function end(depot: FramesDepot): Promise<void> {
  const last = { frameNumber: END, frame: new Uint8Array(depot.frameBytes) };
  while (depot.tryEnqueue(last) === undefined) await later(1);
}

for (const whenFull of ["wait", "drop"] as WhenFull[]) {
  cTest(`a C peer follows what TypeScript produces, lossless under ${whenFull}`, async (name) => {
    // Around 2^32, and with a number of slots that divides no power of two.
    const options = { frameSize: SIZE, maxSize: 7, whenFull, [FIRST_SEQUENCE]: 2 ** 32 - 1000 };
    await using depot = await FramesDepot.create(name, options);
    await using follower = await CPeer.start("follow", name, 0, "lossless");
    assertEquals(await follower.line(), { ready: true });
    const stored = await fill(depot, FRAMES);
    if (whenFull === "wait") assertEquals(stored, FRAMES);
    const report = await follower.line<Following>();
    assertEquals(report, { read: stored, lost: 0, torn: 0, disorder: 0, metadata: 0, by: [stored] });
    const [{ pid, alive, stored: byIt, readers }] = cPeers(depot);
    assertEquals({ pid, alive, byIt }, { pid: follower.pid, alive: true, byIt: 0 });
    // The END frame counts as read.
    assertEquals(readers.map(({ mode, gating, read, lost }) => ({ mode, gating, read, lost })), [
      { mode: "lossless", gating: true, read: stored + 1, lost: 0 },
    ]);
    await follower.leave();
    assertEquals(depot.stats().peers.length, 1);
  });
}

cTest("a lossy C peer accounts for every frame that TypeScript overwrites", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 4, whenFull: "overwrite" });
  await using follower = await CPeer.start("follow", name, 0, "lossy");
  assertEquals(await follower.line(), { ready: true });
  const stored = await fill(depot, FRAMES);
  assertEquals(stored, FRAMES);
  const report = await follower.line<Following>();
  assertEquals([report.read + report.lost, report.torn, report.disorder], [stored, 0, 0]);
  assertGreaterOrEqual(report.read, 1);
  const [{ readers: [reader] }] = cPeers(depot);
  assertEquals([reader.mode, reader.gating, reader.read, reader.lost], ["lossy", false, report.read + 1, report.lost]);
  await follower.leave();
});

cTest("TypeScript follows what a C peer produces, lossless under wait", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 7, whenFull: "wait" });
  const reader = depot.frames({ timeoutMs: 20_000 });
  await using producer = await CPeer.start("produce", name, FRAMES, "giveback=50", "keep=70");
  let count = 0;
  for await (const { frameNumber, data, lost } of reader) {
    assertEquals([frameNumber, lost, flaw(data as Uint8Array, 0, frameNumber)], [count, 0, undefined]);
    if (++count === FRAMES) break;
  }
  const report = await producer.line<ProducerReport>();
  assertEquals([count, report.stored, report.dropped], [FRAMES, FRAMES, 0]);
  const [{ stored, dropped, alive }] = cPeers(depot);
  assertEquals({ stored, dropped, alive }, { stored: FRAMES, dropped: 0, alive: true });
  assertGreaterOrEqual(depot.stats().skipped, report.givenBack);
  await producer.leave();
  assertEquals(depot.stats().peers.length, 1);
});

for (const whenFull of ["overwrite", "drop"] as WhenFull[]) {
  cTest(`TypeScript accounts for every frame of a C peer, lossy under ${whenFull}`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 5, whenFull });
    const reader = depot.frames({ mode: "lossy", timeoutMs: 20_000 });
    // A depot that drops frees its slots only while a lossless reader passes them.
    await using gating = whenFull === "drop" ? await CPeer.start("follow", name, 0, "lossless") : undefined;
    assertEquals(await gating?.line() ?? { ready: true }, { ready: true });
    await using producer = await CPeer.start("produce", name, FRAMES);
    let read = 0, missed = 0, previous = -1;
    const produced = producer.line<ProducerReport>();
    const ended = produced.then(() => end(depot));
    for await (const { frameNumber, data, lost } of reader) {
      missed += lost;
      if (frameNumber === END) break;
      read++;
      assert(frameNumber > previous, `${frameNumber} after ${previous}`);
      assertEquals(flaw(data as Uint8Array, 0, frameNumber), undefined);
      previous = frameNumber;
    }
    await ended;
    const { stored, dropped } = await produced;
    assertEquals([stored + dropped, read + missed], [FRAMES, stored]);
    const counts = await gating?.line<Following>();
    if (counts !== undefined) assertEquals([counts.read, counts.lost, counts.torn], [stored, 0, 0]);
    const entry = cPeers(depot).find(({ pid }) => pid === producer.pid)!;
    assertEquals([entry.stored, entry.dropped], [stored, dropped]);
    await producer.leave();
    await gating?.leave();
  });
}

cTest("C and TypeScript produce and follow one depot at once", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 16, whenFull: "wait" });
  const frames = FRAMES / 2;
  const reading: ReaderTask = { name, mode: "lossless", producers: 2 };
  await using reader = new Peer(HERE, "reader_peer.ts", reading);
  await using follower = await CPeer.start("follow", name, 0, "lossless", "producers=2");
  await using lossy = await CPeer.start("follow", name, 0, "lossy", "producers=2");
  for (const peer of [reader, follower, lossy]) assertEquals(await peer.line(), { ready: true });
  const producing: ProducerTask = { name, producer: 0, producers: 2, frames, claimEvery: 20 };
  await using here = new Peer(HERE, "producer_peer.ts", producing);
  await using there = await CPeer.start("produce", name, frames, "producer=1", "producers=2", "giveback=20");
  const stored = await Promise.all([here, there].map(async (peer) => (await peer.line<ProducerReport>()).stored));
  assertEquals(stored, [frames, frames]);
  assertEquals(cPeers(depot).find(({ pid }) => pid === there.pid)?.stored, frames);
  await end(depot);
  const seen = await reader.line<ReaderReport>();
  assertEquals(seen, { read: 2 * frames, lost: 0, flaws: [], by: stored, disorder: 0 });
  const inC = await follower.line<Following>();
  assertEquals(inC, { read: 2 * frames, lost: 0, torn: 0, disorder: 0, metadata: 0, by: stored });
  const some = await lossy.line<Following>();
  assertEquals([some.torn, some.disorder], [0, 0]);
  assertBetween(some.read + some.lost, 2 * frames, 2 * frames + depot.stats().skipped);
  for (const peer of [there, follower, lossy]) await peer.leave();
  assertEquals([await reader.exit(), await here.exit()], [0, 0], reader.errors + here.errors);
  assertEquals(depot.stats().peers.length, 1);
});

/** Several producers may burn a number after a reader has jumped over it: then the reader counts one loss too many. */
function assertBetween(value: number, least: number, most: number): void {
  assertGreaterOrEqual(value, least);
  assertLessOrEqual(value, most);
}

cTest("a C peer and TypeScript agree on metadata, byte lengths and timestamps", async (name) => {
  const options = { frameSize: [13, 1, 1] as const, metadataBytes: 12, maxSize: 3, whenFull: "wait" as const };
  await using depot = await FramesDepot.create(name, options);
  await using follower = await CPeer.start("follow", name, 20, "lossless");
  assertEquals(await follower.line(), { ready: true });
  await using reader = depot.frames({ timeoutMs: 20_000 });
  await using producer = await CPeer.start("produce", name, 10, "metadata=1");
  const started = BigInt(Date.now() - 60_000) * 1_000_000n;
  const look = ({ value }: IteratorResult<Frame, undefined>, frameNumber: number) => {
    assertEquals([value?.frameNumber, value?.data.length], [frameNumber, 13]);
    assertEquals(flaw((value!.data as Uint8Array).subarray(0, 12), 0, frameNumber), undefined);
    const metadata = value!.metadata!;
    assertEquals(
      new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength).getBigInt64(0, true),
      BigInt(frameNumber),
    );
    assert(value!.timestampNs > started && value!.timestampNs < started + 120_000_000_000n, `${value!.timestampNs}`);
  };
  for (let frameNumber = 0; frameNumber < 10; frameNumber++) look(await reader.next(), frameNumber);
  for (let frameNumber = 10; frameNumber < 20; frameNumber++) {
    const frame = new Uint8Array(16);
    stamp(frame, 0, frameNumber);
    const metadata = new Uint8Array(new BigInt64Array([BigInt(frameNumber)]).buffer);
    await depot.enqueue({ frameNumber, frame: frame.subarray(0, 13), metadata });
    look(await reader.next(), frameNumber);
  }
  const report = await follower.line<Following>();
  assertEquals([report.read, report.torn, report.metadata], [20, 0, 20]);
  await producer.leave();
  await follower.leave();
});

cTest("a C peer and TypeScript agree on the length of each frame, where lengths vary", async (name) => {
  const options = { frameSize: [4, 4, 1] as const, variableLength: true, maxSize: 3, whenFull: "wait" as const };
  await using depot = await FramesDepot.create(name, options);
  const lengthOf = (frameNumber: number) => frameNumber % 5 * 4;
  await using follower = await CPeer.start("follow", name, 40, "lossless");
  assertEquals(await follower.line(), { ready: true });
  await using reader = depot.frames({ timeoutMs: 20_000 });
  await using producer = await CPeer.start("produce", name, 20);
  for (let frameNumber = 0; frameNumber < 40; frameNumber++) {
    if (frameNumber >= 20) {
      const frame = new Uint8Array(lengthOf(frameNumber));
      stamp(frame, 0, frameNumber);
      await depot.enqueue({ frameNumber, frame });
    }
    const { value } = await reader.next();
    assertEquals([value?.frameNumber, value?.byteLength], [frameNumber, lengthOf(frameNumber)]);
    const words = new Uint32Array(value!.copy().buffer);
    assertEquals(words, new Uint32Array(words.length).fill(stampOf(0, frameNumber)));
  }
  const report = await follower.line<Following>();
  assertEquals([report.read, report.torn], [40, 0]);
  await producer.leave();
  await follower.leave();
});

/** A crew of threads in the build that watches for races, beside which TypeScript reads. */
async function threads(name: string, whenFull: WhenFull, frames: number, ...crew: string[]) {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: 5, whenFull });
  const { command, sanitized } = await programs!.threads;
  const running = run([...command, "threads", name, String(frames), ...crew]);
  let read = 0;
  for await (const { frameNumber, data } of depot.frames({ mode: "lossy", timeoutMs: 20_000 })) {
    if (frameNumber === END) break;
    assertEquals(flaw(data as Uint8Array, frameNumber % 2, frameNumber), undefined);
    read++;
  }
  const result = await running;
  return { ...result, read, sanitized, stats: depot.stats(), crew: JSON.parse(result.stdout) as Crew };
}

for (const [whenFull, frames] of [["wait", 5000], ["drop", FRAMES], ["overwrite", FRAMES / 2]] as const) {
  cTest(`the protocol has no data race: threads of a C peer under ${whenFull}`, async (name) => {
    const settings = ["producers=2", "lossless=2", "lossy=1", "giveback=5", "keep=7"];
    const { status, stderr, stats, crew, read } = await threads(name, whenFull, frames, ...settings);
    assertEquals([stderr, status], ["", 0]);
    const stored = crew.producers.reduce((sum, producer) => sum + producer.stored, 0);
    for (const producer of crew.producers) assertEquals(producer.stored + producer.dropped, frames);
    if (whenFull === "wait") assertEquals(stored, 2 * frames);
    // Four readers and the other producer may hold all five slots at one moment: then a frame is refused.
    if (whenFull === "overwrite") assertGreaterOrEqual(stored, 1.98 * frames);
    assertEquals([stats.stored, stats.peers.length], [stored + 1, 1]);
    assertBetween(read, 1, stored);
    crew.readers.forEach((reader, index) => {
      assertEquals([reader.torn, reader.disorder], [0, 0]);
      if (whenFull !== "overwrite" && index < 2) assertEquals([reader.read, reader.lost], [stored, 0]);
      assertBetween(reader.read + reader.lost, stored, stored + stats.skipped);
    });
  });
}

cTest("the thread sanitizer sees the ring: a thread that reads without a pin is reported", async (name) => {
  const { status, stderr, sanitized } = await threads(name, "overwrite", 1000, "producers=2", "lossy=1", "careless=1");
  if (!sanitized) return skip("this C compiler has no thread sanitizer");
  assertEquals(status, RACE, stderr);
  assertStringIncludes(stderr, "WARNING: ThreadSanitizer: data race");
});
