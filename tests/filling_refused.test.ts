/** What `slot.fillFrom` and `depot.writeFrom` refuse, which loses nothing. */
import { assertEquals, assertRejects } from "@std/assert";
import { type ByteSource, FramesDepot, type WriteFromOptions } from "../mod.ts";
import { FRAME, framesIn, framesOf, later, shape } from "./support/filling_scene.ts";
import { depotTest, errorOf } from "./support/harness.ts";
import { pattern, PUSHED, SOURCES } from "./support/sources.ts";

depotTest("slot.fillFrom and depot.writeFrom refuse what is no source, and change nothing", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  using slot = depot.tryClaim()!;
  const wrong: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [5, "number"],
    ["video.rgb", "string"],
    [new Uint8Array(FRAME), "Uint8Array"],
    [new ArrayBuffer(FRAME), "object"],
    [[new Uint8Array(FRAME)], "object"],
    [new Blob([pattern(FRAME)]), "object"],
    [{ read: 5 }, "object"],
    [() => new Uint8Array(FRAME), "function"],
  ];
  for (const [source, is] of wrong) {
    await assertRejects(() => slot.fillFrom(source as ByteSource), TypeError, `it is ${is}`);
    await assertRejects(() => depot.writeFrom(source as ByteSource), TypeError, `it is ${is}`);
  }
  assertEquals(await slot.fillFrom(new Blob([pattern(FRAME)]).stream()), true);
});

depotTest("slot.fillFrom and depot.writeFrom refuse pieces that are no bytes, and say what they are", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const wrong: unknown[] = ["a line", 5, null, undefined, {}, [1, 2], new SharedArrayBuffer(FRAME)];
  for (const piece of wrong) {
    for (const kind of ["a stream", "an async generator", "a reader of a stream"]) {
      using slot = depot.tryClaim()!;
      const open = () => SOURCES[kind]([piece as Uint8Array<ArrayBuffer>], pattern(0));
      const { source } = await open();
      await assertRejects(() => slot.fillFrom(source), TypeError, `it gave ${typeof piece}`);
      const { source: once } = await open();
      await assertRejects(() => depot.writeFrom(once), TypeError, `it gave ${typeof piece}`);
    }
  }
});

depotTest("slot.fillFrom refuses a reader that returns an impossible count", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  using slot = depot.tryClaim()!;
  const answers: unknown[] = [-1, 1.5, NaN, 2 ** 20, "5", true, { bytesRead: -1 }, { bytesRead: 2 ** 20 }, {
    bytesRead: "5",
  }, {}];
  for (const answer of answers) {
    await assertRejects(() => slot.fillFrom({ read: () => answer }), TypeError, undefined);
  }
  assertEquals(await slot.fillFrom(new Blob([pattern(FRAME)]).stream()), true);
});

depotTest(
  "slot.fillFrom and depot.writeFrom refuse wrong options, a released slot, and a closed depot",
  async (name) => {
    const depot = await FramesDepot.create(name, shape);
    const source = new Blob([pattern(FRAME)]).stream();
    const slot = depot.tryClaim()!;
    assertEquals(await errorOf(() => slot.fillFrom(source, { signal: 5 as unknown as AbortSignal })), "TypeError");
    assertEquals(await errorOf(() => slot.fillFrom(source, 5 as unknown as { signal: AbortSignal })), "TypeError");
    const wrong: [WriteFromOptions, string][] = [
      [{ signal: {} as AbortSignal }, "TypeError"],
      [{ frameNumber: 1.5 }, "RangeError"],
      [{ frameNumber: "5" as unknown as number }, "TypeError"],
      [{ timestampNs: -1 }, "RangeError"],
      [{ timestampNs: {} as number }, "TypeError"],
      [{ frameNumber: () => NaN }, "RangeError"],
      [{ timestampNs: () => -1n }, "RangeError"],
    ];
    for (const [options, error] of wrong) assertEquals(await errorOf(() => depot.writeFrom(source, options)), error);
    slot.release();
    assertEquals(await errorOf(() => slot.fillFrom(source)), "TypeError");
    assertEquals(await depot.writeFrom(source), 1, "nothing was lost by that");
    await depot.close();
    assertEquals(await errorOf(() => depot.writeFrom(source)), "CLOSED");
  },
);

depotTest("slot.fillFrom refuses a second call at the same time: on its slot, and on its source", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const [one, two] = [PUSHED["a stream"](), PUSHED["an async generator"]()];
  const [slot, other] = [depot.tryClaim()!, depot.tryClaim()!];
  const filling = slot.fillFrom(one.source);
  await assertRejects(() => slot.fillFrom(two.source), TypeError, "being filled already");
  await assertRejects(() => other.fillFrom(one.source), TypeError, "being read already");
  await assertRejects(() => depot.writeFrom(one.source), TypeError, "being read already");
  one.push(pattern(2 * FRAME));
  assertEquals(await filling, true);
  assertEquals(await other.fillFrom(one.source), true);
  slot.publish();
  other.publish();
  assertEquals(framesIn(depot), framesOf(pattern(2 * FRAME)));
});

depotTest("depot.writeFrom keeps its source locked, also while it waits for room", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "wait" });
  const source = new Blob([pattern(3 * FRAME)]).stream();
  const abort = new AbortController();
  const writing = errorOf(() => depot.writeFrom(source, { signal: abort.signal }));
  await later(5); // the first is stored, the second waits
  await assertRejects(() => depot.writeFrom(source), TypeError, "being read already");
  assertEquals((source as ReadableStream).locked, true);
  abort.abort(new RangeError("enough"));
  assertEquals([await writing, (source as ReadableStream).locked], ["RangeError", false]);
});

depotTest("slot.fillFrom puts nothing into a slot that its source gives back or fills", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "overwrite" });
  let slot = depot.tryClaim()!;
  let within: Promise<string | undefined> | undefined;
  const acts: (() => unknown)[] = [
    () => slot.release(),
    () => within = errorOf(() => slot.fillFrom(stream)),
    () => within = errorOf(() => depot.writeFrom(stream)),
  ];
  const stream = new Blob([pattern(2 * FRAME)]).stream();
  const { getReader } = stream;
  stream.getReader = function (this: ReadableStream, ...parameters: []) {
    acts.shift()?.();
    return getReader.apply(this, parameters);
  } as typeof getReader;
  await assertRejects(() => slot.fillFrom(stream), TypeError, "given back");
  depot.tryEnqueue({ frame: new Uint8Array(FRAME).fill(1) });
  assertEquals(framesIn(depot), [Array(FRAME).fill(1)]);
  for (const frame of framesOf(pattern(2 * FRAME))) {
    slot = depot.tryClaim()!;
    assertEquals(await slot.fillFrom(stream), true);
    assertEquals([await within, [...slot.data]], ["TypeError", frame]);
    slot.release();
  }
});

depotTest("slot.fillFrom refuses a stream that another reader has locked, until its lock is released", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  using slot = depot.tryClaim()!;
  const stream = new Blob([pattern(FRAME)]).stream();
  const reader = stream.getReader();
  assertEquals(await errorOf(() => slot.fillFrom(stream)), "TypeError");
  reader.releaseLock();
  assertEquals(await slot.fillFrom(stream), true);
  assertEquals(stream.locked, false);
});
