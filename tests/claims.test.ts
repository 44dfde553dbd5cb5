/**
 * Zero copy: slots claimed, written in place, published or given back.
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type DepotOptions, FramesDepot, type FrameSlot, type WhenFull } from "../mod.ts";
import { depotTest, errorOf } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);

const make = (name: string, whenFull: WhenFull, options: Partial<DepotOptions> = {}) =>
  FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 3, whenFull, ...options });

async function drain(depot: FramesDepot): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for await (const frame of depot.frames({ timeoutMs: 0 })) found.push([frame.frameNumber, frame.data[0]]);
  return found;
}

depotTest("tryClaim gives a slot over shared memory: no reader sees it before publish", async (name) => {
  await using depot = await make(name, "drop");
  await using other = await FramesDepot.open(name);
  using slot = depot.tryClaim({ frameNumber: 8 })!;
  assertEquals([slot.frameNumber, slot.sequence, slot.released, slot.data.length], [8, 0, false, 4]);
  slot.data.set([1, 2, 3, 4]);
  assertEquals([other.peekFrame(8), other.statusOf(8)], [undefined, "pending"]);
  slot.publish();
  using frame = other.getFrame(8)!;
  assertEquals([[...frame.data], frame.sequence], [[1, 2, 3, 4], 0]);
});

depotTest("publish detaches every view of the slot, and so does giving it back", async (name) => {
  await using depot = await make(name, "drop", { metadataBytes: 4 });
  for (const end of ["publish", "release", Symbol.dispose] as const) {
    const slot = depot.tryClaim()!;
    const views = [slot.data, slot.data.subarray(1, 3), slot.metadata, new DataView(slot.data.buffer)];
    slot[end]();
    assertEquals(views.map((view) => view.buffer.byteLength), [0, 0, 0, 0], String(end));
    assertEquals([slot.released, slot.data.length, slot.metadata.length], [true, 0, 0]);
    slot.release();
    assertThrows(() => slot.publish(), TypeError, `slot ${slot.sequence} has been published or given back`);
  }
  assertEquals(depot.stats().stored, 1);
});

/** What a getter of the details does to its own slot, and what is there afterwards. */
const ENDS: Record<string, { end: (slot: FrameSlot, depot: FramesDepot) => unknown; stored: number; skipped: number }> =
  {
    "gives the slot back": { end: (slot) => slot.release(), stored: 0, skipped: 1 },
    "publishes the slot": { end: (slot) => slot.publish({ frameNumber: 6 }), stored: 1, skipped: 0 },
  };

for (const [what, { end, stored, skipped }] of Object.entries(ENDS)) {
  for (const looks of [true, false]) {
    depotTest(
      `publish is refused when a getter of its details ${what}, ${looks ? "" : "not "}looked at before`,
      async (name) => {
        await using depot = await make(name, "drop", { metadataBytes: 4 });
        await using reader = depot.frames();
        const slot = depot.tryClaim()!;
        if (looks) slot.data.fill(1);
        const details = {
          get frameNumber() {
            end(slot, depot);
            return 77;
          },
          metadata: Uint8Array.of(9),
        };
        assertThrows(() => slot.publish(details), TypeError, "slot 0 has been published or given back");
        const stats = depot.stats();
        assertEquals([stats.stored, stats.skipped, depot.statusOf(77)], [stored, skipped, "pending"]);
        await depot.enqueue({ frameNumber: 7, frame: pixels(7) });
        const numbers: number[] = [];
        for (let frame; (frame = reader.tryNext()) !== undefined;) numbers.push(frame.frameNumber);
        assertEquals(numbers, stored === 1 ? [6, 7] : [7]);
      },
    );
  }
}

depotTest("publish goes through when a getter of its details begins to close the depot object", async (name) => {
  const depot = await make(name, "drop");
  await using other = await FramesDepot.open(name);
  const slot = depot.tryClaim()!;
  slot.data.fill(5);
  let closing: Promise<void> | undefined;
  slot.publish({
    get frameNumber() {
      closing = depot.close();
      return 5;
    },
  });
  await closing;
  using frame = other.peekFrame(5)!;
  assertEquals([...frame.data], [...pixels(5)]);
});

depotTest(
  "enqueue and claim are refused and store nothing when a getter of their options closes the depot object",
  async (name) => {
    const details = (depot: FramesDepot) => ({
      get timestampNs() {
        depot.close();
        return undefined;
      },
    });
    const input = (depot: FramesDepot) => Object.assign(details(depot), { frame: pixels(1) });
    await using other = await make(name, "drop");
    const uses: ((depot: FramesDepot) => unknown)[] = [
      (depot) => depot.enqueue(input(depot)),
      (depot) => depot.tryEnqueue(input(depot)),
      (depot) => depot.claim(details(depot)),
      (depot) => depot.tryClaim(details(depot)),
    ];
    for (const use of uses) {
      await using depot = await FramesDepot.open(name);
      assertEquals(await errorOf(() => use(depot)), "CLOSED");
    }
    assertEquals([other.stats().head, other.length], [0, 0]);
  },
);

depotTest("enqueue counts the bytes that an array has, not those that its class claims", async (name) => {
  await using depot = await make(name, "drop");
  class Boastful extends Uint8Array {
    override get length() {
      return 4;
    }
    override get byteLength() {
      return 4;
    }
  }
  assertEquals(await errorOf(() => depot.enqueue({ frame: new Boastful(new ArrayBuffer(2)) })), "RangeError");
  assertEquals(depot.stats().head, 0);
  await depot.enqueue({ frameNumber: 1, frame: new Boastful(pixels(1).buffer) });
  using frame = depot.peekFrame(1)!;
  assertEquals([...frame.data], [...pixels(1)]);
});

depotTest("publish takes the details given to claim, unless it is given its own", async (name) => {
  await using depot = await make(name, "overwrite", { metadataBytes: 4 });
  const claimed = { frameNumber: 5, timestampNs: 7n, metadata: Uint8Array.of(1, 2) };
  depot.tryClaim(claimed)!.publish();
  depot.tryClaim(claimed)!.publish({ frameNumber: 6, timestampNs: 8, metadata: Uint8Array.of(3) });
  depot.tryClaim()!.publish();
  const found = [5, 6, 2].map((n) => {
    using frame = depot.peekFrame(n)!;
    return [frame.frameNumber, frame.timestampNs > 100n ? "now" : Number(frame.timestampNs), [...frame.metadata]];
  });
  assertEquals(found, [[5, 7, [1, 2]], [6, 8, [3]], [2, "now", []]]);
});

depotTest("publish sends metadata that was written in place", async (name) => {
  await using depot = await make(name, "drop", { metadataBytes: 4 });
  const slot = depot.tryClaim({ frameNumber: 1 })!;
  slot.metadata.set([4, 3, 2, 1]);
  slot.data.fill(9);
  slot.publish();
  using frame = depot.getFrame(1)!;
  assertEquals([[...frame.metadata], [...frame.data]], [[4, 3, 2, 1], [9, 9, 9, 9]]);
});

depotTest(
  "tryClaim at the end of a scope gives the slot back: its number is burned and readers go on",
  async (name) => {
    await using depot = await make(name, "wait");
    await using reader = depot.frames({ timeoutMs: 5000 });
    {
      using slot = depot.tryClaim({ frameNumber: 1 });
      slot!.data.fill(1);
    }
    await depot.enqueue({ frameNumber: 2, frame: pixels(2) });
    const { value } = await reader.next();
    assertEquals([value!.frameNumber, value!.sequence, value!.lost, depot.stats().skipped], [2, 1, 0, 1]);
  },
);

depotTest(
  "tryClaim returns undefined when there is no room, and claim follows the depot's policy",
  async (name, another) => {
    await using drop = await make(name, "drop", { maxSize: 1 });
    await using wait = await make(another(), "wait", { maxSize: 1 });
    await using overwrite = await make(another(), "overwrite", { maxSize: 1 });
    for (const depot of [drop, wait, overwrite]) await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
    assertEquals([drop.tryClaim(), drop.droppedFrames, wait.tryClaim()], [undefined, 0, undefined]);
    assertEquals([await drop.claim(), drop.droppedFrames], [undefined, 1]);
    assertEquals([await wait.claim({ timeoutMs: 5 }), wait.droppedFrames], [undefined, 0]);
    assertEquals(overwrite.statusOf(1), "stored");
    using over = overwrite.tryClaim();
    assertEquals([over?.sequence, overwrite.statusOf(1)], [1, "evicted"]);
    const claiming = wait.claim({ frameNumber: 3 });
    wait.getFrame(1)?.release();
    using slot = await claiming;
    assertEquals([slot?.frameNumber, slot?.data.length], [3, 4]);
  },
);

for (const whenFull of ["drop", "wait"] as const) {
  depotTest(`tryClaim and release over and over do not fill a depot without readers, ${whenFull}`, async (name) => {
    await using depot = await make(name, whenFull);
    for (let round = 0; round < 1000; round++) {
      const slot = depot.tryClaim();
      assertEquals(slot !== undefined, true, `round ${round}`);
      slot!.release();
    }
    assertEquals(depot.queueIsFull, false);
    for (const n of [1, 2, 3]) {
      assertEquals((await depot.enqueue({ frameNumber: n, frame: pixels(n) }, { timeoutMs: 0 })).state, "stored");
    }
    assertEquals(await drain(depot), [[1, 1], [2, 2], [3, 3]]);
  });
}

depotTest("tryClaim holds several slots at once; readers see them in the order of claiming", async (name) => {
  await using depot = await make(name, "drop");
  const slots = [1, 2, 3].map((frameNumber) => depot.tryClaim({ frameNumber })!);
  assertEquals(depot.tryClaim(), undefined);
  for (const slot of slots.toReversed()) {
    slot.data.fill(slot.frameNumber * 10);
    assertEquals((await Array.fromAsync(depot.frames({ timeoutMs: 0 }))).length, 0);
    slot.publish();
  }
  assertEquals(await drain(depot), [[1, 10], [2, 20], [3, 30]]);
});

depotTest("claim returns its slot as soon as there is room, whatever becomes of onBackpressure", async (name) => {
  let fail = (_: Error) => {};
  const answer = new Promise<void>((_, reject) => fail = reject);
  await using depot = await make(name, "wait", { maxSize: 1, onBackpressure: () => answer });
  await using reader = depot.frames({ timeoutMs: 10_000 });
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  const claiming = depot.claim({ frameNumber: 2 });
  (await reader.next()).value?.release();
  reader.tryNext(); // passes the frame: there is room
  const slot = (await claiming)!;
  const printed: [string, Error][] = [];
  const { error } = console;
  console.error = (text: string, error: Error) => void printed.push([text, error]);
  try {
    fail(new SyntaxError("on purpose"));
    await new Promise((resolve) => setTimeout(resolve, 1));
  } finally {
    console.error = error;
  }
  assertEquals(printed.map(([text, { message }]) => [text, message]), [
    [`frames-depot: onBackpressure of depot "${name}" failed after its wait was over:`, "on purpose"],
  ]);
  slot.data.fill(20);
  slot.publish();
  assertEquals((await reader.next()).value?.frameNumber, 2);
});

depotTest("close gives claimed slots back and detaches their views", async (name) => {
  const depot = await make(name, "drop");
  await using other = await FramesDepot.open(name);
  const slot = depot.tryClaim({ frameNumber: 1 })!;
  const view = slot.data;
  await depot.close();
  assertEquals([slot.released, view.length, slot.data.length], [true, 0, 0]);
  assertEquals(await errorOf(() => slot.publish()), "TypeError");
  assertEquals(await errorOf(() => depot.claim()), "CLOSED");
  assertEquals(await errorOf(() => depot.tryClaim()), "CLOSED");
  assertEquals([other.tryEnqueue({ frameNumber: 2, frame: pixels(2) })?.state, await drain(other)], [
    "stored",
    [[2, 2]],
  ]);
});

depotTest(
  "enqueue and publish write nothing beyond their slot when an array grows after it was checked",
  async (name) => {
    const options = { frameSize: [8, 1, 1], maxSize: 2, metadataBytes: 8, whenFull: "wait" } as const;
    await using depot = await FramesDepot.create(name, options);
    const grown = (maxByteLength: number) => new Uint8Array(new ArrayBuffer(8, { maxByteLength })).fill(7);
    const grow = (bytes: Uint8Array) => {
      (bytes.buffer as ArrayBuffer).resize(64);
      bytes.fill(9);
    };
    const slot = depot.tryClaim({ frameNumber: 0, metadata: grown(64) })!;
    slot.data.fill(1);
    await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(8).fill(2), metadata: new Uint8Array(8).fill(3) });
    const metadata = grown(64);
    const waiting = depot.enqueue({ frameNumber: 2, frame: new Uint8Array(8).fill(9), metadata });
    const frames = [grown(64), grown(64)];
    const refused = frames.map((frame) => assertRejects(() => depot.enqueue({ frame }), TypeError, "must not change"));
    grow(metadata);
    grow(frames[0]);
    (frames[1].buffer as ArrayBuffer).transfer();
    slot.publish();
    const seen: number[][] = [];
    for await (const { data, metadata } of depot.frames({ timeoutMs: 2000 })) {
      if (seen.push([...data, ...metadata]) === 3) break;
    }
    await waiting;
    await Promise.all(refused);
    const sixteen = (first: number, second: number) => [...new Array(8).fill(first), ...new Array(8).fill(second)];
    assertEquals(seen, [sixteen(1, 7), sixteen(2, 3), sixteen(9, 9)]);
  },
);
