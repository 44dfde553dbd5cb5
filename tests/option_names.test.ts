/**
 * Options and details that do not exist: a TypeError that names what was meant, before anything is touched.
 */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;
const SOUND = { frameSize: [4, 2, 3] } as const;

depotTest("create, open and createOrOpen refuse an option that does not exist", async (name, another) => {
  const wrong: [Wrong, string][] = [
    [{ maxsize: 3 }, 'has no option "maxsize": did you mean maxSize?'],
    [{ max_size: 3 }, "did you mean maxSize?"],
    [{ maxSise: 3 }, "did you mean maxSize?"],
    [{ framesize: [4, 2, 3] }, "did you mean frameSize?"],
    [{ format: "rgb24" }, "did you mean pixelFormat?"],
    [{ readers: 3 }, "did you mean maxReaders?"],
    [{ colour: {} }, "did you mean color?"],
    [{ overwrite: true }, 'has no option "overwrite": it has frameSize, elementType,'],
    [{ history: false }, 'has no option "history"'],
    [{ undefined }, 'has no option "undefined"'],
  ];
  await using depot = await FramesDepot.create(name, SOUND);
  for (const [options, says] of wrong) {
    for (const make of ["create", "createOrOpen"] as const) {
      const error = await assertRejects(() => FramesDepot[make](another(), { ...SOUND, ...options }), TypeError);
      assertStringIncludes(error.message, "a new depot has no option");
      assertStringIncludes(error.message, says);
    }
  }
  for (const [options, right] of [[{ timeout: 5 }, "timeoutMs"], [{ Stale: true }, "stale"]] as [Wrong, string][]) {
    const error = await assertRejects(() => FramesDepot.open(name, options), TypeError);
    assertStringIncludes(error.message, `did you mean ${right}?`);
  }
  await using either = await FramesDepot.createOrOpen(name, { ...SOUND, timeoutMs: 5, stale: false });
  assertEquals(either.id, depot.id);
  assertThrows(() => FramesDepot.unlink(name, { onlystale: true } as Wrong), TypeError, "did you mean onlyStale?");
  assertEquals(FramesDepot.inspect(name)?.usable, true);
});

depotTest("frames, enqueue, claim and publish refuse what does not exist, and store nothing", async (name) => {
  await using depot = await FramesDepot.create(name, SOUND);
  const frame = new Uint8Array(24);
  const rejected: [() => Promise<unknown>, string][] = [
    [
      () => depot.enqueue({ frame, framenumber: 1 } as Wrong),
      'enqueue has no option "framenumber": did you mean frameNumber?',
    ],
    [() => depot.enqueue({ frame, timestamp: 1 } as Wrong), "did you mean timestampNs?"],
    [() => depot.enqueue({ frame, timeoutMs: 1 } as Wrong), "timeoutMs in its second argument"],
    [() => depot.enqueue({ frame }, { timeout: 1 } as Wrong), "did you mean timeoutMs?"],
    [() => depot.claim({ frameNumer: 1 } as Wrong), "did you mean frameNumber?"],
    [() => depot.claim({ frame } as Wrong), 'claim has no option "frame"'],
    [() => depot.writeFrom(new Blob([]).stream(), { framenumber: 1 } as Wrong), "did you mean frameNumber?"],
    [async () => {
      using slot = depot.tryClaim()!;
      await slot.fillFrom(new Blob([]).stream(), { sginal: undefined } as Wrong);
    }, "did you mean signal?"],
  ];
  for (const [call, says] of rejected) {
    const error = await assertRejects(call, TypeError);
    assertStringIncludes(error.message, says);
  }
  const thrown: [() => unknown, string][] = [
    [() => depot.tryEnqueue({ frame, Metadata: frame } as Wrong), "did you mean metadata?"],
    [() => depot.tryClaim({ timeoutMs: 1 } as Wrong), 'claim has no option "timeoutMs"'],
    [() => depot.frames({ mdoe: "latest" } as Wrong), "did you mean mode?"],
    [() => depot.readable({ timeoutms: 1 } as Wrong), "did you mean timeoutMs?"],
  ];
  for (const [call, says] of thrown) {
    const error = assertThrows(call, TypeError);
    assertStringIncludes(error.message, says);
  }
  using slot = depot.tryClaim()!;
  assertThrows(() => slot.publish({ framenumber: 1 } as Wrong), TypeError, "publish has no option");
  assertEquals([slot.released, depot.stats().stored, depot.stats().peers[0].readers], [false, 0, []]);
});

depotTest(
  "enqueue and claim refuse what does not exist each time, however often they have been called",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...SOUND, maxSize: 100, whenFull: "wait" });
    await using reader = depot.frames({ mode: "lossless" });
    const frame = new Uint8Array(24);
    const wrong = { frame, framenumber: 7 } as Wrong;
    for (let n = 0; n < 60; n++) assertThrows(() => depot.tryEnqueue(wrong), TypeError, "framenumber");
    while (depot.tryEnqueue({ frame }) !== undefined);
    for (let time = 0; time < 2; time++) {
      assertThrows(() => depot.tryEnqueue(wrong), TypeError, "framenumber");
      assertThrows(() => depot.tryClaim({ framenumber: 7 } as Wrong), TypeError, "framenumber");
      await assertRejects(() => depot.enqueue(wrong, { timeoutMs: 0 }), TypeError, "framenumber");
      await assertRejects(() => depot.enqueue({ frame, timeoutMs: 0 } as Wrong), TypeError, "second argument");
      await assertRejects(() => depot.claim({ framenumber: 7, timeoutMs: 0 } as Wrong), TypeError, "framenumber");
    }
    assertEquals([depot.length, reader.released], [100, false]);
  },
);
