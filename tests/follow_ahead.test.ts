/**
 * A lossless follower that still reads one depot while the next one has its name: it has its place there already, so
 * that readers which are quicker pass nothing that it has not read.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout as sleep } from "node:timers/promises";
import { loadShim } from "../ffi/load.ts";
import type { Segment } from "../ffi/segment.ts";
import { DepotError, type DepotOptions, type Frame, FramesDepot } from "../mod.ts";
import { HEADER, LOCK } from "../ring/layout.ts";
import { attach } from "./support/bare_peer.ts";
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

depotTest("follow has its place in each of several depots that come while its loop is busy", async (name) => {
  const depots = [await FramesDepot.create(name, shape(4, "wait"))];
  await fill(depots[0], 0, 1);
  await using busy = FramesDepot.follow(name, { mode: "lossless" });
  assertEquals(said((await busy.next()).value!), "4: 0");
  for (const width of [6, 8, 10]) {
    const next = await FramesDepot.create(name, { ...shape(width, "wait"), replace: true });
    depots.push(next);
    while (next.stats().peers.length < 2) await sleep(5);
    await fill(next, 0, 1);
  }
  const got: string[] = [];
  for (let n = 0; n < 7; n++) got.push(said((await busy.next()).value!));
  assertEquals(got, ["4: 1", "6: 0", "6: 1", "8: 0", "8: 1", "10: 0", "10: 1"]);
  for (const depot of depots) await depot.close();
});

/** Takes the membership lock of what has the name, as a process that is stopped while it joins. */
function holdMembers(name: string): Disposable {
  const segment = loadShim().open(name) as Segment;
  assertEquals(segment.lock(LOCK.members), 1);
  return {
    [Symbol.dispose]: () => {
      segment.unlock(LOCK.members);
      segment.close();
    },
  };
}

depotTest("follow has one place in the next depot, also where it has to wait for it", async (name) => {
  for (let round = 0; round < 3; round++) {
    const first = await FramesDepot.create(name, { ...shape(4, "wait"), replace: true });
    await fill(first, 0, 0);
    const reader = FramesDepot.follow(name, { mode: "lossless" });
    await reader.next();
    const rest = (async () => {
      const numbers: number[] = [];
      for await (const { frameNumber } of reader) if (numbers.push(frameNumber) === 20) return numbers;
    })();
    await sleep(120 + 40 * round); // it waits for a frame, and its timer is at another point
    const making = FramesDepot.create(name, { ...shape(6, "wait"), replace: true });
    const held = holdMembers(name);
    await using second = await making;
    await sleep(700);
    held[Symbol.dispose]();
    await fill(second, 0, 19); // a second place would stop it for good
    assertEquals(await rest, Array.from({ length: 20 }, (_, n) => n));
    await first.close();
  }
});

depotTest("follow does not wait for its place in the next depot while the present one has frames", async (name) => {
  const first = await FramesDepot.create(name, shape(4, "drop"));
  await fill(first, 0, 3);
  await using reader = FramesDepot.follow(name, { mode: "lossless" });
  await reader.next();
  await using _second = await FramesDepot.create(name, { ...shape(6, "drop"), replace: true });
  const held = holdMembers(name);
  let returned = 0;
  const both = Promise.all([1, 2].map(() => reader.within(0).then(() => returned++)));
  await sleep(500); // a place that cannot be had is given up after two seconds
  assertEquals(returned, 2);
  held[Symbol.dispose]();
  await both;
  await first.close();
});

depotTest("follow takes no place in a depot that it does not come to", async (name) => {
  const first = await FramesDepot.create(name, shape(4, "wait"));
  await fill(first, 0, 1);
  await using reader = FramesDepot.follow(name, { mode: "lossless", whenEnded: "end" });
  assertEquals(said((await reader.next()).value!), "4: 0");
  first.end();
  await using second = await FramesDepot.create(name, { ...shape(6, "wait"), replace: true });
  await sleep(300);
  assertEquals(second.stats().peers.length, 1);
  assertEquals(said((await reader.next()).value!), "4: 1");
  assertEquals([(await reader.next()).done, reader.ended, second.stats().peers.length], [true, "ended", 1]);
  await first.close();
});

depotTest("follow ends where its depot is closed while its loop is busy", async (name) => {
  await using first = await FramesDepot.create(name, shape(4, "drop"));
  await fill(first, 0, 1);
  const reader = FramesDepot.follow(name, { mode: "lossless" });
  await reader.next();
  await using second = await FramesDepot.create(name, { ...shape(6, "drop"), replace: true });
  while (second.stats().peers.length < 2) await sleep(5);
  await reader.depot!.close(); // so does closeOnSignals, where the program goes on
  while (second.stats().peers.length > 1) await sleep(5); // it never comes there
  await using third = await FramesDepot.create(name, { ...shape(6, "drop"), replace: true });
  await sleep(300); // an error of a timer would end the process
  assertEquals(third.stats().peers.length, 1);
  assertEquals([(await reader.next()).done, reader.ended], [true, "closed"]);
});

depotTest("follow of a damaged depot hears it in its turn, and not from a timer", async (name) => {
  const first = await FramesDepot.create(name, shape(4, "drop"));
  await fill(first, 0, 1);
  const reader = FramesDepot.follow(name, { mode: "lossless", whenEnded: "end" });
  await reader.next();
  using damaged = attach(name);
  await using _second = await FramesDepot.create(name, { ...shape(6, "drop"), replace: true });
  const head = damaged.words.mapping.load(HEADER.head);
  damaged.words.mapping.store(HEADER.head, 2 ** 60);
  await sleep(300);
  assertEquals(said((await reader.next()).value!), "4: 1");
  const error = await assertRejects(() => reader.next(), DepotError);
  assertEquals([error.code, reader.released], ["CORRUPT", true]);
  damaged.words.mapping.store(HEADER.head, head);
  await first.close();
});

depotTest(
  "follow has its place in the next depot also where the present one has lost its name to none",
  async (name) => {
    const first = await FramesDepot.create(name, shape(4, "drop"));
    await fill(first, 0, 1);
    await using busy = FramesDepot.follow(name, { mode: "lossless" });
    assertEquals(said((await busy.next()).value!), "4: 0");
    FramesDepot.unlink(name);
    await using second = await FramesDepot.create(name, shape(6, "drop"));
    await sleep(300);
    assertEquals(second.stats().peers.length, 1); // the first may still be filled
    await first.close();
    while (second.stats().peers.length < 2) await sleep(5);
    await fill(second, 0, 7);
    const got: string[] = [];
    for (let n = 0; n < 9; n++) got.push(said((await busy.next()).value!));
    assertEquals(got, ["4: 1", ...Array.from({ length: 8 }, (_, n) => `6: ${n}`)]);
  },
);

depotTest("follow that is asked twice at once leaves out no depot", async (name) => {
  const made: FramesDepot[] = [];
  const make = async (width: number) => {
    made.push(await FramesDepot.create(name, { ...shape(width, "drop"), replace: true }));
    await fill(made.at(-1)!, 0, 0);
  };
  await make(4);
  await using reader = FramesDepot.follow(name, { mode: "lossless" });
  using _kept = (await reader.next()).value!.clone();
  for (const width of [6, 8, 10]) {
    await make(width);
    while (made.at(-1)!.stats().peers.length < 2) await sleep(5);
  }
  const got: (Frame | undefined)[] = [];
  while (got.length < 3) got.push(...(await Promise.all([reader.within(300), reader.within(300)])).filter(Boolean));
  assertEquals([got.map((frame) => frame!.width), reader.ended], [[6, 8, 10], undefined]);
  for (const depot of made) await depot.close();
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
