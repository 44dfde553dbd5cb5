/**
 * A depot of more than 4 GiB: its first slot, its last and the one that lies across the 4 GiB boundary are written and
 * read, each in full. It runs where there is room for it and 2 GiB more, in one process at a time.
 */
import { assert, assertEquals } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import { DepotError, FramesDepot } from "../mod.ts";
import { layoutOf } from "../ring/geometry.ts";
import { checkGeometry } from "../depot/shape.ts";
import { depotTest, skip } from "./support/harness.ts";

const GIB = 2 ** 30;
const FRAME_BYTES = 64 * 2 ** 20;
const OPTIONS = { frameSize: [8192, 8192, 1], maxSize: 72, whenFull: "wait" } as const;
const MIX = 0x9e3779b1;

/** Every word says where it is and which frame it belongs to. */
function write(words: Uint32Array, frameNumber: number): void {
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i ^ frameNumber, MIX);
}

/** The first word that is not as written. */
function flaw(words: Uint32Array, frameNumber: number): number {
  for (let i = 0; i < words.length; i++) if (words[i] !== (Math.imul(i ^ frameNumber, MIX) >>> 0)) return i;
  return -1;
}

const wordsOf = ({ data }: { data: { buffer: ArrayBuffer } }) => new Uint32Array(data.buffer, 0, FRAME_BYTES / 4);

/** Waits until no other process runs this test: only one can hold the name. */
async function alone(): Promise<FramesDepot> {
  for (;;) {
    try {
      return await FramesDepot.create("test-large-depot-lock", { frameSize: [1, 1, 1], maxSize: 1 });
    } catch (error) {
      if (!(error instanceof DepotError) || error.code !== "EXISTS" && error.code !== "NOT_READY") throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Why there is no room, if so. */
function tooSmall(bytes: number): string | undefined {
  const least = Math.min(...loadShim().limits().filter(({ kind }) => kind !== "inodes").map(({ left }) => left));
  const show = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
  return least < bytes + 2 * GIB ? `${show(bytes)} and 2 GiB more are needed, ${show(least)} are free` : undefined;
}

depotTest("FramesDepot of 4.5 GiB keeps what is written below, across and beyond 4 GiB", async (name) => {
  await using _lock = await alone();
  const { payloadOffset, payloadStride, totalBytes } = layoutOf(checkGeometry(OPTIONS));
  assert(totalBytes > 4.4 * GIB);
  const why = tooSmall(totalBytes);
  if (why !== undefined) return skip(why);
  const across = Math.floor((4 * GIB - payloadOffset) / payloadStride);
  assert(payloadOffset + across * payloadStride < 4 * GIB && payloadOffset + (across + 1) * payloadStride > 4 * GIB);
  const last = OPTIONS.maxSize - 1;
  await using depot = await FramesDepot.create(name, OPTIONS);
  await using other = await FramesDepot.open(name);
  const written = [0, across - 1, across, across + 1, last];
  for (let frameNumber = 0; frameNumber <= last; frameNumber++) {
    using slot = depot.tryClaim({ frameNumber })!;
    if (written.includes(frameNumber)) write(wordsOf(slot), frameNumber);
    slot.publish();
  }
  assertEquals([depot.length, depot.queueIsFull], [OPTIONS.maxSize, true]);
  for (const frameNumber of written) {
    using frame = other.peekFrame(frameNumber)!;
    assertEquals([frame.data.length, flaw(wordsOf(frame), frameNumber)], [FRAME_BYTES, -1], `frame ${frameNumber}`);
  }
  // One copy in, one out, where the boundary is.
  other.getFrame(across)?.release();
  const copy = new Uint8Array(FRAME_BYTES);
  for (let sequence = OPTIONS.maxSize; sequence <= OPTIONS.maxSize + across; sequence++) {
    if (sequence < OPTIONS.maxSize + across) depot.tryClaim({ frameNumber: sequence })!.publish();
    else {
      write(new Uint32Array(copy.buffer), sequence);
      assertEquals((await depot.enqueue({ frameNumber: sequence, frame: copy })).state, "stored");
      copy.fill(0);
      using frame = other.peekFrame(sequence)!;
      assertEquals(flaw(new Uint32Array(frame.copyTo(copy).buffer), sequence), -1);
    }
  }
}, { watchdogMs: 600_000 });

depotTest("enqueue copies whole frames and their metadata into a ring that no cache holds", async (name) => {
  // Odd on purpose: the last bytes are not a whole line, and the metadata begins right behind.
  const frameBytes = 4_000_003;
  await using depot = await FramesDepot.create(name, {
    frameSize: [frameBytes, 1, 1],
    maxSize: 20,
    metadataBytes: 100,
    whenFull: "overwrite",
  });
  const frame = new Uint8Array(frameBytes + 1).subarray(1);
  for (let frameNumber = 0; frameNumber < 45; frameNumber++) {
    frame.fill(frameNumber + 1);
    frame[frameBytes - 1] = 200;
    const metadata = new Uint8Array(1 + frameNumber).fill(frameNumber);
    await depot.enqueue({ frameNumber, frame, metadata });
    using read = depot.peekFrame(frameNumber);
    assertEquals([...read!.metadata], [...metadata]);
    assertEquals([read!.data.length, read!.data[frameBytes - 1]], [frameBytes, 200]);
    const other = read!.data.subarray(0, frameBytes - 1).findIndex((byte) => byte !== frameNumber + 1);
    assertEquals(other, -1);
  }
});
