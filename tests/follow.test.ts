/**
 * Following a name: across restarts, replacements and changes of format, by producers in both runtimes that close, end,
 * are killed and come back; and what a follower holds meanwhile.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DepotError, type DepotOptions, type Frame, type FrameFollower, FramesDepot } from "../mod.ts";
import { FrameReader } from "../depot/stream.ts";
import { depotTest, RUNTIMES } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";

const SMALL: DepotOptions = { frameSize: [2, 2, 1], maxSize: 4 };
const LARGE: DepotOptions = { frameSize: [4, 2, 1], maxSize: 4 };

const put = (depot: FramesDepot, ...numbers: number[]) =>
  Promise.all(numbers.map((n) => depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) })));

/** The next frame, as its number, width, first byte and what was lost before it. */
async function next(follower: FrameFollower): Promise<[number, number, number, number] | undefined> {
  const { value } = await follower.next();
  return value && [value.frameNumber, value.width, value.data[0] as number, value.lost];
}

depotTest("follow waits for the name, and yields the frames of the depot that gets it", async (name) => {
  await using follower = FramesDepot.follow(name);
  const first = next(follower);
  assertEquals([follower.id, follower.ended, follower.name], [undefined, undefined, name]);
  await using depot = await FramesDepot.create(name, SMALL);
  await put(depot, 7);
  assertEquals(await first, [7, 2, 7, 0]);
  assertEquals(follower.id, depot.id);
});

for (const [how, replace] of [["replace", true], ["create, its producers gone", false]] as const) {
  depotTest(`follow goes on with the next depot of the name, of another size: ${how}`, async (name) => {
    await using follower = FramesDepot.follow(name, { timeoutMs: 60_000 });
    const one = await FramesDepot.create(name, SMALL);
    await put(one, 1, 2);
    assertEquals(await next(follower), [1, 2, 1, 0]);
    if (!replace) await one.close();
    await using two = await FramesDepot.create(name, { ...LARGE, replace });
    await put(two, 3);
    assertEquals([await next(follower), await next(follower)], [[2, 2, 2, 0], [3, 4, 3, 0]]);
    await one.close();
    assertEquals([follower.id, follower.ended], [two.id, undefined]);
  });
}

for (const runtime of RUNTIMES) {
  for (const how of ["create", "createOrOpen"] as const) {
    for (const options of [SMALL, LARGE]) {
      const size = options === SMALL ? "the same size" : "another size";
      depotTest(
        `follow goes on when ${runtime}, the producer, is killed and comes back by ${how} with ${size}`,
        async (name) => {
          await using follower = FramesDepot.follow(name, { timeoutMs: 60_000 });
          await using camera = new Remote(runtime);
          assertEquals(await camera.tell({ do: how, name, options: SMALL }), "made");
          assertEquals(await camera.tell({ do: "enqueue", frameNumber: 1 }), "stored");
          assertEquals((await next(follower))?.[0], 1);
          assertEquals(await camera.tell({ do: "enqueue", frameNumber: 2 }), "stored");
          assertEquals(await camera.tell({ do: "claim", frameNumber: 3 }), 2);
          await camera.kill();
          await using again = new Remote(runtime);
          assertEquals(await again.tell({ do: how, name, options }), "made");
          assertEquals(await again.tell({ do: "enqueue", frameNumber: 4 }), "stored");
          const [width] = options.frameSize!;
          const rest = [await next(follower), await next(follower)];
          // What was stored is there; 3 never was, so it is not lost either.
          assertEquals(rest.map((frame) => [frame![0], frame![1], frame![3]]), [[2, 2, 0], [4, width, 0]]);
        },
      );
    }
  }
}

depotTest("follow reads what a depot has that was killed before it was opened, after the first one", async (name) => {
  await using follower = FramesDepot.follow(name, { timeoutMs: 60_000 });
  const one = await FramesDepot.create(name, SMALL);
  await put(one, 1);
  assertEquals((await next(follower))?.[0], 1);
  await using camera = new Remote();
  const rest = next(follower); // asleep in the first one
  await one.close();
  assertEquals(await camera.tell({ do: "create", name, options: LARGE }), "made");
  assertEquals(await camera.tell({ do: "enqueue", frameNumber: 2 }), "stored");
  await camera.kill();
  assertEquals((await rest)?.slice(0, 2), [2, 4]);
});

depotTest("follow reads what was stored last before a depot without a name lost its producer", async (name) => {
  const one = await FramesDepot.create(name, SMALL);
  await put(one, 1);
  await using follower = FramesDepot.follow(name, { mode: "lossless" });
  assertEquals((await next(follower))?.[0], 1);
  FramesDepot.unlink(name);
  const { within } = FrameReader.prototype;
  FrameReader.prototype.within = async function (timeoutMs) {
    const frame = await within.call(this, timeoutMs);
    if (frame === undefined && !one.closed) { // between its look for a frame and that for a producer
      await put(one, 2);
      await one.close();
    }
    return frame;
  };
  try {
    assertEquals((await follower.within(5000))?.frameNumber, 2);
  } finally {
    FrameReader.prototype.within = within;
  }
  await using two = await FramesDepot.create(name, LARGE);
  await put(two, 3);
  assertEquals(await next(follower), [3, 4, 3, 0]);
});

depotTest("follow waits for the next depot after an end, and ends there with whenProducersGone end", async (name) => {
  await using follower = FramesDepot.follow(name, { timeoutMs: 60_000 });
  await using ending = FramesDepot.follow(name, { timeoutMs: 60_000, whenProducersGone: "end" });
  const one = await FramesDepot.create(name, SMALL);
  await put(one, 1);
  assertEquals([(await next(follower))?.[0], (await next(ending))?.[0]], [1, 1]);
  one.end();
  const second = next(follower);
  assertEquals([await next(ending), ending.ended, ending.released], [undefined, "ended", true]);
  await one.close();
  await using two = await FramesDepot.create(name, LARGE);
  await put(two, 2);
  assertEquals(await second, [2, 4, 2, 0]);
});

depotTest("follow with whenProducersGone end is over when producers are gone, and says so", async (name) => {
  await using follower = FramesDepot.follow(name, { whenProducersGone: "end", timeoutMs: 60_000 });
  const depot = await FramesDepot.create(name, SMALL);
  await put(depot, 1);
  assertEquals((await next(follower))?.[0], 1);
  await depot.close();
  assertEquals([await next(follower), follower.ended], [undefined, "producers-gone"]);
});

depotTest("follow goes on after the name was removed and given to a depot of another process", async (name) => {
  await using follower = FramesDepot.follow(name, { timeoutMs: 60_000 });
  const one = await FramesDepot.create(name, SMALL);
  await put(one, 1);
  assertEquals((await next(follower))?.[0], 1);
  FramesDepot.unlink(name);
  await put(one, 2); // a removed name hinders no process that has the depot open
  assertEquals((await next(follower))?.[0], 2);
  const third = next(follower);
  await one.close();
  await using two = await FramesDepot.create(name, LARGE);
  await put(two, 3);
  assertEquals(await third, [3, 4, 3, 0]);
});

depotTest("follow counts as lost what was stored and overwritten, in the old depot and in the next", async (name) => {
  await using follower = FramesDepot.follow(name, { mode: "lossy", timeoutMs: 60_000 });
  const one = await FramesDepot.create(name, { ...SMALL, whenFull: "overwrite" });
  await put(one, 1);
  assertEquals(await next(follower), [1, 2, 1, 0]);
  await put(one, 2, 3, 4, 5, 6, 7, 8);
  using slot = one.tryClaim();
  slot?.release(); // a number that never was a frame
  await using two = await FramesDepot.create(name, { ...LARGE, whenFull: "overwrite", replace: true });
  await put(two, 11, 12, 13, 14, 15, 16);
  const seen: number[] = [];
  let lost = 0;
  while (seen.at(-1) !== 16) {
    const [number, , , missed] = (await next(follower))!;
    seen.push(number);
    lost += missed;
  }
  assertEquals(seen.length + lost, 7 + 6, `${seen}, ${lost} lost`);
  await one.close();
});

depotTest(
  "follow keeps clones of a depot that it has left, until they are released; then it leaves nothing",
  async (name) => {
    const follower = FramesDepot.follow(name, { timeoutMs: 60_000 });
    const one = await FramesDepot.create(name, SMALL);
    await put(one, 1);
    const kept = (await follower.next()).value!.clone() as Frame<"uint8">;
    await one.close();
    const two = await FramesDepot.create(name, LARGE);
    await put(two, 2);
    assertEquals((await next(follower))?.[0], 2);
    const other = (await follower.within(0)) === undefined && two.peekFrame(2)!;
    assertEquals([[...kept.data], kept.width, kept.released], [[1, 1, 1, 1], 2, false]);
    follower.release();
    assertEquals([[...kept.data], follower.ended, follower.id], [[1, 1, 1, 1], "released", undefined]);
    kept.release();
    (other as Frame).release();
    await two.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(FramesDepot.list().some((info) => info.name === name), false);
  },
);

depotTest("follow ends by break, timeout, signal and release, and says why", async (name) => {
  const timed = FramesDepot.follow(name, { timeoutMs: 20 });
  assertEquals([(await timed.next()).done, timed.ended], [true, "timeout"]);
  assertEquals((await timed.next()).done, true);

  await using depot = await FramesDepot.create(name, SMALL);
  await put(depot, 1, 2);
  const broken = FramesDepot.follow(name);
  for await (const frame of broken) if (frame.frameNumber === 1) break;
  assertEquals([broken.ended, depot.stats().peers.length], ["released", 1]);

  const quiet = FramesDepot.follow(name, { timeoutMs: 30, from: "next" });
  assertEquals([(await quiet.next()).done, quiet.ended], [true, "timeout"]);

  for (const to of [name, `${name}-none`]) {
    const abort = new AbortController();
    const aborted = FramesDepot.follow(to, { signal: abort.signal, from: "next" });
    const waiting = aborted.next();
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await assertRejects(() => waiting, Error, "enough");
    assertEquals([aborted.ended, (await aborted.next()).done], ["released", true]);

    const released = FramesDepot.follow(to, { from: "next" });
    const last = released.next();
    setTimeout(() => released.release(), 20);
    assertEquals([(await last).done, released.ended], [true, "released"]);
  }
  assertEquals(depot.stats().peers.length, 1);
});

depotTest("follow and within: the time is up, and it goes on", async (name) => {
  await using follower = FramesDepot.follow(name);
  assertEquals([await follower.within(10), follower.ended], [undefined, undefined]);
  await using depot = await FramesDepot.create(name, SMALL);
  assertEquals([await follower.within(10), follower.ended], [undefined, undefined]);
  await put(depot, 1);
  assertEquals((await follower.within(1000))?.frameNumber, 1);
});

depotTest("follow refuses wrong options, and depots of other elements, at once", async (name) => {
  for (
    const options of [{ mode: "fast" }, { from: "end" }, { timeoutMs: -1 }, { stale: true }, { trustedOwners: [-1] }]
  ) {
    assertThrows(() => FramesDepot.follow(name, options as never));
  }
  assertThrows(() => FramesDepot.follow("no/name"), RangeError);
  await using _depot = await FramesDepot.create(name, SMALL);
  const follower = FramesDepot.follow(name, { elementType: "float32" });
  const { code } = await assertRejects(() => follower.next(), DepotError);
  assertEquals([code, follower.ended], ["INCOMPATIBLE", "released"]);
});

depotTest("follow hears of the next depot by a wake, however often the name changes", async (name) => {
  await using follower = FramesDepot.follow(name, { timeoutMs: 60_000 });
  const depots: FramesDepot[] = [];
  for (let n = 1; n <= 50; n++) {
    const waiting = next(follower);
    await new Promise((resolve) => setTimeout(resolve, n % 3)); // asleep, or about to be
    depots.push(await FramesDepot.create(name, { ...n % 2 === 0 ? LARGE : SMALL, replace: true }));
    await put(depots.at(-1)!, n);
    assertEquals((await waiting)?.[0], n);
  }
  for (const depot of depots) await depot.close();
  assert(depots.every(({ closed }) => closed));
});

depotTest(
  "follow gives each lossless follower what the next depot stored, also what another has passed",
  async (name) => {
    await using early = FramesDepot.follow(name, { timeoutMs: 20_000 });
    await using late = FramesDepot.follow(name, { timeoutMs: 20_000 });
    const one = await FramesDepot.create(name, SMALL);
    await put(one, 1);
    assertEquals([await next(early), await next(late)], [[1, 2, 1, 0], [1, 2, 1, 0]]);
    await one.close();
    await using two = await FramesDepot.create(name, LARGE);
    await put(two, 10, 11);
    assertEquals([await next(early), await next(early)], [[10, 4, 10, 0], [11, 4, 11, 0]]);
    await put(two, 12);
    assertEquals(await next(early), [12, 4, 12, 0]); // it has passed the two before
    for (const n of [10, 11, 12]) assertEquals(await next(late), [n, 4, n, 0]);
    assertEquals(two.stats().peers.flatMap(({ readers }) => readers).map(({ lost }) => lost), [0, 0]);
  },
);

for (const whenFull of ["drop", "wait"] as const) {
  depotTest(
    `follow, where it catches up too late, loses what was overwritten and nothing from its place on, ${whenFull}`,
    async (name) => {
      const options = { ...SMALL, whenFull };
      await using early = FramesDepot.follow(name, { timeoutMs: 20_000 });
      await using late = FramesDepot.follow(name, { timeoutMs: 20_000 });
      const one = await FramesDepot.create(name, options);
      await put(one, 1);
      assertEquals([(await next(early))?.[0], (await next(late))?.[0]], [1, 1]);
      await one.close();
      await using two = await FramesDepot.create(name, options);
      const pass = async (n: number) => {
        await put(two, n);
        assertEquals((await next(early))?.[0], n);
      };
      for (const n of [10, 11, 12]) await pass(n);
      await put(two, 13); // early holds 12 and releases it with the next
      assertEquals(await next(late), [10, 2, 10, 0]); // it has joined: its place is at 12
      await put(two, 14); // not where 10 is held, but where 11 was
      for (const n of [13, 14]) assertEquals((await next(early))?.[0], n);
      assertEquals(await next(late), [12, 2, 12, 1]);
      for (const n of [13, 14]) assertEquals(await next(late), [n, 2, n, 0]);
      const lost = two.stats().peers.flatMap(({ readers }) => readers).map(({ lost }) => lost);
      assertEquals(lost.sort(), [0, 1]);
    },
  );
}

for (const mode of ["lossless", "lossy"] as const) {
  depotTest(
    `follow begins the next depot with the oldest frame that is stored, and counts those before it, ${mode}`,
    async (name) => {
      const options = { ...SMALL, whenFull: "overwrite" } as const;
      await using follower = FramesDepot.follow(name, { mode, timeoutMs: 20_000 });
      const one = await FramesDepot.create(name, options);
      await put(one, 1);
      assertEquals((await next(follower))?.[0], 1);
      await one.close();
      await using two = await FramesDepot.create(name, options);
      for (let n = 10; n < 17; n++) await put(two, n); // of 7, the last 4 are stored
      assertEquals(await next(follower), [13, 2, 13, 3]);
      for (const n of [14, 15, 16]) assertEquals(await next(follower), [n, 2, n, 0]);
    },
  );
}
