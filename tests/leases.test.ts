/**
 * Leases: a frame stays whole under every policy until it is released or its depot object is closed, and holds no
 * producer up for longer than it must; when it ends its views are empty. Leases that are never ended are in
 * `forgotten.test.ts`, clones in `clones.test.ts`, buffers that were moved away or are in use in
 * `lent_buffers.test.ts`.
 */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { type DepotOptions, type Frame, FramesDepot, type WhenFull } from "../mod.ts";
import process from "node:process";
import { depotTest, errorOf, HERE } from "./support/harness.ts";

const POLICIES: WhenFull[] = ["drop", "wait", "overwrite"];
const pixels = (value: number) => new Uint8Array(8).fill(value);

const make = (name: string, whenFull: WhenFull, options: Partial<DepotOptions> = {}) =>
  FramesDepot.create(name, { frameSize: [4, 2, 1], maxSize: 3, whenFull, ...options });

const put = async (depot: FramesDepot, frameNumber: number) =>
  (await depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { timeoutMs: 1000 })).state;

/** Every kind of view of a frame. */
function viewsOf(frame: Frame): ArrayBufferView[] {
  const { data, metadata } = frame;
  return [data, data.subarray(1, 3), metadata, new DataView(data.buffer, 2), new Uint16Array(data.buffer, 0, 2)];
}

const lengths = (views: ArrayBufferView[]) => views.map(({ buffer }) => buffer.byteLength);

depotTest("frame.release detaches every view, and a second call does nothing", async (name) => {
  await using depot = await make(name, "drop", { metadataBytes: 3 });
  for (const end of ["release", Symbol.dispose] as const) {
    await depot.enqueue({ frameNumber: 1, frame: pixels(5), metadata: Uint8Array.of(1, 2) });
    const frame = depot.getFrame(1)!;
    const views = viewsOf(frame);
    assertEquals([views[1].byteLength, views[2].byteLength, frame.released], [2, 2, false]);
    frame[end]();
    frame.release();
    assertEquals(lengths(views), [0, 0, 0, 0, 0]);
    assertEquals([frame.released, frame.frameNumber, frame.width, frame.sequence >= 0], [true, 1, 4, true]);
  }
});

/** All that a frame refuses once it is released. */
const AFTER_RELEASE: Record<string, (frame: Frame) => unknown> = {
  "data": (frame) => frame.data,
  "metadata": (frame) => frame.metadata,
  "copy": (frame) => frame.copy(),
  "copyTo": (frame) => frame.copyTo(new Uint8Array(8)),
  "clone": (frame) => frame.clone(),
};

for (const [what, use] of Object.entries(AFTER_RELEASE)) {
  depotTest(`frame.${what} throws a TypeError that says that the frame has been released`, async (name) => {
    await using depot = await make(name, "drop", { metadataBytes: 3 });
    for (const n of [1, 2, 3]) await put(depot, n);
    const [untouched, touched] = [depot.peekFrame(1)!, depot.peekFrame(1)!];
    assertEquals(touched.data.length, 8);
    for (const frame of [untouched, touched]) {
      frame.release();
      assertThrows(() => use(frame), TypeError, "frame 1 has been released");
    }
    await using reader = depot.frames();
    const first = reader.tryNext()!;
    reader.tryNext();
    const message = "frame 1 has been released: a loop releases each frame when it asks for the next one; clone()";
    assertThrows(() => use(first), TypeError, message);
  });
}

depotTest("frame.data and metadata are always the same views while the frame is leased", async (name) => {
  await using depot = await make(name, "drop", { metadataBytes: 3 });
  await put(depot, 1);
  using frame = depot.peekFrame(1)!;
  assertEquals([frame.data === frame.data, frame.metadata === frame.metadata], [true, true]);
  assertEquals(frame.data.buffer === frame.metadata.buffer, true);
});

depotTest("frame ends with its `using` scope", async (name) => {
  await using depot = await make(name, "drop");
  await put(depot, 1);
  let view: Frame["data"];
  {
    using frame = depot.peekFrame(1);
    view = frame!.data;
    assertEquals(view.length, 8);
  }
  assertEquals(view.length, 0);
});

depotTest("frame is leased as often as it is asked for: each lease ends alone", async (name) => {
  await using depot = await make(name, "overwrite", { maxSize: 1 });
  await put(depot, 1);
  const [one, two] = [depot.peekFrame(1)!, depot.peekFrame(1)!];
  const [first, second] = [one.data, two.data];
  one.release();
  assertEquals([first.length, [...second]], [0, [...pixels(1)]]);
  assertEquals(await put(depot, 2), "dropped");
  two.release();
  assertEquals([second.length, await put(depot, 2)], [0, "stored"]);
});

depotTest("close detaches every view of every frame of the depot object, and of no other", async (name) => {
  const depot = await make(name, "drop");
  await using other = await FramesDepot.open(name);
  for (const n of [1, 2, 3]) await put(depot, n);
  const mine = depot.frames();
  const frames = [depot.peekFrame(1)!, depot.peekFrame(2)!, mine.tryNext()!];
  const views = frames.flatMap(viewsOf);
  using theirs = other.peekFrame(1)!;
  await depot.close();
  assertEquals(new Set(lengths(views)), new Set([0]));
  assertEquals([frames.every(({ released }) => released), mine.released], [true, true]);
  assertEquals([...theirs.data], [...pixels(1)]);
  frames[0].release();
});

depotTest("frame.copy and copyTo give the elements in memory of one's own", async (name, another) => {
  await using depot = await make(name, "drop", { elementType: "uint16" });
  const values = Uint16Array.from([1, 2, 300, 65_535, 5, 6, 7, 8]);
  await depot.enqueue({ frameNumber: 1, frame: values });
  const frame = depot.getFrame(1)!;
  const own = frame.copy();
  const same = frame.copyTo(new Uint16Array(10));
  const bytes = frame.copyTo(new Uint8Array(16));
  assertThrows(() => frame.copyTo(new Uint16Array(7)), RangeError, "16 bytes");
  assertThrows(() => frame.copyTo(new Uint8Array(15)), RangeError, "15");
  assertThrows(() => frame.copyTo(new Float32Array(8)), TypeError, "Uint16Array or a Uint8Array");
  assertNotEquals(own.buffer, frame.data.buffer);
  frame.release();
  assert(own instanceof Uint16Array);
  assertEquals([[...own], [...same]], [[...values], [...values, 0, 0]]);
  assertEquals([...bytes], [...new Uint8Array(values.buffer)]);
  assertEquals(await errorOf(() => frame.copy()), "TypeError");
  assertEquals(await errorOf(() => frame.copyTo(bytes)), "TypeError");
  assertThrows(() => frame.copy(), TypeError, "frame 1 has been released");
  // A frame goes into another depot without a copy between.
  await using other = await make(another(), "drop", { elementType: "uint16" });
  await depot.enqueue({ frameNumber: 2, frame: values });
  using from = depot.getFrame(2)!;
  await other.enqueue({ frameNumber: 2, frame: from.data });
  using there = other.getFrame(2)!;
  assertEquals([...there.data], [...values]);
});

for (const whenFull of POLICIES) {
  for (const holder of ["peekFrame", "lossy"] as const) {
    depotTest(
      `frame held by ${holder} is never overwritten and stops no producer: its slot is passed over, ${whenFull}`,
      async (name) => {
        await using depot = await make(name, whenFull);
        await using other = await FramesDepot.open(name);
        await put(depot, 1);
        await using lossy = other.frames({ mode: "lossy" });
        using held = holder === "lossy" ? lossy.tryNext()! : other.peekFrame(1)!;
        const { data } = held;
        // A lossless reader that keeps up: for it there is always room.
        await using reader = depot.frames();
        let last = reader.tryNext()!.frameNumber;
        const laps = 30;
        for (let n = 2; n < laps; n++) {
          assertEquals(await put(depot, n), "stored", `frame ${n}`);
          const frame = reader.tryNext()!;
          assertEquals([frame.frameNumber, [...frame.data], [...data]], [n, [...pixels(n)], [...pixels(1)]]);
          last = frame.frameNumber;
        }
        assertEquals([last, depot.stats().skipped >= 10, depot.droppedFrames], [laps - 1, true, 0]);
        held.release();
        const { skipped } = depot.stats();
        for (let n = 0; n < 6; n++) {
          await put(depot, n);
          reader.tryNext();
        }
        assertEquals(depot.stats().skipped, skipped);
      },
    );
  }

  depotTest(`frame held by a lossless reader stays whole whatever the producer does, ${whenFull}`, async (name) => {
    await using depot = await make(name, whenFull);
    await using reader = depot.frames();
    await put(depot, 1);
    const held = reader.tryNext()!;
    const { data } = held;
    for (let n = 2; n < 20; n++) depot.tryEnqueue({ frameNumber: n, frame: pixels(n) });
    assertEquals([[...data], depot.queueIsFull], [[...pixels(1)], whenFull !== "overwrite"]);
    assertEquals(depot.stats().stored, whenFull === "overwrite" ? 19 : 3);
  });
}

depotTest("frames that hold every slot make a depot that overwrites refuse, and say so", async (name) => {
  let told = 0;
  await using depot = await make(name, "overwrite", { onBackpressure: () => void told++ });
  for (const n of [1, 2, 3]) await put(depot, n);
  const held = [1, 2, 3].map((n) => depot.peekFrame(n)!);
  const { head } = depot.stats();
  assertEquals([await put(depot, 4), depot.tryClaim(), told, depot.droppedFrames], ["dropped", undefined, 1, 1]);
  assertEquals(depot.stats().head, head, "no number is burned");
  held[1].release();
  assertEquals([await put(depot, 5), [...held[0].data], [...held[2].data]], ["stored", [...pixels(1)], [...pixels(3)]]);
  for (const frame of held) frame.release();
});

depotTest("frames that hold every slot make a depot that waits wait, until one is released", async (name) => {
  await using depot = await make(name, "wait");
  await using reader = await FramesDepot.open(name);
  for (const n of [1, 2, 3]) await put(depot, n);
  const held = [1, 2, 3].map((n) => reader.peekFrame(n)!);
  await depot.clearQueue();
  const early = await depot.enqueue({ frameNumber: 4, frame: pixels(4) }, { timeoutMs: 20 });
  const storing = put(depot, 5);
  held[2].release();
  assertEquals([early.state, await storing, [...held[0].data]], ["timeout", "stored", [...pixels(1)]]);
  for (const frame of held) frame.release();
});

depotTest(
  "frame's data can be stored again, also while it waits for room; once released it is refused",
  async (name) => {
    await using depot = await make(name, "wait", { maxSize: 2 });
    await using reader = depot.frames();
    for (const n of [1, 2]) await put(depot, n);
    const [frame, early] = [depot.peekFrame(2)!, depot.peekFrame(2)!];
    const storing = depot.enqueue({ frameNumber: 3, frame: frame.data }, { timeoutMs: 5000 });
    const refused = errorOf(() => depot.enqueue({ frameNumber: 4, frame: early.data }, { timeoutMs: 5000 }));
    early.release();
    for (let left = 2; left > 0; left--) assertEquals(reader.tryNext()?.released, false);
    const after = (await reader.next()).value!;
    assertEquals([(await storing).state, after.frameNumber, [...after.data]], ["stored", 3, [...pixels(2)]]);
    frame.release();
    after.release();
    assertEquals(await refused, "TypeError");
  },
);

if (HERE === "bun") {
  depotTest(
    "views of large frames in Bun come with ballast, as much as the environment says, until close",
    async (name, another) => {
      const module = "bun:jsc"; // through a variable: Deno does not know it
      const { heapStats } = await import(module) as { heapStats(): { extraMemorySize: number } };
      const inUse = () => {
        (globalThis as unknown as { Bun: { gc(force: boolean): void } }).Bun.gc(true);
        return heapStats().extraMemorySize;
      };
      const before = inUse();
      const grown = () => inUse() - before;
      process.env.FRAMES_DEPOT_BALLAST_MB = "300";
      try {
        const depot = await FramesDepot.create(name, { frameSize: [640, 480, 1], maxSize: 3 });
        await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(640 * 480) });
        assert(grown() < 100e6, `${grown()} without a view`);
        using frame = depot.peekFrame(1);
        assertEquals(frame?.data.length, 640 * 480);
        assert(grown() > 250e6 && grown() < 350e6, `${grown()} with a view`);
        const other = await FramesDepot.create(another(), { frameSize: [900, 1000, 3], maxSize: 7 });
        other.tryClaim()!.data.fill(1);
        assert(grown() < 350e6, `${grown()} with another depot, whose slots count`);
        await depot.close();
        other.tryClaim()!.data.fill(1);
        assert(grown() > 250e6 && grown() < 350e6, `${grown()} when the first one has gone`);
        await other.close();
        assert(grown() < 100e6, `${grown()} after close`);
      } finally {
        delete process.env.FRAMES_DEPOT_BALLAST_MB;
      }
    },
  );
}

depotTest(
  "frame.copyTo takes parts of buffers, shared and resizable ones, and refuses what has been detached",
  async (name) => {
    await using depot = await make(name, "drop", { elementType: "uint16" });
    const values = Uint16Array.from([1, 2, 300, 65_535, 5, 6, 7, 8]);
    await depot.enqueue({ frameNumber: 1, frame: values });
    using frame = depot.getFrame(1)!;
    const buffers = [new ArrayBuffer(32), new SharedArrayBuffer(32), new ArrayBuffer(32, { maxByteLength: 64 })];
    for (const buffer of buffers) {
      frame.copyTo(new Uint8Array(buffer as ArrayBuffer, 6, 20));
      const all = new Uint16Array(buffer);
      assertEquals([...all], [0, 0, 0, ...values, 0, 0, 0, 0, 0]);
    }
    const gone = new Uint8Array(16);
    gone.buffer.transfer();
    assertThrows(() => frame.copyTo(gone), RangeError, "16 bytes");
    frame.copyTo(frame.data); // onto itself: as it was
    assertEquals([...frame.data], [...values]);
  },
);
