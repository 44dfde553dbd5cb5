/**
 * Wrong frames, numbers, timestamps, metadata and options of an open depot: refused before anything is written.
 */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type DepotOptions, type ElementType, type FrameDetails, FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;
type ErrorClass = typeof TypeError | typeof RangeError;

const make = (name: string, options: Partial<DepotOptions> = {}) =>
  FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 2, metadataBytes: 4, ...options });

/** The depot is as new: no frame, no number used, nothing counted, no reader. */
function assertUntouched(depot: FramesDepot): void {
  const { head, stored, dropped, skipped, peers } = depot.stats();
  assertEquals({ head, stored, dropped, skipped, readers: peers[0].readers.length, length: depot.length }, {
    head: 0,
    stored: 0,
    dropped: 0,
    skipped: 0,
    readers: 0,
    length: 0,
  });
}

/** Every way to put a frame in. */
async function assertRefused(depot: FramesDepot, input: Wrong, Class: ErrorClass, says: string): Promise<void> {
  await assertRejects(() => depot.enqueue(input), Class, says);
  assertThrows(() => depot.tryEnqueue(input), Class, says);
  const writer = depot.writable().getWriter();
  writer.closed.catch(() => {});
  await assertRejects(() => writer.write(input), Class, says);
}

const FRAMES: [ElementType, unknown, ErrorClass, string][] = [
  ["uint8", new Uint8Array(3), RangeError, "4 bytes"],
  ["uint8", new Uint8Array(5), RangeError, "5"],
  ["uint8", new Uint8Array(0), RangeError, "0"],
  ["uint8", new ArrayBuffer(3), RangeError, "3"],
  ["uint8", new Uint16Array(2), TypeError, "it is Uint16Array"],
  ["uint8", new Int8Array(4), TypeError, "it is Int8Array"],
  ["uint8", new DataView(new ArrayBuffer(4)), TypeError, "it is DataView"],
  ["uint8", [1, 2, 3, 4], TypeError, "it is Array"],
  ["uint8", "rgba", TypeError, "it is string"],
  ["uint8", undefined, TypeError, "it is undefined"],
  ["uint8", null, TypeError, "frame must be a Uint8Array"],
  ["uint16", new Uint16Array(3), RangeError, "8 bytes (4 × uint16)"],
  ["uint16", new Uint8Array(4), RangeError, "4"],
  ["uint16", new Int16Array(4), TypeError, "a Uint16Array or its bytes"],
  ["float32", new Float64Array(4), TypeError, "a Float32Array or its bytes"],
  ["float32", new Float32Array(5), RangeError, "16 bytes (4 × float32)"],
];

depotTest("enqueue refuses a frame of another type or length, and writes nothing", async (_, another) => {
  for (const elementType of ["uint8", "uint16", "float32"] as const) {
    await using depot = await make(another(), { elementType });
    for (const [type, frame, Class, says] of FRAMES) {
      if (type === elementType) await assertRefused(depot, { frame }, Class, says);
    }
    assertUntouched(depot);
  }
});

depotTest("enqueue refuses what is no object with a frame", async (name) => {
  await using depot = await make(name);
  for (const wrong of [undefined, null, 5, "frame", new Uint8Array(4)] as Wrong[]) {
    await assertRejects(() => depot.enqueue(wrong), TypeError);
    assertThrows(() => depot.tryEnqueue(wrong), TypeError);
  }
  assertUntouched(depot);
});

const DETAILS: [Wrong, ErrorClass, string][] = [
  [{ frameNumber: 0.5 }, RangeError, "frameNumber must be a whole number"],
  [{ frameNumber: NaN }, RangeError, "NaN"],
  [{ frameNumber: -Infinity }, RangeError, "-Infinity"],
  [{ frameNumber: Number.MAX_SAFE_INTEGER + 1 }, RangeError, "9007199254740992"],
  [{ frameNumber: Number.MIN_SAFE_INTEGER - 1 }, RangeError, "-9007199254740992"],
  [{ frameNumber: "1" }, TypeError, 'frameNumber must be a number: "1"'],
  [{ frameNumber: 1n }, TypeError, "1n"],
  [{ frameNumber: null }, TypeError, "null"],
  [{ timestampNs: -1 }, RangeError, "timestampNs must be from 0 to 2^64 - 1: -1"],
  [{ timestampNs: -1n }, RangeError, "-1"],
  [{ timestampNs: 2n ** 64n }, RangeError, "18446744073709551616"],
  [{ timestampNs: 2 ** 64 }, RangeError, "timestampNs"],
  [{ timestampNs: NaN }, RangeError, "NaN"],
  [{ timestampNs: "now" }, TypeError, "timestampNs must be a bigint or a number: string"],
  [{ timestampNs: new Date() }, TypeError, "timestampNs"],
  [{ metadata: new Uint8Array(5) }, RangeError, "metadataBytes, 4: 5; `create` takes"],
  [{ metadata: "text" }, TypeError, "metadata must be a Uint8Array"],
  [{ metadata: new Uint16Array(1) }, TypeError, "metadata must be a Uint8Array"],
  [{ metadata: new ArrayBuffer(1) }, TypeError, "metadata must be a Uint8Array"],
];

depotTest("enqueue, claim and tryClaim refuse wrong numbers, timestamps and metadata", async (name) => {
  await using depot = await make(name);
  for (const [details, Class, says] of DETAILS) {
    await assertRefused(depot, { frame: new Uint8Array(4), ...details }, Class, says);
    await assertRejects(() => depot.claim(details), Class, says);
    assertThrows(() => depot.tryClaim(details), Class, says);
  }
  assertUntouched(depot);
});

depotTest("publish refuses wrong details, and the slot can still be published", async (name) => {
  await using depot = await make(name);
  for (const [details, Class, says] of DETAILS) {
    if (details.frameNumber === null) continue; // as left out
    using slot = depot.tryClaim({ frameNumber: 1 })!;
    assertThrows(() => slot.publish(details as FrameDetails), Class, says);
    assertEquals([slot.released, slot.data.length], [false, 4]);
    slot.data.fill(8);
    slot.publish({ metadata: new Uint8Array([9]) });
    using frame = depot.getFrame(1)!;
    assertEquals([frame.data[0], [...frame.metadata]], [8, [9]]);
  }
});

depotTest("enqueue says that a depot made without metadata has no room for any", async (name) => {
  await using depot = await make(name, { metadataBytes: 0 });
  const input = { frame: new Uint8Array(4), metadata: new Uint8Array(1) };
  await assertRefused(depot, input, RangeError, "metadataBytes, 0: 1; `create` takes");
  assertEquals((await depot.enqueue({ ...input, metadata: new Uint8Array(0) })).state, "stored");
});

depotTest("getFrame, peekFrame and statusOf refuse what is no safe integer, and become no reader", async (name) => {
  await using depot = await make(name);
  for (const [{ frameNumber }, Class, says] of DETAILS) {
    if (frameNumber === undefined) continue;
    for (const ask of ["getFrame", "peekFrame", "statusOf"] as const) {
      assertThrows(() => depot[ask](frameNumber), Class, says);
    }
  }
  for (const ask of ["getFrame", "peekFrame", "statusOf"] as const) {
    assertThrows(() => depot[ask](undefined as Wrong), TypeError, "frameNumber must be a number: undefined");
  }
  assertUntouched(depot);
});

const WAITS: [Wrong, ErrorClass, string][] = [
  [null, TypeError, "options must be an object: null"],
  ["soon", TypeError, "options must be an object"],
  [{ timeoutMs: "5" }, TypeError, "timeoutMs must be a number"],
  [{ timeoutMs: -1 }, RangeError, "timeoutMs must be 0 or more: -1"],
  [{ timeoutMs: NaN }, RangeError, "NaN"],
  [{ signal: {} }, TypeError, "signal must be an AbortSignal: Object"],
  [{ signal: null }, TypeError, "signal must be an AbortSignal: null"],
];

depotTest(
  "enqueue, claim, frames and readable refuse wrong options of waiting, also while there is room",
  async (name) => {
    await using depot = await make(name, { whenFull: "wait" });
    for (const [options, Class, says] of WAITS) {
      await assertRejects(() => depot.enqueue({ frame: new Uint8Array(4) }, options), Class, says);
      if (typeof options === "object" && options !== null) {
        await assertRejects(() => depot.claim(options), Class, says);
      }
      assertThrows(() => depot.frames(options), Class, says);
      assertThrows(() => depot.readable(options), Class, says);
    }
    assertUntouched(depot);
  },
);

depotTest("frames refuses wrong modes and places, and takes no place", async (name) => {
  await using depot = await make(name);
  for (const mode of ["fast", "lookup", "", "LOSSY", 1, null] as Wrong[]) {
    const { message } = assertThrows(() => depot.frames({ mode }), RangeError, "mode must be one of");
    assertStringIncludes(message, String(mode));
  }
  for (const from of ["newest", "", null, 1n, {}] as Wrong[]) {
    assertThrows(() => depot.frames({ from }), RangeError, "from must be");
  }
  for (const from of [0.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(() => depot.frames({ from }), RangeError, String(from));
  }
  assertUntouched(depot);
});
