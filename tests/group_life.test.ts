/**
 * How groups of loops that share frames begin, which loops may join them, and how they and their members end.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { depotTest, errorOf, HERE, Peer } from "./support/harness.ts";
import { GROUP, make, member, pixels, put, sleep } from "./support/group_scene.ts";

const groupOf = (depot: FramesDepot, group = GROUP) => depot.stats().groups.find(({ name }) => name === group);

/** What it throws, as it says it. */
function messageOf(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    return String(error);
  }
}

for (
  const [from, expected] of [["oldest", [5, 6, 7, 4, 9]], ["latest", [7, 4, 9]], ["next", [4, 9]], [6, [
    6,
    7,
    4,
    9,
  ]]] as const
) {
  depotTest(`frames({ group, from: ${JSON.stringify(from)} }) begins there for all its members`, async (name) => {
    await using depot = await make(name, [5, 6, 7], { maxSize: 8 });
    const readers = [member(depot, { from }), member(depot)];
    for (const n of [4, 9]) await put(depot, n); // as a camera that begins anew
    const numbers: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      const frame = readers[turn % 2].tryNext();
      if (frame !== undefined) numbers.push(frame.frameNumber);
    }
    assertEquals([numbers, groupOf(depot)?.from, groupOf(depot)?.lost], [[...expected], from, 0]);
  });
}

depotTest("frames({ group, from: number }) passes over lower numbers, until the first that is not", async (name) => {
  await using depot = await make(name, [5, 6, 7]);
  const readers = [member(depot, { from: 9 }), member(depot), member(depot, { from: 9 })];
  assertEquals(readers.map((reader) => reader.tryNext()), [undefined, undefined, undefined]);
  assertEquals(depot.length, 0);
  for (const n of [8, 9, 3, 10]) await put(depot, n);
  assertEquals(readers.map((reader) => reader.tryNext()?.frameNumber), [9, 3, 10]);
  assertEquals(groupOf(depot)?.lost, 0);
});

depotTest(
  "frames({ group }) refuses another `from` than the group's, and takes the group's if none is said",
  async (name) => {
    await using depot = await make(name, [1, 2]);
    const first = member(depot, { from: "latest" });
    for (const from of ["oldest", "next", 2] as const) {
      assertMatch(
        messageOf(() => member(depot, { from })),
        new RegExp(`^RangeError: group "detectors" of depot "${name}" began with from "latest", .* says "?${from}"?:`),
      );
    }
    assertEquals([first, member(depot), member(depot, { from: "latest" })].map((r) => r.tryNext()?.frameNumber), [
      2,
      undefined,
      undefined,
    ]);
    assertEquals([groupOf(depot)?.members, depot.stats().peers[0].readers.length], [3, 3]);
  },
);

depotTest("frames({ group }) checks its name before anything is touched", async (name) => {
  await using depot = await make(name);
  const cases: [unknown, string][] = [
    [5, "TypeError: group must be a string: 5"],
    [null, "TypeError: group must be a string: null"],
    ["", 'RangeError: group must have 1 to 64 bytes of UTF-8: "" has 0'],
    ["x".repeat(65), `RangeError: group must have 1 to 64 bytes of UTF-8: "${"x".repeat(40)}…" has 65`],
    ["é".repeat(33), `RangeError: group must have 1 to 64 bytes of UTF-8: "${"é".repeat(33)}" has 66`],
    ["\ud800", 'RangeError: group must be whole characters: "\\ud800" has half of one'],
  ];
  for (const [group, message] of cases) {
    assertEquals(messageOf(() => depot.frames({ group: group as string })), message);
  }
  for (const mode of ["lossy", "latest"] as const) {
    assertMatch(messageOf(() => member(depot, { mode })), new RegExp(`^TypeError: group "detectors" .* "${mode}":`));
  }
  assertEquals(depot.stats().groups, []);
  for (const group of ["x".repeat(64), "é".repeat(32), "\0", "a b", "🎥"]) {
    const reader = depot.frames({ group, mode: "lossless" });
    assertEquals(groupOf(depot, group)?.members, 1);
    reader.release();
  }
});

depotTest("frames({ group }) without a free group says which there are, and takes one that has ended", async (name) => {
  await using depot = await make(name, [], { maxGroups: 2 });
  const a = depot.frames({ group: "a" });
  using _b = depot.frames({ group: "b" });
  assertEquals(await errorOf(() => member(depot)), "TOO_MANY_PEERS");
  assertMatch(
    messageOf(() => member(depot)),
    /cannot join group "detectors" of depot ".*": all 2 groups are in use \(maxGroups\): "a", "b"; .*more/,
  );
  const other = depot.frames({ group: "a" });
  a.release();
  assertEquals(await errorOf(() => member(depot)), "TOO_MANY_PEERS");
  other.release();
  using _next = member(depot);
  assertEquals(depot.stats().groups.map(({ name, members }) => [name, members]), [[GROUP, 1], ["b", 1]]);
});

depotTest("create with maxGroups 0 has no groups, and says so", async (name) => {
  await using depot = await make(name, [1], { maxGroups: 0 });
  assertMatch(messageOf(() => member(depot)), /DepotError: cannot join group "detectors" .* maxGroups 0; make it with/);
  assertEquals([await errorOf(() => member(depot)), depot.stats().groups], ["TOO_MANY_PEERS", []]);
  assertEquals(depot.frames().tryNext()?.frameNumber, 1);
});

depotTest("frames({ group }) takes one of maxReaders for each member, and one for the group", async (name) => {
  await using depot = await make(name, [], { maxReaders: 3 });
  const a = member(depot);
  using _b = member(depot);
  assertMatch(
    messageOf(() => member(depot)),
    /cannot join group .*: all 3 readers are in use \(maxReaders\); each member/,
  );
  assertEquals(await errorOf(() => member(depot)), "TOO_MANY_PEERS");
  a.release();
  using _next = member(depot);
  assertEquals(groupOf(depot)?.members, 2);
});

depotTest(
  "frames({ group }) leaves nothing behind when there is a place for a member and none for its group",
  async (name) => {
    await using depot = await make(name, [1, 2], { maxReaders: 1 });
    assertEquals(await errorOf(() => member(depot)), "TOO_MANY_PEERS");
    assertEquals(depot.stats().peers[0].readers, []);
    assertEquals(depot.frames().tryNext()?.frameNumber, 1);
  },
);

depotTest(
  "frames({ group }) whose last member leaves is no more: what it passed is consumed, the rest waits",
  async (name) => {
    await using depot = await make(name, [0, 1, 2, 3]);
    const [a, b] = [member(depot), member(depot)];
    const [first] = [a.tryNext()!, b.tryNext()!];
    a.release();
    assertEquals([first.released, groupOf(depot)?.members], [true, 1]);
    b.release();
    assertEquals([groupOf(depot)?.members, depot.length], [0, 2]);
    assertEquals((await depot.enqueue({ frameNumber: 4, frame: pixels(4) })).state, "stored");
    const again = member(depot);
    assertEquals([again.tryNext()?.frameNumber, again.tryNext()?.redelivered], [2, false]);
    // A reader without a group begins where the group's cursor is.
    assertEquals(depot.frames().tryNext()?.frameNumber, 4);
  },
);

depotTest("frames({ group }) ends with end() once no other member has a frame", async (name) => {
  await using depot = await make(name, [0, 1, 2]);
  const [a, b] = [member(depot), member(depot)];
  const frame = a.tryNext()!;
  depot.end();
  assertEquals([b.tryNext()?.frameNumber, b.tryNext()?.frameNumber], [1, 2]);
  assertEquals([b.tryNext(), b.ended], [undefined, undefined]);
  const ending = b.next();
  assertEquals(await Promise.race([ending, sleep(50)]), undefined);
  frame.release();
  assertEquals([(await ending).done, b.ended], [true, "ended"]);
  assertEquals([a.tryNext(), a.ended, groupOf(depot)?.members], [undefined, "ended", 0]);
});

depotTest("frames({ group }) ends for members that keep clones, none of which waits for the other", async (name) => {
  await using depot = await make(name, [0, 1, 2, 3]);
  await using other = await FramesDepot.open(name);
  const [a, b, c] = [member(depot), member(other), member(depot)];
  const clones = [a, b].map((reader) => [1, 2].map(() => reader.tryNext()!.clone()));
  depot.end();
  const endings = [a, b, c].map((reader) => reader.next());
  const first = await Promise.race(endings.map((ending, index) => ending.then(() => index)));
  clones[first].forEach((clone) => clone.release());
  assertEquals((await endings[1 - first]).done, true);
  assertEquals(await Promise.race([endings[2], sleep(50)]), undefined);
  assertEquals(clones[1 - first].map((clone) => clone.data[0]), first === 0 ? [2, 3] : [0, 1]);
  clones[1 - first].forEach((clone) => clone.release());
  assertEquals((await endings[2]).done, true);
  assertEquals([a.ended, b.ended, c.ended], ["ended", "ended", "ended"]);
});

depotTest(
  "frames({ group, whenProducersGone }) ends once producers are gone and no other has a frame",
  async (name) => {
    await using depot = await make(name);
    const producer = await FramesDepot.open(name);
    for (const n of [0, 1]) await put(producer, n);
    const [a, b] = [0, 1].map(() => member(depot, { whenProducersGone: "end" }));
    const frame = a.tryNext()!;
    assertEquals(b.tryNext()?.frameNumber, 1);
    await producer.close();
    const ending = b.next();
    assertEquals(await Promise.race([ending, sleep(50)]), undefined);
    frame.release();
    assertEquals([(await ending).done, b.ended], [true, "producers-gone"]);
    assertEquals([a.tryNext(), a.ended], [undefined, "producers-gone"]);
  },
);

depotTest(
  "frames({ group }) whose members close their depot objects leaves nothing, and gives nothing again",
  async (name) => {
    await using depot = await make(name, [0, 1, 2]);
    const others = [await FramesDepot.open(name), await FramesDepot.open(name)];
    const readers = others.map((other) => member(other));
    for (const reader of readers) reader.tryNext();
    readers[1].tryNext()?.clone();
    await others[1].close();
    assertEquals([groupOf(depot)?.members, groupOf(depot)?.held], [1, 1]);
    assertEquals(readers[0].tryNext(), undefined);
    await others[0].close();
    const { redelivered, dropped, lost, members } = groupOf(depot)!;
    assertEquals([redelivered, dropped, lost, members, depot.length], [0, 0, 0, 0, 0]);
    for (let n = 3; n < 20; n++) {
      await put(depot, n);
      depot.getFrame(n)?.release();
    }
  },
);

for (const looks of [true, false]) {
  depotTest(
    `FrameReader of a group that is forgotten leaves it, its frame ${looks ? "" : "not "}looked at`,
    async (name) => {
      await using peer = new Peer(HERE, "group_forgotten_peer.ts", { name, looks }, { collects: true });
      assertEquals(await peer.line(), { before: 1, members: 1, held: 0, redelivered: 0, next: 1 });
      assertEquals(await peer.exit(), 0, peer.errors);
    },
  );
}

depotTest("frames({ group }) keeps its counters while groups of the name come and go", async (name) => {
  await using depot = await make(name, [], { whenFull: "overwrite" });
  const lose = async () => {
    const reader = member(depot);
    for (let n = 0; n < 10; n++) await put(depot, n);
    for (let frame = reader.tryNext(); frame !== undefined; frame = reader.tryNext());
    reader.release();
    return groupOf(depot)!.lost;
  };
  const first = await lose();
  assert(first > 0);
  assertEquals(await lose(), 2 * first);
  const other = depot.frames({ group: "others" });
  assertEquals(groupOf(depot, "others")?.lost, 0);
  other.release();
});
