/**
 * Joining while others produce: a reader that comes makes no depot full, and the gate, below which producers may
 * overwrite, never goes back.
 */
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { type DepotOptions, type FrameReader, FramesDepot } from "../mod.ts";
import { GATING, HEADER, READER } from "../ring/layout.ts";
import { Room } from "../ring/room.ts";
import { trace } from "../ring/trace.ts";
import { depotTest } from "./support/harness.ts";
import { attach } from "./support/bare_peer.ts";

const OPTIONS: DepotOptions = { frameSize: [2, 2, 1], maxSize: 4 };
const pixels = (value: number) => new Uint8Array(4).fill(value);

/** Calls back at one step of the protocol, until disposed of; not for the steps that happen inside the call. */
function at(wanted: string, call: () => void): Disposable {
  let inside = false;
  trace.at = (step) => {
    if (step !== wanted || inside) return;
    inside = true;
    try {
      call();
    } finally {
      inside = false;
    }
  };
  return { [Symbol.dispose]: () => void (trace.at = undefined) };
}

for (const step of ["J1", "J2", "J3", "J4"]) {
  depotTest(`tryEnqueue refuses no frame while a reader stands still after ${step}`, async (name) => {
    await using depot = await FramesDepot.create(name, OPTIONS);
    await using other = await FramesDepot.open(name);
    const reader = depot.frames();
    let stops = 0;
    let refused = 0;
    let frameNumber = 0;
    const put = () => {
      if (depot.tryEnqueue({ frameNumber, frame: pixels(frameNumber) })?.state !== "stored") refused++;
      else frameNumber++;
    };
    const drain = () => {
      const numbers: number[] = [];
      for (let frame; (frame = reader.tryNext()) !== undefined;) numbers.push(frame.frameNumber);
      return numbers;
    };
    for (let round = 0; round < 40; round++) {
      put();
      assertEquals(drain(), [frameNumber - 1]);
      // Half the queue: where the joiner gates already, that many frames are there for it as well.
      using _ = at(step, () => {
        stops++;
        for (let frame = 0; frame < (step === "J1" || step === "J2" ? 9 : 2); frame++) {
          put();
          drain();
        }
      });
      other.frames({ from: "next" }).release();
    }
    assertEquals([refused, stops, depot.droppedFrames], [0, 40, 0]);
  });
}

depotTest(
  "frames of a joiner begin at the oldest that is kept, whatever was overwritten while it joined",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...OPTIONS, whenFull: "wait" });
    await using other = await FramesDepot.open(name);
    for (const step of ["J1", "J2", "J3"]) {
      await depot.clearQueue();
      let frameNumber = 0;
      const put = () => {
        if (depot.tryEnqueue({ frameNumber, frame: pixels(frameNumber) })?.state === "stored") frameNumber++;
      };
      const reader = depot.frames();
      put();
      let joined: FrameReader;
      {
        using _ = at(step, () => {
          for (let frame = 0; frame < 9; frame++) {
            put();
            reader.tryNext()?.release();
          }
        });
        joined = other.frames({ from: "oldest" });
      }
      // It lags at most a ring behind, misses nothing from its first frame on, and every frame is whole.
      const seen: number[] = [];
      for (let round = 0; round < 8; round++) {
        for (let frame; (frame = joined.tryNext()) !== undefined;) {
          assertEquals([frame.lost, ...frame.data], [0, ...pixels(frame.frameNumber)], `after ${step}`);
          seen.push(frame.frameNumber);
        }
        while (reader.tryNext() !== undefined);
        put();
      }
      assertEquals(seen, Array.from({ length: seen.length }, (_, index) => seen[0] + index), `after ${step}`);
      assertGreaterOrEqual(seen.length, 7);
      reader.release();
      joined.release();
    }
  },
);

depotTest("frames marks a reader as attached while it lasts, and as waited for where it is lossless", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  using attachment = attach(name);
  const { words, geometry } = attachment;
  const marks = () =>
    Array.from({ length: geometry.maxReaders }, (_, index) => words.load32(words.reader(index) + READER.gating))
      .filter((mark) => mark !== GATING.none);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  depot.peekFrame(1)!.release();
  assertEquals(marks(), []);
  const readers = (["lossless", "lossy", "latest"] as const).map((mode) => depot.frames({ mode }));
  assertEquals(marks(), [GATING.gates, GATING.attached, GATING.attached]);
  assertEquals(depot.stats().peers[0].readers.map(({ gating }) => gating), [false, true, false, false]);
  assertEquals(attachment.room.slowest()?.index, 1);
  readers[1].tryNext()!.clone();
  for (const reader of readers) reader.release();
  assertEquals(marks(), [], "a clone that is left keeps the entry, not the mark");
  await using other = await FramesDepot.open(name);
  other.frames({ mode: "lossy" });
  assertEquals(marks(), [GATING.attached]);
  await other.close();
  assertEquals(marks(), []);
});

depotTest(
  "Room.gate never goes back: not for a reader that stands lower, a tail that is lower, nor when disturbed",
  async (name) => {
    await using depot = await FramesDepot.create(name, OPTIONS);
    using attachment = attach(name);
    const { room, words, mapping } = attachment;
    assertEquals([room.gate(0), room.gate(7)], [0, 7]);
    mapping.raise(HEADER.tail, 3);
    assertEquals([room.gate(0), room.gate(2), room.gate(7)], [3, 3, 7]);
    // A joiner that lost its processor between J3 and J4, with a place that producers have passed meanwhile.
    const index = attachment.readers.enter(attachment.peers.id, "lossless")!;
    const entry = words.reader(index);
    mapping.store(entry + READER.cursor, 1);
    words.store32(entry + READER.gating, 1);
    assertEquals([room.gate(0), room.gate(2), room.gate(7)], [1, 2, 7]);
    assertEquals(mapping.load(HEADER.tail), 3);
    // A scan that is disturbed by joins again and again returns what was known.
    {
      let joins = 0;
      using _ = at("G3", () => {
        joins++;
        Atomics.add(words.u32, HEADER.joins >> 2, 1);
      });
      assertEquals([room.gate(0), room.gate(5)], [0, 5]);
      assertGreaterOrEqual(joins, 2);
    }
    // By one join alone it is not.
    {
      let joins = 0;
      using _ = at("G3", () => {
        if (joins++ === 0) Atomics.add(words.u32, HEADER.joins >> 2, 1);
      });
      assertEquals([room.gate(0), joins], [1, 2]);
    }
    words.store32(entry + READER.gating, 0);
    attachment.readers.free(index);
    assertEquals([room.gate(0), depot.length], [3, 0]);
  },
);

depotTest(
  "Room.gate never goes back for any producer while readers join, read, leave and clear at random",
  async (name) => {
    const { gate } = Room.prototype;
    const wrong: string[] = [];
    let gates = 0;
    Room.prototype.gate = function (before) {
      gates++;
      const after = gate.call(this, before);
      if (after < before) wrong.push(`${before} to ${after}`);
      return after;
    };
    try {
      await using depot = await FramesDepot.create(name, { ...OPTIONS, whenFull: "wait" });
      await using other = await FramesDepot.open(name);
      const readers: FrameReader[] = [];
      let seed = 1;
      const random = (below: number) => {
        seed ^= seed << 13;
        seed ^= seed >>> 17;
        seed ^= seed << 5;
        return (seed >>> 0) % below;
      };
      let frameNumber = 0;
      const join = () => {
        const from = (["oldest", "latest", "next", frameNumber - 2] as const)[random(4)];
        readers.push((random(2) === 0 ? depot : other).frames({ from }));
      };
      const act = (): void => {
        const reader = readers[random(Math.max(1, readers.length))];
        switch (random(8)) {
          case 0:
            if (readers.length < 6) join();
            return;
          case 1:
            if (reader !== undefined) readers.splice(readers.indexOf(reader), 1)[0].release();
            return;
          case 2:
            if (random(20) === 0) void depot.clearQueue();
            return;
          case 3:
          case 4:
            if (
              (random(2) === 0 ? depot : other).tryEnqueue({ frameNumber, frame: pixels(frameNumber) })
            ) frameNumber++;
            return;
          default: {
            const frame = reader?.tryNext();
            if (frame !== undefined) assertEquals([...frame.data], [...pixels(frame.frameNumber)]);
          }
        }
      };
      for (const step of ["G3", "J2", "J3", "L1", "R6"]) {
        using _ = at(step, act);
        for (let round = 0; round < 4000; round++) act();
      }
      assertGreaterOrEqual(frameNumber, 1000);
      assertGreaterOrEqual(gates, 1000);
      for (const reader of readers) reader.release();
    } finally {
      Room.prototype.gate = gate;
    }
    assertEquals(wrong, []);
  },
);
