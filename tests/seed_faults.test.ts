/**
 * What the seed, Python's gh-frames-depot 1.0.0, got wrong, each as a regression test, and its examples line by line.
 * Elsewhere: missing, duplicate and out-of-order numbers in `lookup.test.ts`; synchronous and asynchronous callbacks
 * and one that clears the queue in `callbacks.test.ts`; wrong frames in `arguments_of_frames.test.ts`; leaks when a
 * process ends in `ending.test.ts`; queues that other processes see in `processes.test.ts`.
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DepotError, type DepotOptions, FramesDepot } from "../mod.ts";
import { depotTest, errorOf } from "./support/harness.ts";
import { leftovers } from "../tools/support/leftovers.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const SOUND: DepotOptions = {
  frameSize: [2, 2, 1],
  elementType: "uint8",
  pixelFormat: "thermal",
  frameBytes: 4,
  maxSize: 2,
  whenFull: "wait",
  metadataBytes: 8,
  maxReaders: 7,
};

depotTest("FramesDepot runs the seed's README line by line", async (memoryName) => {
  const [width, height, channels] = [8, 6, 3];
  // frame_size = (width, height, channels); memory_name = "frame_depot"; max_size = 10
  const frameSize = [width, height, channels] as const;
  const maxSize = 10;
  const said: string[] = [];
  // def backpressure_callback(): print("The queue is full. …")      (a TypeError there: it was awaited)
  const onBackpressure = () => void said.push("The queue is full.");
  // frames_depot = FramesDepot(frame_size, memory_name, max_size, backpressure_callback)
  const framesDepot = await FramesDepot.create(memoryName, { frameSize, maxSize, onBackpressure });
  for (let currentFrame = 0; currentFrame < 12; currentFrame++) {
    const frame = new Uint8Array(width * height * channels).fill(currentFrame);
    // frame_dict = {"frame_number": current_frame, "frame": frame}
    const frameDict = { frameNumber: currentFrame, frame };
    // await frames_depot.enqueue(frame_dict)
    await framesDepot.enqueue(frameDict);
  }
  // frames_depot.queue_is_full, frames_depot.dropped_frames, len(frames_depot)
  assertEquals([framesDepot.queueIsFull, framesDepot.droppedFrames, framesDepot.length], [true, 2, 10]);
  assertEquals(said, ["The queue is full.", "The queue is full."]);
  // frame_number = 5
  const frameNumber = 5;
  // frames_depot.get_frame(frame_number)      (it copied to where everyone overwrote it)
  using frame = framesDepot.getFrame(frameNumber);
  assertEquals([frame?.data[0], frame?.data.length, framesDepot.length], [5, 144, 4]);
  // await frames_depot.clear_queue()
  await framesDepot.clearQueue();
  assertEquals([framesDepot.length, framesDepot.queueIsFull], [0, false]);
  // await frames_depot.close()      (it waited for its own lock for ever)
  await framesDepot.close();
  assertEquals(FramesDepot.list().filter(({ name }) => name === memoryName), []);
});

depotTest(
  "FramesDepot runs the seed's main program: a video put in and taken out frame by frame",
  async (memoryName) => {
    const framesDepot = await FramesDepot.create(memoryName, { frameSize: [2, 2, 1] });
    // mem = SharedMemory("frame_depot"): what another process sees
    await using other = await FramesDepot.open(memoryName);
    const bars = new Set<string>();
    for (let currentFrame = 0; currentFrame < 300; currentFrame++) {
      await framesDepot.enqueue({ frameNumber: currentFrame, frame: pixels(currentFrame) });
      using seen = other.peekFrame(currentFrame);
      using myFrame = framesDepot.getFrame(currentFrame);
      assertEquals([...myFrame!.data, ...seen!.data], [...pixels(currentFrame), ...pixels(currentFrame)]);
      bars.add("=".repeat(10 - framesDepot.length));
    }
    assertEquals([bars, framesDepot.droppedFrames], [new Set(["=========="]), 0]);
    await framesDepot.close();
  },
);

depotTest("enqueue leaves the array as it is, and keeps nothing of it", async (name) => {
  await using depot = await FramesDepot.create(name, SOUND);
  const frame = pixels(1);
  await depot.enqueue({ frameNumber: 1, frame });
  frame.fill(9);
  using stored = depot.getFrame(1)!;
  stored.data.fill(7);
  assertEquals([[...frame], [...stored.data]], [[...pixels(9)], [...pixels(7)]]);
});

depotTest("close may be called again, at once or later, without an error", async (name) => {
  const depot = await FramesDepot.create(name, SOUND);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  await Promise.all([depot.close(), depot.close()]);
  await depot.close();
  await depot[Symbol.asyncDispose]();
  assertEquals([depot.closed, leftovers().some((file) => file.endsWith(name))], [true, false]);
});

depotTest("close makes every method throw CLOSED, and leaves the plain properties readable", async (name) => {
  const depot = await FramesDepot.create(name, SOUND);
  await depot.close();
  const calls: (() => unknown)[] = [
    () => depot.enqueue({ frame: pixels(1) }),
    () => depot.tryEnqueue({ frame: pixels(1) }),
    () => depot.claim(),
    () => depot.tryClaim(),
    () => depot.getFrame(1),
    () => depot.peekFrame(1),
    () => depot.statusOf(1),
    () => depot.frames(),
    () => depot.readable(),
    () => depot.clearQueue(),
    () => depot.stats(),
  ];
  for (const call of calls) assertEquals(await errorOf(call), "CLOSED", String(call));
  assertEquals([depot.length, depot.queueIsFull, depot.droppedFrames, depot.closed], [0, false, 0, true]);
  assertEquals([depot.name, depot.maxSize, depot.frameSize, depot.frameBytes], [name, 2, [2, 2, 1], 4]);
});

depotTest("close while others wait: enqueue and claim are refused with CLOSED, loops end", async (name) => {
  const depot = await FramesDepot.create(name, { ...SOUND, maxSize: 1 });
  await using other = await FramesDepot.open(name);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  const slow = other.frames();
  slow.tryNext();
  const refused = [
    errorOf(() => depot.enqueue({ frameNumber: 2, frame: pixels(2) })),
    errorOf(() => depot.enqueue({ frameNumber: 3, frame: pixels(3) }, { timeoutMs: 60_000 })),
    errorOf(() => depot.claim({ signal: new AbortController().signal })),
  ];
  const loops = (["lossless", "lossy", "latest"] as const).map(async (mode) => {
    for await (const frame of depot.frames({ from: "next", mode })) return frame.frameNumber;
    return "ended";
  });
  const reader = depot.frames({ from: "next" });
  const next = reader.next();
  await later(30);
  await depot.close();
  assertEquals(await Promise.all(refused), ["CLOSED", "CLOSED", "CLOSED"]);
  assertEquals(await Promise.all(loops), ["ended", "ended", "ended"]);
  assertEquals([(await next).done, (await reader.next()).done, reader.tryNext()], [true, true, undefined]);
  // The other depot object goes on: nothing of what waited has been stored, and no reader holds it up.
  assertEquals([other.length, other.statusOf(2), other.stats().peers.length], [1, "pending", 1]);
  slow.release();
  assertEquals(other.tryEnqueue({ frameNumber: 4, frame: pixels(4) })?.state, "stored");
}, { watchdogMs: 20_000 });

depotTest("close ends a wait that has just begun, and one that is about to be woken", async (_, another) => {
  for (let round = 0; round < 20; round++) {
    const depot = await FramesDepot.create(another(), { ...SOUND, maxSize: 1 });
    await depot.enqueue({ frame: pixels(1) });
    const storing = errorOf(() => depot.enqueue({ frame: pixels(2) }));
    const reading = depot.frames({ from: "next", mode: "lossy" }).next();
    if (round % 2 === 1) await later(round % 5);
    if (round % 4 > 1) await depot.clearQueue();
    await depot.close();
    // Room was made just before: either result is right.
    assertEquals(["CLOSED", ...round % 4 > 1 ? [undefined] : []].includes(await storing as string), true);
    await reading;
  }
}, { watchdogMs: 20_000 });

const OTHERS: Partial<DepotOptions>[] = [
  { frameSize: [4, 2, 1], frameBytes: 4 },
  { frameSize: [2, 1, 1], frameBytes: 4 },
  { frameSize: [2, 2, 3], frameBytes: 4 },
  { frameBytes: 8 },
  { elementType: "float32" },
  { pixelFormat: "mono" },
  { pixelFormat: undefined },
  { maxSize: 3 },
  { whenFull: "drop" },
  { metadataBytes: 0 },
  { maxReaders: 8 },
];
const DIFFERS = [
  "frameSize",
  "frameSize",
  "frameSize",
  "frameBytes",
  "elementType",
  "pixelFormat",
  "pixelFormat",
  "maxSize",
];
DIFFERS.push("whenFull", "metadataBytes", "maxReaders");

depotTest("createOrOpen of a name with another geometry is INCOMPATIBLE and names what differs", async (name) => {
  await using depot = await FramesDepot.create(name, SOUND);
  for (const [i, other] of OTHERS.entries()) {
    const error = await assertRejects(() => FramesDepot.createOrOpen(name, { ...SOUND, ...other }), DepotError);
    assertEquals([error.code, error.depot], ["INCOMPATIBLE", name]);
    assertStringIncludes(error.message, `its ${DIFFERS[i]} is`);
  }
  // Callback and permissions belong to the depot object, not to the geometry.
  await using same = await FramesDepot.createOrOpen(name, { ...SOUND, mode: 0o640, onBackpressure: () => {} });
  assertEquals([same.maxSize, depot.stats().peers.length], [2, 2]);
});

depotTest("create of a name that a live process holds is EXISTS, whatever the geometry", async (name) => {
  await using depot = await FramesDepot.create(name, SOUND);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  for (const options of [SOUND, ...OTHERS.map((other) => ({ ...SOUND, ...other }))]) {
    const error = await assertRejects(() => FramesDepot.create(name, options), DepotError, name);
    assertEquals([error.code, error.depot], ["EXISTS", name]);
  }
  using frame = depot.getFrame(1)!;
  assertEquals([...frame.data], [...pixels(1)]);
});
