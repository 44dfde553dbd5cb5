/**
 * What the relay beside a source takes of it, frame by frame: all that has not arrived, once, and then the end.
 */
import { assertEquals } from "@std/assert";
import zlib from "node:zlib";
import { type Frame, FramesDepot } from "../mod.ts";
import { Taking } from "../cli/relay/taking.ts";
import type { LastFrame } from "../cli/relay/wire.ts";
import { depotTest } from "./support/harness.ts";
import { moment } from "./support/relay_scene.ts";

const SIZE = { frameSize: [2, 2, 1], whenFull: "wait", maxSize: 8 } as const;

const put = async (depot: FramesDepot, from: number, to: number) => {
  for (let n = from; n < to; n++) {
    await depot.enqueue({ frameNumber: n, timestampNs: BigInt(n), frame: new Uint8Array(4).fill(n) });
  }
};

const lastFrame = (n: number): LastFrame => {
  return { frameNumber: n, timestampNs: String(n), crc: zlib.crc32(new Uint8Array(4).fill(n)) };
};

type Step = number | "end" | undefined;
const stepOf = (frame: Frame | undefined): Step => frame?.frameNumber ?? "end";

/** What is taken until there is as much, or until nothing has come for long. */
async function taken(taking: Taking, count: number): Promise<{ steps: Step[]; lost: number }> {
  const [steps, untilMs]: [Step[], number] = [[], performance.now() + 10_000];
  let lost = 0;
  while (steps.length < count && performance.now() < untilMs) {
    const next = await taking.next();
    if (next === undefined) continue;
    steps.push(stepOf(next.frame));
    lost += next.lost;
  }
  return { steps, lost };
}

depotTest(
  "Taking takes the first frame that has not arrived, although producers fill the queue meanwhile",
  async (name) => {
    await using source = await FramesDepot.create(name, SIZE);
    await put(source, 0, 4);
    await using taking = new Taking(name, "lossless", lastFrame(2), new AbortController().signal);
    assertEquals(await taking.next(), undefined); // frame 0 has arrived, as 1 and 2 have
    await put(source, 4, 10); // the slot of frame 0 is passed over: the reader ahead is a whole queue behind
    assertEquals([source.stats().head, source.tryClaim()], [11, undefined]);
    source.end();
    assertEquals(await taken(taking, 8), { steps: [3, 4, 5, 6, 7, 8, 9, "end"], lost: 0 });
  },
);

depotTest("Taking takes what its place keeps, although the place has passed a number without a frame", async (name) => {
  await using source = await FramesDepot.create(name, SIZE);
  await put(source, 0, 4);
  await using taking = new Taking(name, "lossless", undefined, new AbortController().signal);
  assertEquals((await taken(taking, 4)).steps, [0, 1, 2, 3]);
  await taking.arrived(source.id, 3);
  source.tryClaim()!.release(); // sequence 4 carries no frame
  await put(source, 4, 5);
  await taking.arrived(source.id, 3); // the place stands at sequence 5, and the reader ahead at 4
  await put(source, 5, 11); // the slot of frame 3 is passed over
  assertEquals([source.stats().head, source.tryClaim()], [13, undefined]);
  source.end();
  assertEquals(await taken(taking, 8), { steps: [4, 5, 6, 7, 8, 9, 10, "end"], lost: 0 });
});

depotTest("Taking takes nothing that lossless readers have consumed before", async (name) => {
  await using source = await FramesDepot.create(name, SIZE);
  await put(source, 0, 6);
  const reader = source.frames();
  for (let n = 0; n < 4; n++) await reader.next();
  reader.release();
  await using taking = new Taking(name, "lossless", undefined, new AbortController().signal);
  source.end();
  assertEquals(await taken(taking, 3), { steps: [4, 5, "end"], lost: 0 });
});

for (const mode of ["lossless", "lossy", "latest"] as const) {
  depotTest(
    `Taking (${mode}) says the end after a frame that was claimed before it and published after`,
    async (name) => {
      await using source = await FramesDepot.create(name, SIZE);
      await put(source, 0, 1);
      await using taking = new Taking(name, mode, undefined, new AbortController().signal);
      assertEquals(await taken(taking, 1), { steps: [0], lost: 0 });
      using slot = source.tryClaim({ frameNumber: 1, timestampNs: 1n })!;
      source.end();
      for (let look = 0; look < 3; look++) assertEquals(await taking.next(), undefined);
      slot.publish();
      assertEquals(await taken(taking, 2), { steps: [1, "end"], lost: 0 });
    },
  );
}

depotTest("Taking gives a place up frame by frame, as frames arrive", async (name) => {
  await using source = await FramesDepot.create(name, SIZE);
  await put(source, 0, 8);
  await using taking = new Taking(name, "lossless", undefined, new AbortController().signal);
  assertEquals((await taken(taking, 8)).steps, [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(source.tryClaim(), undefined);
  await taking.arrived(source.id, 2);
  assertEquals(source.stats().length, 5);
  await taking.arrived(source.id, 7);
  while (source.stats().length > 0) await moment();
});
