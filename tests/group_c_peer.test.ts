/**
 * A member of a group that was written in C from docs/internals/protocol.md alone (tests/c_peer/group.c) shares frames
 * with members in TypeScript, forms their group, dies before them and after them.
 */
import { assert, assertEquals } from "@std/assert";
import { after } from "node:test";
import { FramesDepot } from "../mod.ts";
import { CPeer, possible, removePrograms } from "./c_peer/program.ts";
import { COMPILER_MS } from "./support/c_peer_scene.ts";
import { depotTest, HERE, Peer, skip } from "./support/harness.ts";
import type { GroupOrder } from "./support/group_peer.ts";

const GROUP = "detectors";
const FRAMES = 400;

type Line = { frame: number; redelivered: boolean } | { read: number; ended: string };

after(removePrograms);

function cTest(title: string, body: (depot: FramesDepot) => Promise<void>): void {
  depotTest(title, async (name) => {
    if (!possible) return skip("the C peer is for Linux");
    await using depot = await FramesDepot.create(name, { frameSize: [4, 4, 1], maxSize: 7, whenFull: "wait" });
    await body(depot);
  }, { watchdogMs: COMPILER_MS });
}

async function member(depot: FramesDepot, count: number, ...options: string[]): Promise<CPeer> {
  const peer = await CPeer.start("member", depot.name, count, GROUP, ...options);
  assertEquals(await peer.line(), { ready: true });
  return peer;
}

async function put(depot: FramesDepot, ...numbers: number[]): Promise<void> {
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: new Uint8Array(16) });
}

/** All that a C member gets until it ends. */
async function readAll(peer: CPeer): Promise<{ frames: number[]; ended: string }> {
  const frames: number[] = [];
  for (;;) {
    const line = await peer.line<Line>();
    if ("ended" in line) return { frames, ended: line.ended };
    assert(!line.redelivered);
    frames.push(line.frame);
  }
}

const groupOf = (depot: FramesDepot) => depot.stats().groups[0];

for (const first of ["C", "TypeScript"]) {
  cTest(`frames({ group }) formed by ${first} shares each frame once between C and TypeScript`, async (depot) => {
    const early = first === "C" ? undefined : depot.frames({ group: GROUP });
    await using peer = await member(depot, FRAMES + 1);
    const reader = early ?? depot.frames({ group: GROUP, from: "oldest" });
    const [c, mine] = [readAll(peer), [] as number[]];
    const loop = (async () => {
      for await (const frame of reader) {
        mine.push(frame.frameNumber);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    for (let n = 0; n < FRAMES; n++) await put(depot, n);
    depot.end();
    await loop;
    const { frames, ended } = await c;
    assertEquals([ended, reader.ended, groupOf(depot).lost], ["ended", "ended", 0]);
    assertEquals([...frames, ...mine].sort((a, b) => a - b), Array.from({ length: FRAMES }, (_, n) => n));
    assert(frames.length > 0 && mine.length > 0, `${frames.length} and ${mine.length}`);
    await peer.leave();
    assertEquals(groupOf(depot).members, 0);
  });
}

cTest("frames({ group }) gives the frame of a member in C that is killed to one in TypeScript", async (depot) => {
  const reader = depot.frames({ group: GROUP, timeoutMs: 20_000 });
  const peer = await member(depot, 2, "holds=1");
  await put(depot, 0, 1, 2);
  assertEquals(await peer.line(), { frame: 0, redelivered: false });
  assertEquals(await peer.line(), { frame: 1, redelivered: false });
  await peer.kill();
  depot.stats();
  const got = [];
  for (let frame = reader.tryNext(); frame; frame = reader.tryNext()) got.push([frame.frameNumber, frame.redelivered]);
  assertEquals([got, groupOf(depot).redelivered], [[[1, true], [2, false]], 1]);
});

cTest("a member in C recovers one in TypeScript that is killed, and gets its frame", async (depot) => {
  await using victim = new Peer(HERE, "group_peer.ts", {});
  const tell = async (order: GroupOrder) => {
    victim.send(order);
    return (await victim.line<{ answer: unknown }>()).answer;
  };
  await tell({ do: "open", name: depot.name });
  await tell({ do: "join", options: { group: GROUP } });
  await put(depot, 0);
  assertEquals(await tell({ do: "take" }), [0, false]);
  await using peer = await member(depot, 2);
  await victim.kill();
  assertEquals(await peer.line(), { frame: 0, redelivered: true });
  await put(depot, 1);
  assertEquals(await peer.line(), { frame: 1, redelivered: false });
  await peer.line();
  await peer.leave();
  assertEquals([groupOf(depot).members, groupOf(depot).redelivered, depot.stats().peers.length], [0, 1, 1]);
});

cTest(
  "a member in C that is the last one dissolves the group of the dead, and counts what it dropped",
  async (depot) => {
    const holder = await member(depot, 1, "holds=1");
    const reader = depot.frames({ group: GROUP });
    await put(depot, 0, 1);
    assertEquals(await holder.line(), { frame: 0, redelivered: false });
    reader.release();
    await holder.kill();
    // It recovers the dead while it waits, as a reader that is no member.
    await using follower = await CPeer.start("follow", depot.name, 1, "lossy");
    assertEquals(await follower.line(), { ready: true });
    await follower.line();
    await follower.leave();
    assertEquals(depot.stats().groups.map(({ members, dropped }) => [members, dropped]), [[0, 1]]);
    const next = depot.frames({ group: GROUP });
    assertEquals([next.tryNext()?.frameNumber, next.tryNext()], [1, undefined]);
  },
);
