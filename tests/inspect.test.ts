/**
 * Looking without joining, and removing only what is dead.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { depotTest, RUNTIMES, skip } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";
import { IS_WINDOWS, NO_STALE } from "./support/windows.ts";

const OPTIONS: DepotOptions = { frameSize: [2, 2, 1], maxSize: 4, metadataBytes: 16, maxReaders: 3 };
const pixels = (value: number) => new Uint8Array(4).fill(value);

depotTest("inspect returns what list and stats return, and is no peer itself", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  await using reader = depot.frames();
  for (let n = 0; n < 6; n++) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  (await reader.next()).value!.release();
  const {
    stats,
    id,
    variableLength,
    color,
    sampleAspectRatio,
    fieldOrder,
    metadataBytes,
    maxReaders,
    maxGroups,
    ...info
  } = FramesDepot
    .inspect(name)!;
  assertEquals(info, FramesDepot.list().find((info) => info.name === name));
  const own = depot.stats();
  const peers = own.peers.map((peer) => ({ ...peer, self: false }));
  assertEquals([stats, metadataBytes, maxReaders, maxGroups], [{ ...own, peers }, 16, 3, 4]);
  assertEquals(
    [id, variableLength, color, sampleAspectRatio, fieldOrder],
    [depot.id, depot.variableLength, depot.color, depot.sampleAspectRatio, depot.fieldOrder],
  );
  assertEquals([stats!.stored, stats!.dropped, stats!.peers.length], [4, 2, 1]);
});

depotTest("inspect finds nothing where there is no depot", (name) => {
  assertEquals(FramesDepot.inspect(name), undefined);
});

for (const runtime of RUNTIMES) {
  depotTest(
    `inspect tells what a killed ${runtime} process had counted, each time that it is called`,
    async (name) => {
      if (IS_WINDOWS) return skip(NO_STALE);
      await using victim = new Remote(runtime);
      await victim.tell({ do: "create", name, options: OPTIONS });
      for (const frameNumber of [1, 2]) await victim.tell({ do: "enqueue", frameNumber });
      await victim.kill();
      for (let look = 0; look < 3; look++) {
        const { stale, length, stats } = FramesDepot.inspect(name)!;
        assertEquals([stale, length, stats?.stored, stats?.length], [true, 2, 2, 2]);
        const peers = stats!.peers.map(({ pid, runtime, alive, stored }) => [pid, runtime, alive, stored]);
        assertEquals(peers, [[victim.child.pid!, runtime, false, 2]]);
      }
      await using depot = await FramesDepot.open(name, { stale: true });
      assertEquals(depot.peekFrame(2)?.data[0], 2);
    },
  );
}

depotTest("inspect hinders neither the last close nor the process that takes the name over", async (name) => {
  const depot = await FramesDepot.create(name, OPTIONS);
  assert(FramesDepot.inspect(name)?.stale === false);
  await depot.close();
  assertEquals(FramesDepot.inspect(name), undefined);
  await using _next = await FramesDepot.create(name, { frameSize: [1, 1, 1] });
  assertEquals(FramesDepot.inspect(name)?.frameBytes, 1);
});

depotTest(
  "unlink with onlyStale leaves a live depot its name, and removes it once its process is dead",
  async (name) => {
    await using holder = new Remote();
    await holder.tell({ do: "create", name, options: OPTIONS });
    await holder.tell({ do: "enqueue", frameNumber: 3 });
    assertEquals(FramesDepot.unlink(name, { onlyStale: true }), false);
    await using depot = await FramesDepot.open(name);
    assertEquals(depot.peekFrame(3)?.data[0], 3);
    await holder.kill();
    assertEquals(FramesDepot.unlink(name, { onlyStale: true }), false); // we are alive
    await depot.close();
    assertEquals(FramesDepot.inspect(name), undefined);
  },
);

depotTest("unlink with onlyStale removes what a killed process left, once", async (name) => {
  if (IS_WINDOWS) return skip(NO_STALE);
  await using victim = new Remote();
  await victim.tell({ do: "create", name, options: OPTIONS });
  await victim.kill();
  const answers = [1, 2].map(() => FramesDepot.unlink(name, { onlyStale: true }));
  assertEquals([answers, FramesDepot.inspect(name)], [[true, false], undefined]);
});

depotTest("unlink with onlyStale removes a segment that is no depot; inspect says why it is none", (name) => {
  if (process.platform !== "linux") return skip("segments have names in the file system on Linux only");
  const file = `/dev/shm/frames-depot.${name}`;
  writeFileSync(file, "not a depot", { mode: 0o600 });
  try {
    const { usable, stats, reason } = FramesDepot.inspect(name)!;
    assertEquals([usable, stats], [false, undefined]);
    assertMatch(reason, /less than a header/);
    assertEquals([FramesDepot.unlink(name, { onlyStale: true }), FramesDepot.inspect(name)], [true, undefined]);
  } finally {
    rmSync(file, { force: true });
  }
});
