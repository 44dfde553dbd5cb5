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
