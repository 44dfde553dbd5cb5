/**
 * Loops that share frames: `frames({ group })` in one process. What happens when members die is in
 * `group_deaths.test.ts`, how groups begin and end in `group_life.test.ts`.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Frame, FrameReader, FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";
import { GROUP, make, member, pixels, put, sleep } from "./support/group_scene.ts";

const groupOf = (depot: FramesDepot) => depot.stats().groups.find(({ name }) => name === GROUP)!;

/** All that a reader gets now, each released at once. */
function drain(reader: FrameReader): number[] {
  const numbers: number[] = [];
  for (let frame = reader.tryNext(); frame !== undefined; frame = reader.tryNext()) numbers.push(frame.frameNumber);
  return numbers;
}

depotTest("frames({ group }) gives each frame to one member, in the order in which they take", async (name) => {
  await using depot = await make(name, [0, 1, 2, 3]);
  const [a, b] = [member(depot), member(depot)];
  const taken = [a, b, b, a].map((reader) => reader.tryNext()?.frameNumber);
  assertEquals([taken, a.tryNext(), b.tryNext()], [[0, 1, 2, 3], undefined, undefined]);
});

depotTest("frames({ group }) of two names, and a reader without one, get every frame each", async (name) => {
  await using depot = await make(name, [0, 1, 2]);
  const readers = [depot.frames({ group: "a" }), depot.frames({ group: "b" }), depot.frames()];
  assertEquals(readers.map(drain), [[0, 1, 2], [0, 1, 2], [0, 1, 2]]);
  assertEquals(depot.length, 0);
});

depotTest(
  "frames({ group }) holds producers back until a member has taken, and then by the frame alone",
  async (name) => {
    await using depot = await make(name, [0, 1, 2, 3]);
    const [slow, quick] = [member(depot), member(depot)];
    assertEquals(depot.queueIsFull, true);
    assertEquals(slow.tryNext()?.frameNumber, 0);
    assertEquals(drain(quick), [1, 2, 3]);
    // Five laps: the slow member's slot is passed over.
    for (let n = 4; n < 24; n++) {
      await put(depot, n);
      assertEquals(drain(quick), [n]);
    }
    assertEquals([groupOf(depot).lag, groupOf(depot).held], [0, 1]);
    slow.release();
    assertEquals(groupOf(depot).held, 0);
  },
);

depotTest("frames({ group }) lets a producer wait while every member is busy, and wakes it", async (name) => {
  await using depot = await make(name, [0, 1], { maxSize: 2 });
  const [a, b] = [member(depot), member(depot)];
  const held = [a.tryNext()!, b.tryNext()!];
  const storing = depot.enqueue({ frameNumber: 2, frame: pixels(2) });
  assertEquals(await Promise.race([storing, sleep(30)]), undefined);
  held[1].release();
  assertEquals((await storing).state, "stored");
  assertEquals(b.tryNext()?.frameNumber, 2);
});

for (const ending of ["break", "throw"] as const) {
  depotTest(`frames({ group }) counts a frame as done when its loop ends by ${ending}`, async (name) => {
    await using depot = await make(name, [0, 1]);
    const other = member(depot);
    const looping = async () => {
      for await (const frame of member(depot)) {
        assertEquals(frame.frameNumber, 0);
        if (ending === "break") break;
        throw new RangeError("on purpose");
      }
    };
    if (ending === "break") await looping();
    else await assertRejects(looping, RangeError, "on purpose");
    assertEquals([drain(other), groupOf(depot)], [[1], {
      ...groupOf(depot),
      members: 1,
      held: 0,
      redelivered: 0,
      lost: 0,
    }]);
  });
}

depotTest("Frame of a group is done when its last clone is released, also after its reader has ended", async (name) => {
  await using depot = await make(name, [0]);
  const reader = member(depot);
  const other = member(depot);
  const frame = reader.tryNext()!;
  const clones = [frame.clone(), frame.clone()];
  assertEquals(clones.map(({ redelivered }) => redelivered), [false, false]);
  reader.release();
  for (const clone of clones) {
    assertEquals([clone.data[0], groupOf(depot).held], [0, 1]);
    clone.release();
  }
  assertEquals([groupOf(depot).held, groupOf(depot).members, drain(other)], [0, 1, []]);
});

depotTest("Frame of a group is valid after its group is no more, and is not the next group's", async (name) => {
  await using depot = await make(name, [0, 1]);
  // It keeps the tail low, so that the next group begins with the same frame.
  await using _behind = depot.frames();
  const reader = member(depot);
  const kept = reader.tryNext()!.clone();
  reader.release();
  assertEquals(groupOf(depot).members, 0);
  const next = member(depot);
  const frame = next.tryNext()!;
  assertEquals([frame.frameNumber, frame.redelivered], [0, false]);
  kept.release(); // the old member's word is not that of the new one
  assertEquals([groupOf(depot).held, frame.data[0]], [1, 0]);
  assertEquals(drain(next), [1]);
});

for (const wait of ["next", "within", "nextSync", "readable"] as const) {
  depotTest(`frames({ group }) shares by ${wait}, and what waits is woken`, async (name) => {
    await using depot = await make(name);
    const timeoutMs = wait === "nextSync" ? 200 : 20_000;
    const take = (): () => Promise<Frame | undefined> => {
      if (wait === "readable") {
        const reader = depot.readable({ group: GROUP, timeoutMs }).getReader();
        return async () => (await reader.read()).value;
      }
      const reader = member(depot, { timeoutMs });
      if (wait === "next") return async () => (await reader.next()).value;
      return wait === "within" ? () => reader.within(timeoutMs) : () => Promise.resolve(reader.nextSync());
    };
    const members = [take(), take()];
    if (wait === "nextSync") await Promise.all([0, 1].map((n) => put(depot, n)));
    const waiting = members.map((take) => take());
    if (wait !== "nextSync") await Promise.all([0, 1].map((n) => put(depot, n)));
    const frames = await Promise.all(waiting);
    assertEquals(frames.map((frame) => frame?.frameNumber).sort(), [0, 1]);
    for (const frame of frames) frame?.release();
  });
}

depotTest("frames({ group }) spreads 300 frames over loops that wait, each once", async (name) => {
  await using depot = await make(name);
  const seen: number[][] = [[], [], []];
  const loops = seen.map(async (numbers) => {
    for await (const frame of member(depot)) {
      numbers.push(frame.frameNumber);
      if (frame.frameNumber % 7 === 0) await sleep(1);
    }
  });
  for (let n = 0; n < 300; n++) await put(depot, n);
  depot.end();
  await Promise.all(loops);
  assertEquals(seen.flat().sort((x, y) => x - y), Array.from({ length: 300 }, (_, n) => n));
  for (const numbers of seen) {
    assert(numbers.length > 0);
    assertEquals(numbers, numbers.toSorted((x, y) => x - y), "each member's are in order");
  }
});

depotTest("frames({ group }) in a depot that drops refuses new frames while all members are busy", async (name) => {
  await using depot = await make(name, [0, 1], { maxSize: 2, whenFull: "drop" });
  const reader = member(depot);
  const frame = reader.tryNext()!;
  assertEquals((await depot.enqueue({ frame: pixels(2) })).state, "dropped");
  assertEquals(frame.data[0], 0);
  assertEquals(drain(reader), [1]);
  assertEquals((await depot.enqueue({ frameNumber: 3, frame: pixels(3) })).state, "stored");
  assertEquals([drain(reader), groupOf(depot).lost], [[3], 0]);
});

depotTest("frames({ group }) in a depot that overwrites loses what no member took, and says so once", async (name) => {
  await using depot = await make(name, [], { whenFull: "overwrite" });
  const [a, b] = [member(depot), member(depot)];
  for (let n = 0; n < 4; n++) await put(depot, n);
  const held = a.tryNext()!;
  assertEquals(held.frameNumber, 0);
  for (let n = 4; n < 20; n++) await put(depot, n);
  assertEquals(held.data[0], 0); // the producer passed its slot over
  const frames: [number, number][] = [];
  for (let frame = b.tryNext(); frame !== undefined; frame = b.tryNext()) frames.push([frame.frameNumber, frame.lost]);
  const lost = frames.reduce((sum, [, lost]) => sum + lost, 0);
  // 1 frame held, the rest of the 20 read or lost; burned numbers are neither.
  assertEquals([1 + frames.length + lost, frames.at(-1)![0]], [20, 19]);
  assertEquals([groupOf(depot).lost, depot.stats().skipped > 0], [lost, true]);
});

depotTest("clearQueue takes what no member has taken, and what a member has it keeps", async (name) => {
  await using depot = await make(name, [0, 1, 2]);
  const reader = member(depot);
  const frame = reader.tryNext()!;
  await depot.clearQueue();
  assertEquals([frame.data[0], depot.length], [0, 0]);
  await put(depot, 3);
  const next = reader.tryNext()!;
  assertEquals([next.frameNumber, next.lost, groupOf(depot).lost], [3, 2, 2]);
});

depotTest("clearQueue takes what no member has taken, also from members that join afterwards", async (name) => {
  for (const whenFull of ["drop", "wait", "overwrite"] as const) {
    await using depot = await make(`${name}-${whenFull}`, [0, 1, 2], { whenFull });
    const first = member(depot);
    await depot.clearQueue();
    const second = member(depot);
    assertEquals(second.tryNext()?.frameNumber, undefined, whenFull);
    await put(depot, 3);
    assertEquals([second.tryNext()?.frameNumber, first.tryNext()], [3, undefined], whenFull);
  }
});

depotTest("frames({ group }) in a depot that overwrites counts no frame as lost that a member gets", async (name) => {
  await using depot = await make(name, [], { whenFull: "overwrite" });
  const [a, b] = [member(depot), member(depot)];
  await put(depot, 0);
  assertEquals([a.tryNext()?.frameNumber, b.tryNext()], [0, undefined]);
  await put(depot, 1);
  assertEquals(b.tryNext()?.frameNumber, 1);
  await put(depot, 2);
  using held = depot.peekFrame(2)!; // it stays in its slot, where b's place is, and a's is before it
  for (let n = 3; n < 20; n++) await put(depot, n);
  const frames = [a, b].flatMap((reader) => {
    const found: { frameNumber: number; lost: number }[] = [];
    for (let frame = reader.tryNext(); frame !== undefined; frame = reader.tryNext()) {
      found.push({ frameNumber: frame.frameNumber, lost: frame.lost });
    }
    return found;
  });
  const lost = frames.reduce((sum, frame) => sum + frame.lost, 0);
  assertEquals([held.data[0], 2 + frames.length + lost, groupOf(depot).lost], [2, 20, lost]);
  assert(frames.every(({ frameNumber }, i) => i === 0 || frameNumber > frames[i - 1].frameNumber));
});

depotTest("onBackpressure and stats name a member's process, and its readers say their group", async (name) => {
  const events: unknown[] = [];
  await using depot = await make(name, [0, 1], {
    maxSize: 2,
    whenFull: "drop",
    onBackpressure: ({ slowest }) => void events.push(slowest),
  });
  const reader = member(depot);
  reader.tryNext();
  await depot.enqueue({ frame: pixels(2) });
  const { peers: [{ pid, readers }], slowest, groups } = depot.stats();
  // Frame 1, and the number that was burned on the slot of frame 0.
  assertEquals([events, slowest], [[{ pid, lag: 2 }], { pid, lag: 2 }]);
  assertEquals(readers, [{ mode: "member", group: GROUP, gating: false, cursor: 1, lag: 2, read: 1, lost: 0 }]);
  assertEquals(groups, [
    { name: GROUP, from: "oldest", members: 1, lag: 2, held: 1, redelivered: 0, dropped: 0, lost: 0 },
  ]);
});
