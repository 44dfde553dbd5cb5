/**
 * Raw bytes into frames: whatever the source, its pieces and its end, `slot.fillFrom` and `depot.writeFrom` lose no
 * byte and take none twice.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ByteSource, FramesDepot } from "../mod.ts";
import { FRAME, framesIn, framesOf, shape } from "./support/filling_scene.ts";
import { depotTest } from "./support/harness.ts";
import { cut, pattern, SOURCES } from "./support/sources.ts";

/** Fills slot after slot, until the source ends. */
async function fillAll(depot: FramesDepot, source: ByteSource): Promise<number> {
  for (let filled = 0;; filled++) {
    using slot = depot.tryClaim()!;
    if (!await slot.fillFrom(source)) return filled;
    slot.publish();
  }
}

const WAYS = {
  "slot.fillFrom": fillAll,
  "depot.writeFrom": (depot: FramesDepot, source: ByteSource) => depot.writeFrom(source),
};

/** Sizes of pieces for frames of 12 bytes: every small size, and mixtures. */
const PIECES = [...Array.from({ length: 30 }, (_, n) => [n + 1]), [1, 23, 5], [12, 1, 11], [40, 3], [100]];

for (const [way, run] of Object.entries(WAYS)) {
  for (const [kind, open] of Object.entries(SOURCES)) {
    depotTest(`${way} puts frames together from pieces of any size: ${kind}`, async (_, another) => {
      for (const sizes of PIECES) {
        await using depot = await FramesDepot.create(another(), shape);
        const all = pattern(5 * FRAME, sizes[0]);
        const { source, close } = await open(cut(all, sizes), all);
        try {
          assertEquals(await run(depot, source), 5, `pieces of ${sizes}`);
          assertEquals(framesIn(depot), framesOf(all), `pieces of ${sizes}`);
          assertEquals(await run(depot, source), 0, "a source that has ended stays at its end");
        } finally {
          await close?.();
        }
      }
    });
  }

  depotTest(`${way} takes frames larger than any piece, of every element type`, async (_, another) => {
    for (const elementType of ["uint8", "uint16", "float32"] as const) {
      await using depot = await FramesDepot.create(another(), { frameSize: [311, 97, 3], elementType, maxSize: 4 });
      const all = pattern(3 * depot.frameBytes);
      const { source } = await SOURCES["a stream"](cut(all, [65_537, 3, 8191]), all);
      assertEquals(await run(depot, source), 3);
      const frames = framesIn(depot);
      for (const [n, frame] of framesOf(all, depot.frameBytes).entries()) {
        assert(frames[n].every((byte, at) => byte === frame[at]), `frame ${n} of ${elementType}`);
      }
    }
  });
}

// How a source ends.

depotTest(
  "slot.fillFrom returns false at a clean end, with nothing filled and the slot still in hand",
  async (name) => {
    await using depot = await FramesDepot.create(name, shape);
    const slot = depot.tryClaim()!;
    slot.data.fill(77);
    assertEquals(await slot.fillFrom(new Blob([]).stream()), false);
    assertEquals([slot.released, [...slot.data]], [false, Array(FRAME).fill(77)]);
    assertEquals(await slot.fillFrom(new Blob([pattern(FRAME)]).stream()), true);
    slot.publish({ frameNumber: 5 });
    assertEquals(framesIn(depot), [[...pattern(FRAME)]]);
  },
);

depotTest(
  "slot.fillFrom throws where the source ends within a frame, and goes on from another source",
  async (name) => {
    await using depot = await FramesDepot.create(name, shape);
    const slot = depot.tryClaim()!;
    const all = pattern(FRAME);
    const error = await assertRejects(() => slot.fillFrom(new Blob([all.subarray(0, 5)]).stream()), RangeError);
    assertEquals(error.message, "the source ended 5 bytes into a frame of 12");
    assertEquals(await slot.fillFrom(new Blob([all.subarray(5)]).stream()), true);
    slot.publish();
    assertEquals(framesIn(depot), [[...all]]);
  },
);

depotTest("depot.writeFrom throws where the source ends within a frame, after storing the whole ones", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const source = new Blob([pattern(FRAME * 2 + 7)]).stream();
  const error = await assertRejects(() => depot.writeFrom(source), RangeError);
  assertEquals(error.message, "the source ended 7 bytes into a frame of 12");
  assertEquals(framesIn(depot), framesOf(pattern(FRAME * 2)));
  await assertRejects(() => depot.writeFrom(source), RangeError, "7 bytes");
});

depotTest("slot.fillFrom keeps bytes beyond the frame for the next fillFrom or writeFrom", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const all = pattern(FRAME * 4);
  const source = new Blob([all]).stream(); // in one piece
  using slot = depot.tryClaim()!;
  assertEquals(await slot.fillFrom(source), true);
  assertEquals(await slot.fillFrom(source), true, "a slot that is full takes no more");
  slot.publish();
  assertEquals(await depot.writeFrom(source), 3);
  assertEquals(framesIn(depot), framesOf(all));
});

depotTest("slot.fillFrom combines with slot.data, metadata and the details of publish", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, metadataBytes: 4 });
  const slot = depot.tryClaim({ frameNumber: 1, timestampNs: 5 })!;
  const { data } = slot;
  await slot.fillFrom(new Blob([pattern(FRAME)]).stream());
  assertEquals([...data], [...pattern(FRAME)]);
  data[0] = 200;
  slot.metadata.set([1, 2, 3, 4]);
  slot.publish({ timestampNs: 6 });
  using frame = depot.peekFrame(1)!;
  const values = [frame.data[0], frame.data[1], [...frame.metadata], frame.timestampNs];
  assertEquals(values, [200, 7, [1, 2, 3, 4], 6n]);
});
