/**
 * What a follower says of the depot that it follows, when it ends, and that it leaves nothing.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const SHAPE = { frameSize: [4, 2, 3] as [number, number, number], maxSize: 4 };
const frameOf = (value: number, bytes = 24) => ({ frameNumber: value, frame: new Uint8Array(bytes).fill(value) });

depotTest("follow().depot is the depot of the frame that was got last", async (name) => {
  const first = await FramesDepot.create(name, SHAPE);
  await first.enqueue(frameOf(1));
  await using frames = FramesDepot.follow(name, { timeoutMs: 60_000 });
  assertEquals(frames.depot, undefined);
  assertEquals((await frames.next()).value?.frameNumber, 1);
  const before = frames.depot!;
  assertEquals([before.id, before.maxSize, before.stats().stored], [first.id, 4, 1]);
  await using next = await FramesDepot.create(name, {
    frameSize: [8, 2, 3],
    maxSize: 6,
    metadataBytes: 9,
    replace: true,
  });
  assertEquals(frames.depot, before);
  await next.enqueue(frameOf(2, 48));
  const frame = (await frames.next()).value!;
  const { id, frameSize, maxSize, metadataBytes } = frames.depot!;
  assertEquals([id, frameSize, maxSize, metadataBytes], [next.id, [8, 2, 3], 6, 9]);
  assertEquals([frame.width, frames.depot!.peekFrame(2)?.data[47], before.closed], [8, 2, true]);
  await first.close();
});

depotTest(
  'follow() with whenEnded "end" ends at the end of a depot, and not when its producers are gone',
  async (name) => {
    const first = await FramesDepot.create(name, SHAPE);
    await using frames = FramesDepot.follow(name, { whenEnded: "end" });
    const numbers: number[] = [];
    const all = (async () => {
      for await (const { frameNumber } of frames) numbers.push(frameNumber);
    })();
    await first.enqueue(frameOf(1));
    await first.close();
    await using next = await FramesDepot.create(name, SHAPE);
    for (const value of [2, 3]) await next.enqueue(frameOf(value));
    next.end();
    await all;
    assertEquals([numbers, frames.ended], [[1, 2, 3], "ended"]);
  },
);

for (const replace of [false, true]) {
  const how = replace ? "replaced while its producer has it open" : "and the next is made at once";
  depotTest(`follow() with whenEnded "end" ends at the end of a depot, ${how}`, async (name) => {
    await using frames = FramesDepot.follow(name, { whenEnded: "end" });
    await using goesOn = FramesDepot.follow(name, { timeoutMs: 20_000 });
    await using first = await FramesDepot.create(name, SHAPE);
    await first.enqueue(frameOf(1));
    assertEquals((await frames.next()).value?.frameNumber, 1);
    assertEquals((await goesOn.next()).value?.frameNumber, 1);
    const reader = first.frames();
    first.end();
    if (!replace) await first.close();
    await using second = await FramesDepot.create(name, { ...SHAPE, replace });
    await second.enqueue(frameOf(2));
    assertEquals([(await frames.next()).done, frames.ended], [true, "ended"]);
    assertEquals((await goesOn.next()).value?.frameNumber, 2);
    if (!replace) return;
    assertEquals([first.ended, first.replaced], [true, true]);
    assertEquals([(await reader.next()).value?.frameNumber, (await reader.next()).done], [1, true]);
    assertEquals(reader.ended, "ended");
  });
}

depotTest("follow() refuses another whenEnded", (name) => {
  const wrong = { whenEnded: "stop" } as unknown as { whenEnded: "end" };
  assertThrows(() => FramesDepot.follow(name, wrong), RangeError, 'whenEnded must be one of "wait", "end"');
});

depotTest("follow().return() is settled when the depot has been left", async (name) => {
  const depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue(frameOf(1));
  const frames = FramesDepot.follow(name, { timeoutMs: 60_000 });
  await frames.next();
  assertEquals(depot.stats().peers.length, 2);
  await depot.close();
  assertEquals(FramesDepot.inspect(name)?.peers, 1);
  await frames.return();
  assertEquals(FramesDepot.inspect(name), undefined);
});
