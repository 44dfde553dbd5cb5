/**
 * Depots without history: the memory that was read last is written next. A reader of all frames sees no other change.
 */
import { assert, assertEquals } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import type { Mapping } from "../ffi/mapping.ts";
import type { Segment } from "../ffi/segment.ts";
import { type DepotOptions, type Frame, FramesDepot } from "../mod.ts";
import { HEADER } from "../ring/layout.ts";
import { WAKE_WORDS } from "../ring/words.ts";
import { depotTest } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);

const make = (name: string, options: Partial<DepotOptions> = {}) =>
  FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait", history: false, ...options });

/** Reads a frame and gives it back. */
function value(frame: Frame | undefined): number | undefined {
  using held = frame;
  return held?.data[0];
}

depotTest("without history what every lossless reader has passed is written again, and gone", async (name) => {
  await using depot = await make(name);
  const reader = depot.frames();
  for (let number = 0; number < 40; number++) {
    await depot.enqueue({ frameNumber: number, frame: pixels(number) });
    assertEquals(value(reader.tryNext()), number);
  }
  assertEquals([36, 37, 38, 39].map((number) => value(depot.peekFrame(number))), [undefined, undefined, undefined, 39]);
  assertEquals([0, 37, 38, 39, 40].map((number) => depot.statusOf(number)), [
    "evicted",
    "evicted",
    "evicted",
    "stored",
    "pending",
  ]);
});

depotTest("without history only the memory that was read last is written while a reader keeps up", async (name) => {
  await using depot = await make(name, { maxSize: 16, metadataBytes: 8 });
  const reader = depot.frames();
  const marks = new Set<number>();
  for (let number = 0; number < 200; number++) {
    {
      using slot = (await depot.claim({ frameNumber: number }))!;
      const mark = new DataView(slot.metadata.buffer, slot.metadata.byteOffset);
      // Memory that is written for the first time has no mark yet.
      if (mark.getUint32(0) === 0) mark.setUint32(0, number + 1);
      if (number >= 100) marks.add(mark.getUint32(0));
      slot.data.fill(number);
      slot.publish();
    }
    assertEquals(value(reader.tryNext()), number);
  }
  assert(marks.size <= 3, `${marks.size} places`);
});

depotTest("without history all slots are there for a reader that falls behind, in order", async (name) => {
  await using depot = await make(name);
  const reader = depot.frames();
  let next = 0;
  for (let number = 0, behind = 0; number < 200; number++) {
    await depot.enqueue({ frameNumber: number, frame: pixels(number) });
    if (++behind < 1 + number % 4) continue;
    for (; behind > 0; behind--) assertEquals(value(reader.tryNext()), next++);
  }
  while (next < 200) assertEquals(value(reader.tryNext()), next++);
  assertEquals(reader.tryNext(), undefined);
  for (let number = 200; number < 204; number++) {
    assert(depot.tryEnqueue({ frameNumber: number, frame: pixels(number) }));
  }
  assertEquals(depot.queueIsFull, true);
  assertEquals(depot.tryClaim(), undefined);
  for (let number = 200; number < 204; number++) assertEquals(value(reader.tryNext()), number & 255);
});

depotTest("without history a leased frame is not written again, even if every reader has passed it", async (name) => {
  await using depot = await make(name);
  await using other = await FramesDepot.open(name);
  const reader = depot.frames();
  await depot.enqueue({ frameNumber: 0, frame: pixels(7) });
  using held = other.peekFrame(0)!;
  const view = held.data;
  assertEquals(value(reader.tryNext()), 7);
  for (let number = 1; number < 40; number++) {
    await depot.enqueue({ frameNumber: number, frame: pixels(100 + number) });
    assertEquals(value(reader.tryNext()), 100 + number);
    assertEquals([...view], [7, 7, 7, 7]);
  }
});

depotTest("without history a lossy reader counts what it missed, and begins with what is there", async (name) => {
  await using depot = await make(name);
  const lossless = depot.frames();
  const lossy = depot.frames({ mode: "lossy" });
  let stored = 0;
  let read = 0;
  let lost = 0;
  for (let number = 0; number < 300; number++) {
    await depot.enqueue({ frameNumber: number, frame: pixels(number) });
    stored++;
    assertEquals(value(lossless.tryNext()), number & 255);
    if (number % 7 !== 0) continue;
    if (number % 3 === 0) depot.tryClaim()?.release(); // a number that is burned is not a frame missed
    for (let frame; (frame = lossy.tryNext()) !== undefined;) {
      assertEquals(frame.data[0], frame.frameNumber & 255);
      read++;
      lost += frame.lost;
    }
  }
  await depot.enqueue({ frameNumber: 300, frame: pixels(300) });
  stored++;
  for (let frame; (frame = lossy.tryNext()) !== undefined;) {
    read++;
    lost += frame.lost;
  }
  assertEquals(read + lost, stored);
  assert(lost > 0);
  const late = depot.frames({ mode: "lossy" });
  const first = late.tryNext();
  assertEquals([first?.frameNumber, first?.lost], [300, 0]);
});

depotTest("without history a damaged order of blocks has no effect once it is restored", async (name) => {
  await using depot = await make(name);
  const segment = loadShim().open(name) as Segment;
  const mapping = segment.map(HEADER.size, WAKE_WORDS) as Mapping;
  const words = new Uint32Array(mapping.view(0, HEADER.size));
  await depot.enqueue({ frameNumber: 0, frame: pixels(0) });
  const order = words[HEADER.order >> 2];
  for (const wrong of [0xffff_ffff, 0x7654_3201]) {
    const held = depot.peekFrame(0)!;
    assertEquals(held.data[0], 0);
    words[HEADER.order >> 2] = wrong;
    held.release();
    words[HEADER.order >> 2] = order;
  }
  words[HEADER.order >> 2] = 0xffff_ffff;
  assertEquals(value(depot.peekFrame(0)), 0); // no block has such a number: the slot's own is taken
  words[HEADER.order >> 2] = order;
  const reader = depot.frames();
  assertEquals(value(reader.tryNext()), 0);
  for (let number = 1; number < 41; number += 4) {
    const four = [number, number + 1, number + 2, number + 3];
    for (const frameNumber of four) await depot.enqueue({ frameNumber, frame: pixels(frameNumber) });
    assertEquals(four.map(() => value(reader.tryNext())), four);
  }
  (words.buffer as ArrayBuffer).transfer(0);
  mapping.unmap();
  segment.close();
});

depotTest("without history is the depot's, for every process, and needs few slots", async (name) => {
  await using depot = await make(name, { maxSize: 16 });
  assertEquals([depot.history, FramesDepot.inspect(name)?.history], [false, false]);
  for (
    const [options, Kind, message] of [
      [{ maxSize: 17 }, RangeError, "maxSize must be at most 16 without history: 17"],
      [{ history: 0 as unknown as boolean }, TypeError, "history must be true or false: 0"],
    ] as const
  ) {
    let error: unknown;
    await make(`${name}-x`, options).catch((thrown) => error = thrown);
    assert(error instanceof Kind, String(error));
    assertEquals(error.message, message);
  }
  let code: unknown;
  await FramesDepot.createOrOpen(name, { frameSize: [2, 2, 1], maxSize: 16, whenFull: "wait" })
    .catch((error) => code = error.code);
  assertEquals(code, "INCOMPATIBLE");
  assertEquals(depot.length, 0);
});
