/**
 * A lossless follower that still reads one depot while the next one has its name: it has its place there already, so
 * that readers which are quicker pass nothing that it has not read.
 */
import { assertEquals } from "@std/assert";
import { setTimeout as sleep } from "node:timers/promises";
import { type DepotOptions, type Frame, FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const shape = (width: number, whenFull: DepotOptions["whenFull"]): DepotOptions => ({
  ...{ frameSize: [width, 2, 3], maxSize: 8, whenFull },
});

async function fill(depot: FramesDepot, from: number, to: number): Promise<void> {
  for (let frameNumber = from; frameNumber <= to; frameNumber++) {
    await depot.enqueue({ frameNumber, frame: new Uint8Array(depot.frameBytes) });
    await sleep(1);
  }
}

const said = ({ width, frameNumber, lost }: Frame) => `${width}: ${frameNumber}${lost > 0 ? `, ${lost} lost` : ""}`;

for (const whenFull of ["drop", "wait"] as const) {
  depotTest(`follow has its place in the next depot before it has read the last one, ${whenFull}`, async (name) => {
    const first = await FramesDepot.create(name, shape(4, whenFull));
    const quick = FramesDepot.follow(name, { mode: "lossless" });
    const slow = FramesDepot.follow(name, { mode: "lossless" });
    await using _quick = quick, _slow = slow;
    await fill(first, 0, 0);
    const [a, b] = await Promise.all([quick.next(), slow.next()]);
    assertEquals([said(a.value!), said(b.value!)], ["4: 0", "4: 0"]);
    await fill(first, 1, 4);
    for (let n = 1; n <= 4; n++) assertEquals(said((await quick.next()).value!), `4: ${n}`);
    await first.close();
    await using second = await FramesDepot.create(name, { ...shape(6, whenFull), replace: true });
    assertEquals(said((await slow.next()).value!), "4: 1"); // it looks, and has its place
    const reading = (async () => {
      const got = [];
      for (let n = 0; n < 20; n++) got.push(said((await quick.next()).value!));
      return got;
    })();
    const filling = fill(second, 0, 19);
    await sleep(50);
    for (let n = 2; n <= 4; n++) assertEquals(said((await slow.next()).value!), `4: ${n}`);
    const got: string[] = [];
    // What a depot that drops has refused meanwhile is in no reader's hands; what was stored, both get.
    while (got.at(-1) === undefined || !got.at(-1)!.startsWith(whenFull === "wait" ? "6: 19" : "6: 7")) {
      got.push(said((await slow.within(5000))!));
    }
    if (whenFull === "wait") {
      await filling;
      assertEquals(got, Array.from({ length: 20 }, (_, n) => `6: ${n}`));
      assertEquals(await reading, got);
    } else {
      assertEquals(got, Array.from({ length: 8 }, (_, n) => `6: ${n}`));
      quick.release();
      await reading.catch(() => {});
      await filling;
    }
  });
}

depotTest("follow has its place in the next depot also while its loop is busy with a frame", async (name) => {
  const first = await FramesDepot.create(name, shape(4, "drop"));
  await using busy = FramesDepot.follow(name, { mode: "lossless" });
  await fill(first, 0, 1);
  assertEquals(said((await busy.next()).value!), "4: 0");
  await first.close();
  await using second = await FramesDepot.create(name, { ...shape(6, "drop"), replace: true });
  await using quick = await FramesDepot.open(name);
  const reading = quick.frames({ mode: "lossless" });
  while (second.stats().peers.length < 3) await sleep(5);
  for (let n = 0; n < 20; n++) {
    await second.enqueue({ frameNumber: n, frame: new Uint8Array(second.frameBytes) });
    assertEquals(reading.tryNext()?.frameNumber, n < 8 ? n : undefined); // one that has not read it holds the rest up
  }
  assertEquals(said((await busy.next()).value!), "4: 1");
  for (let n = 0; n < 8; n++) assertEquals(said((await busy.next()).value!), `6: ${n}`);
});

depotTest("follow looks no more for the next depot once it has ended", async (name) => {
  for (const ends of ["return", "break"]) {
    await using depot = await FramesDepot.create(name, shape(4, "drop"));
    await fill(depot, 0, 1);
    const reader = FramesDepot.follow(name, { mode: "lossless" });
    if (ends === "return") await reader.next().then(() => reader.return());
    else for await (const _ of reader) break;
    await using next = await FramesDepot.create(name, { ...shape(4, "drop"), replace: true });
    await fill(next, 0, 1);
    await sleep(300);
    assertEquals(next.stats().peers.length, 1, ends);
  }
});

depotTest("follow leaves the next depot, too, when it ends while it still reads the last one", async (name) => {
  const first = await FramesDepot.create(name, shape(4, "wait"));
  await fill(first, 0, 3);
  const reader = FramesDepot.follow(name, { mode: "lossless" });
  assertEquals(said((await reader.next()).value!), "4: 0");
  await using second = await FramesDepot.create(name, { ...shape(6, "wait"), replace: true });
  assertEquals(said((await reader.next()).value!), "4: 1");
  assertEquals(second.stats().peers.length, 2);
  await reader.return();
  assertEquals(second.stats().peers.length, 1);
  await first.close();
});

depotTest("follow counts what it lost in the last depot when it had its place in the next before", async (name) => {
  const first = await FramesDepot.create(name, shape(4, "drop"));
  await using reader = FramesDepot.follow(name, { mode: "lossless" });
  await fill(first, 0, 0);
  assertEquals(said((await reader.next()).value!), "4: 0");
  await fill(first, 1, 6);
  await using second = await FramesDepot.create(name, { ...shape(6, "drop"), replace: true });
  assertEquals(said((await reader.next()).value!), "4: 1");
  first.clearQueue();
  await fill(second, 0, 0);
  assertEquals(said((await reader.next()).value!), "6: 0, 5 lost");
  await first.close();
});

depotTest("follow has its place in each next depot early, however soon one comes after the other", async (name) => {
  const depots = [await FramesDepot.create(name, shape(4, "wait"))];
  await using reader = FramesDepot.follow(name, { mode: "lossless" });
  for (const width of [4, 6, 8]) {
    await fill(depots.at(-1)!, 0, 2);
    assertEquals(said((await reader.next()).value!), `${width}: 0`);
    depots.push(await FramesDepot.create(name, { ...shape(width + 2, "wait"), replace: true }));
    assertEquals(said((await reader.next()).value!), `${width}: 1`);
    assertEquals(depots.at(-1)!.stats().peers.length, 2);
    assertEquals(said((await reader.next()).value!), `${width}: 2`);
  }
  for (const depot of depots) await depot.close();
});
