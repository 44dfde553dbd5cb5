/**
 * Depots whose frames have lengths of their own, up to `frameBytes`.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import type { Mapping } from "../ffi/mapping.ts";
import type { Segment } from "../ffi/segment.ts";
import { DepotError, type Frame, FramesDepot, type FrameSlot } from "../mod.ts";
import { layoutOf } from "../ring/geometry.ts";
import type { Header } from "../ring/header.ts";
import { SLOT } from "../ring/layout.ts";
import { inspect } from "../ring/segment.ts";
import { WAKE_WORDS } from "../ring/words.ts";
import { depotTest } from "./support/harness.ts";

const FRAME = 12;
const shape = { frameSize: [2, 2, 3], frameBytes: FRAME, variableLength: true, maxSize: 8 } as const;
const bytes = (length: number, value = length) => new Uint8Array(length).fill(value);

/** What is in a frame, looked at in every way. */
function content(frame: Frame | undefined): number[] {
  using held = frame!;
  const all = [...held.data];
  assertEquals([held.data.byteLength, [...held.copy()]], [held.byteLength, all]);
  const room = bytes(FRAME + 2, 99);
  assertEquals([...held.copyTo(room)], [...all, ...bytes(room.length - all.length, 99)]);
  return all;
}

/** A depot of varying length whose elements have two bytes. */
function elements(name: string): Promise<FramesDepot<"uint16">> {
  return FramesDepot.create(name, { ...shape, frameSize: [2, 3, 1], elementType: "uint16" });
}
/** What helps in a depot whose frames have one length. */
const REMEDY = "`create` takes `variableLength: true` for frames of any length up to that";

depotTest("enqueue stores a frame of any length up to frameBytes, which every reader sees", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, metadataBytes: 4 });
  await using other = await FramesDepot.open(name);
  assertEquals([depot.variableLength, other.variableLength, other.frameBytes], [true, true, FRAME]);
  const lengths = [FRAME, 0, 1, 7, FRAME];
  for (const [frameNumber, length] of lengths.entries()) {
    await depot.enqueue({ frameNumber, frame: bytes(length), metadata: bytes(2, 50 + frameNumber) });
  }
  const reader = other.frames();
  for (const [frameNumber, length] of lengths.entries()) {
    assertEquals(content(depot.peekFrame(frameNumber)), [...bytes(length)]);
    const frame = reader.tryNext()!;
    assertEquals([frame.byteLength, ...frame.metadata], [length, 50 + frameNumber, 50 + frameNumber]);
    assertEquals(content(frame), [...bytes(length)]);
    assertThrows(() => frame.byteLength, TypeError, "has been released");
  }
});

depotTest("enqueue takes whole elements, and says what is too long", async (name, another) => {
  await using two = await elements(name);
  await two.enqueue({ frameNumber: 1, frame: new Uint16Array([7, 8]) });
  await two.enqueue({ frameNumber: 2, frame: bytes(6) });
  assertEquals([...two.peekFrame(1)!.data], [7, 8]);
  assertEquals([two.peekFrame(2)!.data.length, two.peekFrame(2)!.byteLength], [3, 6]);
  await using whole = await FramesDepot.create(another(), { ...shape, variableLength: false });
  for (
    const [depot, length, message] of [
      [two, 5, "frame must have a multiple of 2 bytes, those of a uint16: 5"],
      [two, 14, "frame must have at most frameBytes, 12 bytes: 14; `create` takes a larger `frameBytes`"],
      [whole, 11, `frame must have 12 bytes (12 × uint8): 11; ${REMEDY}`],
    ] as const
  ) {
    const error = await assertRejects(() => depot.enqueue({ frame: bytes(length) }), RangeError);
    assertEquals([error.message, depot.stats().head], [message, depot.stats().stored]);
  }
});

depotTest("a depot without variableLength has frames of frameBytes", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, variableLength: undefined });
  depot.tryClaim({ frameNumber: 1 })!.publish();
  using frame = depot.peekFrame(1)!;
  assertEquals([depot.variableLength, frame.byteLength, frame.data.length], [false, FRAME, FRAME]);
});

depotTest("enqueue refuses a frame that shrinks while it waits", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "wait" });
  await depot.enqueue({ frame: bytes(3) });
  const frame = new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 }));
  const waiting = depot.enqueue({ frame });
  (frame.buffer as ArrayBuffer).resize(2);
  await depot.clearQueue();
  const error = await assertRejects(() => waiting, TypeError);
  assertEquals(error.message, "frame must not change while it waits: it has 0 bytes now");
});

depotTest("slot.publish says how long the frame is, otherwise it has frameBytes", async (name, another) => {
  await using depot = await FramesDepot.create(name, shape);
  for (const [frameNumber, byteLength] of [undefined, 5, 0, FRAME].entries()) {
    using slot = depot.tryClaim({ frameNumber })!;
    assertEquals(slot.data.length, FRAME);
    slot.data.fill(9);
    slot.publish({ byteLength });
    assertEquals(content(depot.peekFrame(frameNumber)), [...bytes(byteLength ?? FRAME, 9)]);
  }
  await using two = await elements(another());
  await using whole = await FramesDepot.create(another(), { ...shape, variableLength: false });
  for (
    const [depot, byteLength, Kind, message] of [
      [two, 5, RangeError, "the frame must have a multiple of 2 bytes, those of a uint16: 5"],
      [two, 13, RangeError, "byteLength must be a whole number from 0 to 12: 13"],
      [two, "5" as unknown as number, TypeError, 'byteLength must be a number: "5"'],
      [whole, 5, RangeError, `the frame must have 12 bytes (12 × uint8): 5; ${REMEDY}`],
    ] as const
  ) {
    const slot: FrameSlot = depot.tryClaim()!;
    assertEquals(assertThrows(() => slot.publish({ byteLength }), Kind).message, message);
    assertEquals(slot.released, false);
    slot.publish({ byteLength: FRAME });
  }
});

depotTest("slot.fillFrom takes what a source ends with as a shorter frame", async (name, another) => {
  await using depot = await FramesDepot.create(name, shape);
  const source = new Blob([bytes(FRAME + 5, 3)]).stream();
  for (const [frameNumber, length] of [FRAME, 5].entries()) {
    using slot = depot.tryClaim({ frameNumber })!;
    assertEquals(await slot.fillFrom(source), true);
    slot.publish();
    assertEquals(content(depot.peekFrame(frameNumber)), [...bytes(length, 3)]);
  }
  using slot = depot.tryClaim({ frameNumber: 9 })!;
  assertEquals(await slot.fillFrom(source), false);
  assertEquals(await slot.fillFrom(new Blob([bytes(4)]).stream()), true);
  assertEquals(
    await slot.fillFrom(new Blob([bytes(FRAME)]).stream()),
    true,
    "it goes on after the bytes that are there",
  );
  slot.publish();
  assertEquals(content(depot.peekFrame(9)), [...bytes(4), ...bytes(FRAME - 4, FRAME)]);

  await using two = await elements(another());
  using torn = two.tryClaim({ frameNumber: 1 })!;
  const error = await assertRejects(() => torn.fillFrom(new Blob([bytes(3)]).stream()), RangeError);
  assertEquals(error.message, "the source ended 3 bytes into a frame of uint16 elements");
  torn.publish({ byteLength: 2 });
  assertEquals(two.peekFrame(1)?.byteLength, 2, "what is said counts");
});

depotTest("depot.writeFrom takes what a source ends with as a shorter frame", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const video = new Blob([bytes(2 * FRAME + 1, 6)]).stream();
  assertEquals(await depot.writeFrom(video, { frameNumber: 0 }), 3);
  assertEquals([0, 1, 2].map((number) => content(depot.peekFrame(number)).length), [FRAME, FRAME, 1]);
  assertEquals(await depot.writeFrom(video), 0);
});

depotTest("a frame has no byte beyond frameBytes and no part of an element, whatever its slot says", async (name) => {
  await using depot = await elements(name);
  const segment = loadShim().open(name) as Segment;
  const { slotsOffset, payloadOffset } = layoutOf((inspect(name, segment, []) as Header).geometry);
  const tables = segment.map(payloadOffset, WAKE_WORDS) as Mapping;
  const words = new DataView(tables.view(0, payloadOffset));
  await depot.enqueue({ frameNumber: 1, frame: bytes(8) });
  for (const [said, taken] of [[8n, 8], [7n, 6], [13n, 12], [2n ** 32n, 12], [2n ** 64n - 1n, 12]] as const) {
    words.setBigUint64(slotsOffset + SLOT.byteLength, said, true);
    using frame = depot.peekFrame(1)!;
    assertEquals([frame.byteLength, frame.data.byteLength, frame.copy().byteLength], [taken, taken, taken]);
    using copy = frame.clone();
    assertEquals(copy.byteLength, taken);
  }
  (words.buffer as ArrayBuffer).transfer(0);
  tables.unmap();
  segment.close();
  assert(depot.peekFrame(1) !== undefined);
});

depotTest("createOrOpen tells a depot of one length from one of varying lengths", async (name) => {
  await using _ = await FramesDepot.create(name, shape);
  const other = () => FramesDepot.createOrOpen(name, { ...shape, variableLength: false });
  await assertRejects(
    other,
    DepotError,
    `cannot open depot "${name}": its variableLength is true, not false; producers`,
  );
});

depotTest(
  "publish after a filling that was given up has the bytes that were put in, and no older ones",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "overwrite" });
    depot.tryEnqueue({ frame: bytes(FRAME, 77) });
    using slot = depot.tryClaim()!;
    const abort = new AbortController();
    const source = (async function* () {
      yield bytes(3);
      abort.abort(new SyntaxError("on purpose"));
      yield bytes(3);
    })();
    await assertRejects(() => slot.fillFrom(source, { signal: abort.signal }), SyntaxError);
    slot.publish();
    const frame = depot.latest()!;
    assertEquals(frame.byteLength % 3, 0);
    assert(frame.data.every((value) => value === 3));
    frame.release();
  },
);
