/**
 * How a loop over frames() ends, and that nothing waits for it afterwards. What ends a single wait is in
 * `waiting.test.ts`, readers that are never ended in `forgotten.test.ts`.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type DepotOptions, type FrameReader, FramesDepot } from "../mod.ts";
import { depotTest, errorOf } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A depot with frames of these numbers in it. */
async function make(name: string, numbers: number[], options: Partial<DepotOptions> = {}): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait", ...options });
  for (const n of numbers) await put(depot, n);
  return depot;
}

async function put(depot: FramesDepot, frameNumber: number): Promise<void> {
  const { state } = await depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { timeoutMs: 10_000 });
  assertEquals(state, "stored");
}

/** Ways to end a loop; `inside` runs while it holds its first frame. */
const ENDINGS: Record<string, (depot: FramesDepot, inside: () => void) => Promise<unknown>> = {
  "a break": async (depot, inside) => {
    for await (const _ of depot.frames()) {
      inside();
      break;
    }
  },
  "an error in its body": async (depot, inside) => {
    const looping = async () => {
      for await (const _ of depot.frames()) {
        inside();
        throw new RangeError("on purpose");
      }
    };
    assertEquals(await errorOf(looping), "RangeError");
  },
  // deno-lint-ignore require-await -- as the others: it ends when the scope does
  "the end of a `using` scope": async (depot, inside) => {
    using reader = depot.frames();
    reader.tryNext();
    inside();
  },
  "the end of an `await using` scope": async (depot, inside) => {
    await using reader = depot.frames();
    reader.tryNext();
    inside();
  },
  "an aborted signal": async (depot, inside) => {
    const abort = new AbortController();
    const looping = async () => {
      for await (const _ of depot.frames({ signal: abort.signal })) {
        inside();
        abort.abort(new Error("enough"));
      }
    };
    await assertRejects(looping, Error, "enough");
  },
};

for (const [ending, loop] of Object.entries(ENDINGS)) {
  depotTest(`frames leaves the depot by ${ending}: producers no longer wait for it`, async (name) => {
    await using depot = await make(name, [1], { maxSize: 1 });
    let storing: Promise<void> | undefined;
    let ahead: FrameReader | undefined;
    await loop(depot, () => {
      ahead = depot.frames({ from: "next" });
      storing = put(depot, 2);
      assertEquals(depot.queueIsFull, true);
    });
    await storing;
    assertEquals([depot.stats().peers[0].readers.length, ahead!.tryNext()?.frameNumber], [1, 2]);
    ahead!.release();
  }, { watchdogMs: 20_000 });
}

depotTest("frames ends by timeoutMs counted from frame to frame, not in all", async (name) => {
  await using depot = await make(name, []);
  const reading = Array.fromAsync(depot.frames({ timeoutMs: 400 }), ({ frameNumber }) => frameNumber);
  const started = performance.now();
  for (let n = 0; n < 12; n++) {
    await put(depot, n);
    await later(50);
  }
  assertEquals(await reading, Array.from({ length: 12 }, (_, n) => n));
  assert(performance.now() - started > 600);
  assertEquals(depot.stats().peers[0].readers, []);
});

depotTest("frames that has ended stays ended, and return may be called again", async (name) => {
  await using depot = await make(name, [1, 2]);
  const reader = depot.frames();
  const { value } = await reader.next();
  assertEquals([await reader.return(), await reader.return()].map(({ done }) => done), [true, true]);
  assertEquals([value!.released, reader.released, reader.tryNext(), (await reader.next()).done], [
    true,
    true,
    undefined,
    true,
  ]);
  for await (const _ of reader) assert(false);
});

for (const end of ["release", "return"] as const) {
  depotTest(`frames.${end} ends a next() that waits`, async (name) => {
    await using depot = await make(name, []);
    const reader = depot.frames();
    const waiting = reader.next();
    await later(20);
    await reader[end]();
    assertEquals((await waiting).done, true);
  }, { watchdogMs: 5000 });
}

depotTest("FrameReader.next that waits ends when its reader is released", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  const reader = depot.frames();
  const waiting = reader.next();
  await new Promise((resolve) => setTimeout(resolve, 30));
  reader.release();
  assertEquals(await waiting, { done: true, value: undefined });
  const stream = depot.readable().getReader();
  const pulling = stream.read();
  await stream.cancel();
  assertEquals(await pulling, { done: true, value: undefined });
});
