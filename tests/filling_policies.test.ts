/** How `depot.writeFrom` stores each frame: by the policy of a depot that is full, with a number and a time. */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type ByteSource, FramesDepot, type WriteFromOptions } from "../mod.ts";
import { FRAME, framesIn, framesOf, later, shape } from "./support/filling_scene.ts";
import { depotTest } from "./support/harness.ts";
import { cut, pattern, SOURCES } from "./support/sources.ts";

depotTest(
  "depot.writeFrom of a depot that drops counts the frames that did not fit, and returns the number of stored ones",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...shape, maxSize: 3 });
    await using _reader = depot.frames();
    const stored = await depot.writeFrom(new Blob([pattern(5 * FRAME)]).stream(), { frameNumber: 10 });
    assertEquals([stored, depot.droppedFrames, depot.length], [3, 2, 3]);
    assertEquals(framesIn(depot), framesOf(pattern(3 * FRAME)));
    assertEquals(depot.statusOf(12), "stored");
  },
);

depotTest("depot.writeFrom of a depot that overwrites stores everything, and the newest frames stay", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 3, whenFull: "overwrite" });
  assertEquals(await depot.writeFrom(new Blob([pattern(5 * FRAME)]).stream()), 5);
  assertEquals(framesIn(depot), framesOf(pattern(5 * FRAME)).slice(2));
});

depotTest("depot.writeFrom of a depot that waits holds its source up, and goes on when there is room", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 2, whenFull: "wait" });
  let given = 0;
  async function* source() {
    for (const frame of cut(pattern(9 * FRAME), [FRAME])) {
      given++;
      yield await Promise.resolve(frame);
    }
  }
  const reader = depot.frames({ timeoutMs: 1000 });
  const writing = depot.writeFrom(source());
  await later(20);
  assertEquals([given, depot.length], [3, 2]);
  const seen: number[][] = [];
  for await (const frame of reader) {
    seen.push([...frame.data]);
    if (seen.length === 9) break;
  }
  assertEquals([await writing, seen], [9, framesOf(pattern(9 * FRAME))]);
});

depotTest(
  "depot.writeFrom that is aborted while it waits for room stores that frame at the next call",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...shape, maxSize: 2, whenFull: "wait" });
    const source = SOURCES["an async generator"](cut(pattern(4 * FRAME), [30]), pattern(0)) as { source: ByteSource };
    const abort = new AbortController();
    const reason = new Error("enough");
    const writing = assertRejects(() => depot.writeFrom(source.source, { signal: abort.signal }));
    while (depot.length < 2) await later(1);
    await later(5);
    abort.abort(reason);
    assertStrictEquals(await writing, reason);
    assertEquals(framesIn(depot), framesOf(pattern(2 * FRAME)));
    await depot.clearQueue();
    assertEquals(await depot.writeFrom(source.source), 2);
    assertEquals(framesIn(depot), framesOf(pattern(4 * FRAME)).slice(2));
  },
);

depotTest("depot.writeFrom keeps a frame that was not stored when onBackpressure throws", async (name) => {
  let told = 0;
  const onBackpressure = async () => {
    if (told++ === 0) throw new Error("on purpose");
    await depot.clearQueue();
  };
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 2, whenFull: "wait", onBackpressure });
  const source = new Blob([pattern(4 * FRAME)]).stream();
  await assertRejects(() => depot.writeFrom(source), Error, "on purpose");
  assertEquals(framesIn(depot), framesOf(pattern(4 * FRAME)).slice(0, 2));
  assertEquals(await depot.writeFrom(source), 2);
  assertEquals(framesIn(depot), framesOf(pattern(4 * FRAME)).slice(2));
});

depotTest("depot.writeFrom numbers and stamps frames as it is told", async (_, another) => {
  const told = async (options: WriteFromOptions) => {
    await using depot = await FramesDepot.create(another(), shape);
    await depot.writeFrom(new Blob([pattern(3 * FRAME)]).stream(), options);
    const reader = depot.frames();
    return [0, 1, 2].map(() => {
      const { frameNumber, timestampNs } = reader.tryNext()!;
      return [frameNumber, timestampNs] as const;
    });
  };
  const before = BigInt(Date.now()) * 1_000_000n;
  const plain = await told({});
  assertEquals(plain.map(([number]) => number), [0, 1, 2]);
  assert(plain.every(([, time]) => time >= before && time <= BigInt(Date.now() + 1) * 1_000_000n));
  assertEquals((await told({ frameNumber: -1 })).map(([number]) => number), [-1, 0, 1]);
  assertEquals(await told({ frameNumber: (index) => 10 - index, timestampNs: 5 }), [[10, 5n], [9, 5n], [8, 5n]]);
  const times = await told({ frameNumber: 7, timestampNs: (index) => 2n ** 63n + BigInt(index) });
  assertEquals(times, [[7, 2n ** 63n], [8, 2n ** 63n + 1n], [9, 2n ** 63n + 2n]]);
});
