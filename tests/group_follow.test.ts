/**
 * Followers of a name that share the frames of each depot of it.
 */
import { assertEquals } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

depotTest("FramesDepot.follow with a group shares the frames of each depot that has the name", async (name) => {
  const options = { frameSize: [2, 2, 1], maxSize: 8, whenFull: "wait" } as const;
  const put = async (depot: FramesDepot, from: number) => {
    for (let n = from; n < from + 20; n++) await depot.enqueue({ frameNumber: n, frame: new Uint8Array(4) });
  };
  let first: FramesDepot | undefined = await FramesDepot.create(name, options);
  const followers = [0, 1].map(() => FramesDepot.follow(name, { group: "detectors", from: "next", timeoutMs: 20_000 }));
  const seen: number[] = [];
  const loops = followers.map(async (follower) => {
    for await (const frame of follower) {
      seen.push(frame.frameNumber);
      if (seen.length >= 40) break;
    }
    follower.release();
  });
  while (first.stats().groups[0]?.members !== 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await put(first, 0);
  await first.close();
  first = undefined;
  await using second = await FramesDepot.create(name, options);
  await put(second, 100);
  await Promise.race(loops);
  followers.forEach((follower) => follower.release());
  await Promise.all(loops);
  const expected = Array.from({ length: 40 }, (_, n) => n < 20 ? n : 80 + n);
  assertEquals(seen.sort((a, b) => a - b), expected);
});

depotTest(
  "FramesDepot.follow with a group tells what it lost at the end of a depot, and before it began in the next",
  async (name) => {
    const options = { frameSize: [2, 2, 1], maxSize: 4, whenFull: "overwrite" } as const;
    const put = async (depot: FramesDepot, from: number, to: number) => {
      for (let n = from; n < to; n++) await depot.enqueue({ frameNumber: n, frame: new Uint8Array(4) });
    };
    await using first = await FramesDepot.create(name, options);
    await using follower = FramesDepot.follow(name, { group: "detectors", timeoutMs: 20_000 });
    await put(first, 0, 1);
    assertEquals((await follower.next()).value?.frameNumber, 0);
    await put(first, 1, 11);
    await first.clearQueue(); // what was not overwritten before
    await using second = await FramesDepot.create(name, { ...options, replace: true });
    await put(second, 100, 109); // 5 are overwritten
    const { value: frame } = await follower.next();
    assertEquals([frame?.frameNumber, frame?.lost], [105, 10 + 5]);
    assertEquals((await follower.next()).value?.lost, 0);
    await using later = FramesDepot.follow(name, { group: "detectors", timeoutMs: 20_000 });
    assertEquals((await later.next()).value?.lost, 0);
  },
);

depotTest(
  "FramesDepot.follow with a group counts what lies before the group once for all its members",
  async (name) => {
    const options = { frameSize: [2, 2, 1], maxSize: 4, whenFull: "overwrite" } as const;
    let depot = await FramesDepot.create(name, options);
    const followers = [0, 1, 2].map(() => FramesDepot.follow(name, { group: "detectors", timeoutMs: 20_000 }));
    const put = async (from: number, to: number) => {
      for (let n = from; n < to; n++) await depot.enqueue({ frameNumber: n, frame: new Uint8Array(4) });
    };
    try {
      await put(0, 3);
      for (const follower of followers) assertEquals((await follower.next()).value?.lost, 0);
      await depot.close();
      depot = await FramesDepot.create(name, { ...options, replace: true });
      await put(10, 16); // 10 and 11 are overwritten
      const [one, two, late] = followers;
      let lost = 0;
      for (const follower of [one, two]) lost += (await follower.next()).value?.lost ?? NaN;
      assertEquals([lost, depot.stats().groups[0].lost], [2, 2]);
      one.release();
      two.release();
      // The group of that name has had what lies before its second life.
      await put(16, 17);
      const { value: frame } = await late.next();
      assertEquals([frame?.frameNumber, frame?.lost], [14, 0]);
    } finally {
      followers.forEach((follower) => follower.release());
      await depot.close();
    }
  },
);

depotTest("FramesDepot.follow with a group joins it wherever it began, in the first depot too", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4 });
  await using first = FramesDepot.follow(name, { group: "pool", timeoutMs: 20_000 });
  await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(4) });
  assertEquals((await first.next()).value?.frameNumber, 1);
  // As a worker says it that starts after the group has begun this depot with its oldest frame.
  await using later = FramesDepot.follow(name, { group: "pool", from: "latest", timeoutMs: 20_000 });
  await depot.enqueue({ frameNumber: 2, frame: new Uint8Array(4) });
  assertEquals((await later.next()).value?.frameNumber, 2);
  assertEquals(depot.stats().groups.map(({ name, from, members }) => [name, from, members]), [["pool", "oldest", 2]]);
});
