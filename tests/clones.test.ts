/**
 * Clones of a frame, and frames that outlive their loop and their reader.
 */
import { assertEquals } from "@std/assert";
import { type DepotOptions, type Frame, FramesDepot, type WhenFull } from "../mod.ts";
import { depotTest, errorOf } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(8).fill(value);

const make = (name: string, whenFull: WhenFull, options: Partial<DepotOptions> = {}) =>
  FramesDepot.create(name, { frameSize: [4, 2, 1], maxSize: 3, whenFull, ...options });

const put = async (depot: FramesDepot, frameNumber: number) =>
  (await depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { timeoutMs: 1000 })).state;

depotTest("frame.clone is a lease of its own, with views of its own, whichever ends first", async (name) => {
  await using depot = await make(name, "overwrite", { maxSize: 1, metadataBytes: 3 });
  for (const first of ["frame", "clone"] as const) {
    await depot.enqueue({ frameNumber: 1, frame: pixels(1), metadata: Uint8Array.of(7) });
    const frame = depot.peekFrame(1)!;
    const clone = frame.clone();
    const [early, late] = first === "frame" ? [frame, clone] : [clone, frame];
    const views = [early.data, early.metadata, early.data.subarray(1)];
    assertEquals([clone.frameNumber, clone.sequence, clone.lost], [1, frame.sequence, 0]);
    assertEquals([clone.timestampNs, clone.released], [frame.timestampNs, false]);
    early.release();
    assertEquals([views.map(({ length }) => length), [...late.data], [...late.metadata]], [[0, 0, 0], [...pixels(1)], [
      7,
    ]]);
    assertEquals(await put(depot, 2), "dropped");
    late.release();
    assertEquals(await put(depot, 2), "stored");
  }
});

depotTest("frame.clone outlives its loop, its reader, and the clone that it was made from", async (name) => {
  await using depot = await make(name, "overwrite");
  await using other = await FramesDepot.open(name);
  for (const n of [1, 2, 3]) await put(depot, n);
  const kept: Frame[] = [];
  for await (const frame of other.frames({ timeoutMs: 0 })) {
    const clone = frame.clone();
    kept.push(clone.clone());
    clone.release();
    if (frame.frameNumber === 2) break;
  }
  for (let n = 4; n < 30; n++) await put(depot, n);
  assertEquals(kept.map(({ data }) => [...data]), [[...pixels(1)], [...pixels(2)]]);
  const { readers } = other.stats().peers.find(({ self }) => self)!;
  assertEquals(readers.map(({ gating }) => gating), [false], "it holds no producer back, and keeps its place");
  for (const frame of kept) frame.release();
  assertEquals(other.stats().peers.flatMap(({ readers }) => readers), []);
});

depotTest("close releases clones, and frames whose reader has ended", async (name) => {
  await using maker = await make(name, "overwrite");
  for (const n of [1, 2, 3]) await put(maker, n);
  const depot = await FramesDepot.open(name);
  const reader = depot.frames();
  const clone = reader.tryNext()!.clone();
  const { data } = clone;
  reader.release();
  assertEquals([...data], [...pixels(1)]);
  await depot.close();
  assertEquals([clone.released, data.length], [true, 0]);
  clone.release();
});

depotTest("FrameReader that has ended counts against maxReaders until its last frame is released", async (name) => {
  await using depot = await make(name, "overwrite", { maxReaders: 1 });
  await put(depot, 1);
  const reader = depot.frames();
  const frame = reader.tryNext()!.clone();
  const last = frame.clone();
  reader.release();
  for (const held of [frame, last]) {
    assertEquals(await errorOf(() => depot.frames()), "TOO_MANY_PEERS");
    held.release();
  }
  depot.frames().release();
});

depotTest("FrameReader that has ended holds no producer back, although its frame is held", async (name) => {
  await using depot = await make(name, "wait");
  await using other = await FramesDepot.open(name);
  for (const n of [1, 2, 3]) await put(depot, n);
  await using behind = other.frames();
  await using reader = depot.frames();
  const frame = behind.tryNext()!.clone();
  for (let left = 3; left > 0; left--) reader.tryNext();
  assertEquals(depot.tryEnqueue({ frame: pixels(9) }), undefined);
  behind.release();
  for (let n = 4; n < 20; n++) {
    assertEquals([await put(depot, n), reader.tryNext()?.frameNumber], ["stored", n]);
    assertEquals([...frame.data], [...pixels(1)]);
  }
  frame.release();
});
