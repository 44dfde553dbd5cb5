/**
 * `ls`, `stat` and `watch` on real depots: what they say is what the depot says, and looking changes nothing.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertMatch, assertStringIncludes } from "@std/assert";
import { rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { crc32 } from "node:zlib";
import { FramesDepot } from "../mod.ts";
import { Cli, runCli } from "./support/cli.ts";
import { depotTest, errorOf, HERE, skip, STARTED } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";
import { IS_WINDOWS, NO_SIGNALS, NO_STALE } from "./support/windows.ts";

const SHAPE = { frameSize: [4, 2, 3] as [number, number, number], pixelFormat: "rgb24" };
const frameOf = (value: number) => ({ frameNumber: value, frame: new Uint8Array(24).fill(value) });
const listed = (name: string) => FramesDepot.list().find((info) => info.name === name);

/** What only dead processes held: two frames are left in it. */
async function makeStale(name: string): Promise<void> {
  await using victim = new Remote();
  assertEquals(await victim.tell({ do: "create", name, options: SHAPE }), "made");
  for (const frameNumber of [1, 2]) await victim.tell({ do: "enqueue", frameNumber });
  await victim.kill();
}

/** A segment that no depot made; on other systems they are not files. */
function makeBroken(name: string): boolean {
  if (process.platform === "linux") writeFileSync(`/dev/shm/frames-depot.${name}`, "not a depot", { mode: 0o600 });
  return process.platform === "linux";
}

depotTest("ls lists live, stale and broken depots, and why", async (live, another) => {
  if (IS_WINDOWS) return skip(NO_STALE);
  const [stale, broken] = [another(), another()];
  await using depot = await FramesDepot.create(live, { ...SHAPE, maxSize: 5 });
  await depot.enqueue(frameOf(1));
  await makeStale(stale);
  const hasBroken = makeBroken(broken);
  try {
    for (const runtime of STARTED) {
      const { code, out } = await runCli(["ls", "--no-rates"], { runtime });
      assertEquals(code, 0);
      assertMatch(out, new RegExp(`^${live} +live +4×2×3 +rgb24 +1/5 `, "m"));
      assertMatch(out, new RegExp(`^${stale} +stale +4×2×3 +rgb24 +2/10 `, "m"));
      assertStringIncludes(out, `\n${stale}: stale, ${listed(stale)!.reason}\n`);
      if (hasBroken) {
        assertMatch(out, new RegExp(`^${broken} +broken `, "m"));
        assertStringIncludes(out, `\n${listed(broken)!.reason}\n`);
      }
    }
  } finally {
    rmSync(`/dev/shm/frames-depot.${broken}`, { force: true });
  }
});

depotTest("ls --json measures frames and bytes a second, and names the peers", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "overwrite" });
  const timer = setInterval(() => void depot.tryEnqueue(frameOf(1)), 5);
  try {
    const { code, out } = await runCli(["ls", "--json"]);
    assertEquals(code, 0);
    const found = JSON.parse(out).find((info: { name: string }) => info.name === name);
    assertEquals([found.state, found.pids, found.peers], ["live", [process.pid], 1]);
    assert(found.framesPerSecond > 0, out);
    assertEquals(found.bytesPerSecond, found.framesPerSecond * depot.frameBytes);
  } finally {
    clearInterval(timer);
  }
});

depotTest("ls fits the terminal: a name of 128 characters loses its middle, not its end", async (name) => {
  const long = `${name}-${"x".repeat(128)}`.slice(0, 127 - 4) + "-end1";
  await using _depot = await FramesDepot.create(long, SHAPE);
  const narrow = await runCli(["ls", "--no-rates"], { env: { COLUMNS: "80" } });
  const line = narrow.out.split("\n").find((line) => line.includes("-end1"))!;
  assertMatch(line, new RegExp(`^${name.slice(0, 8)}.*…x*-end1 +live`));
  for (const line of narrow.out.split("\n")) assert(line.length <= 80 || line.includes(": "), line);
  const piped = await runCli(["ls", "--no-rates"]);
  assertStringIncludes(piped.out, long);
});

depotTest("ls and stat leave a depot as they found it", async (name, another) => {
  if (IS_WINDOWS) return skip(NO_STALE);
  const stale = another();
  await using depot = await FramesDepot.create(name, { ...SHAPE, maxSize: 2 });
  for (const value of [1, 2]) await depot.enqueue(frameOf(value));
  await makeStale(stale);
  const before = depot.stats();
  for (const command of [["ls"], ["stat", name], ["stat", stale], ["top", "--once", "--interval", "0.1"]]) {
    assertEquals((await runCli(command)).code, 0);
  }
  assertEquals(depot.stats(), before);
  assertEquals(listed(stale)?.stale, true);
  await using rescued = await FramesDepot.open(stale, { stale: true });
  assertEquals([rescued.peekFrame(1)?.data[0], rescued.peekFrame(2)?.data[0]], [1, 2]);
});

depotTest("stat counts what the depot counts, and names the reader that blocks", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SHAPE, maxSize: 3 });
  const reader = depot.frames({ mode: "lossless" });
  for (const value of [1, 2, 3, 4, 5]) await depot.enqueue(frameOf(value));
  const { code, out } = await runCli(["stat", name, "--seconds", "0.1"]);
  assertEquals(code, 0);
  assertMatch(out, /frame +4 × 2 × 3 uint8, rgb24, 24 B\n/);
  assertMatch(out, /queue +3 of 3 frames; a full queue drops the new frame\n/);
  assertMatch(out, /stored +3 {2}0 frames\/s, 0 GB\/s\n/);
  assertMatch(out, /dropped +2 {2}0 frames\/s\n/);
  assertMatch(out, new RegExp(`${process.pid} +${HERE} .*producer +3 +2`));
  assertMatch(out, /lossless .*0 +0 +3 +blocks/);
  assertStringIncludes(out, `full: pid ${process.pid} holds the queue up, 3 behind\n`);

  const json = JSON.parse((await runCli(["stat", name, "--json", "--seconds", "0"])).out);
  const { peers, ...stats } = depot.stats();
  for (const [key, value] of Object.entries(stats)) assertEquals(json[key], value, key);
  // JSON leaves out what is undefined.
  assertEquals(json.peers, JSON.parse(JSON.stringify(peers.map((peer) => ({ ...peer, self: false })))));
  reader.release();
});

depotTest("stat and ls say of a depot that has ended that it takes no more", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue(frameOf(1));
  assertEquals((await runCli(["stat", name, "--seconds", "0"])).out.includes("takes no more"), false);
  depot.end();
  const { out } = await runCli(["stat", name, "--seconds", "0"]);
  assertMatch(out, /^ +ended +it takes no more frames; readers get what is left$/m);
  const { ended, replaced, linked, peers } = JSON.parse((await runCli(["stat", name, "--json", "--seconds", "0"])).out);
  assertEquals([ended, replaced, linked, peers[0].producer], [true, false, true, true]);
  assertEquals([listed(name)!.ended, FramesDepot.inspect(name)!.ended], [true, true]);
});

depotTest("stat and ls say of a live depot that its producers are gone", async (name) => {
  await using viewer = await FramesDepot.create(name, SHAPE);
  const says = async () => {
    const [stat, ls] = [await runCli(["stat", name, "--seconds", "0"]), await runCli(["ls", "--no-rates"])];
    const [one] = JSON.parse((await runCli(["ls", "--no-rates", "--json"])).out)
      .filter((info: { name: string }) => info.name === name);
    return [
      stat.out.includes("its producers are gone"),
      ls.out.includes(`${name}: its producers are`),
      one.producersGone,
    ];
  };
  assertEquals(await says(), [false, false, false]); // its maker has not begun
  const producer = await FramesDepot.open(name);
  await producer.enqueue(frameOf(1));
  assertEquals(await says(), [false, false, false]);
  await producer.close();
  assertEquals(await says(), [true, true, true]);
  assertEquals(JSON.parse((await runCli(["stat", name, "--seconds", "0", "--json"])).out).producersGone, true);
  viewer.end(); // no reader waits for a producer
  assertEquals(await says(), [false, false, true]);
});

depotTest("stat shows what a stale depot counted, its processes, and why it is stale", async (name) => {
  if (IS_WINDOWS) return skip(NO_STALE);
  await makeStale(name);
  const { code, out } = await runCli(["stat", name]);
  assertEquals(code, 0);
  assertMatch(out, /stored +2\n.*dropped +0\n/s);
  assertMatch(out, /^ *\d+ +(deno|bun|node) .*producer +2 +0 +dead$/m);
  const watched = await runCli(["watch", name]);
  assertEquals(watched.code, 3);
  assertStringIncludes(watched.errors, `cannot open depot "${name}": the processes that held it are dead\n`);
  assertStringIncludes(watched.errors, `\`frames-depot stat ${name}\` shows`);
  const { state, stored, peers } = JSON.parse((await runCli(["stat", name, "--json"])).out);
  assertEquals([state, stored, peers.map(({ alive }: { alive: boolean }) => alive)], ["stale", 2, [false]]);
  assert(out.startsWith(`${name}  stale: ${listed(name)!.reason}\n`), out);
  assertStringIncludes(out, "2 of 10 frames");
});

depotTest("stat says of a full depot which reader it waits for, and nothing where frames go", async (name, another) => {
  await using drops = await FramesDepot.create(name, { ...SHAPE, maxSize: 2 });
  await using waits = await FramesDepot.create(another(), { ...SHAPE, maxSize: 2, whenFull: "wait" });
  for (const depot of [drops, waits]) for (const value of [1, 2]) await depot.enqueue(frameOf(value));
  const said = async (depot: FramesDepot) => {
    const { out } = await runCli(["stat", depot.name, "--seconds", "0"]);
    return /^full: .*/m.exec(out)?.[0];
  };
  assertEquals(await said(drops), "full: no reader is attached, so the frames wait for one");
  using _dropped = drops.frames({ mode: "lossy" }), _waited = waits.frames({ mode: "lossy" });
  assertEquals(await said(drops), undefined);
  assertEquals(await said(waits), "full: no lossless reader is attached, so the frames wait for one");
});

depotTest("stat does not call a depot full that overwrites", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SHAPE, maxSize: 2, whenFull: "overwrite" });
  for (const value of [1, 2, 3]) await depot.enqueue(frameOf(value));
  const { out } = await runCli(["stat", name, "--seconds", "0"]);
  assertStringIncludes(out, "2 of 2 frames");
  assert(!out.includes("full:"), out);
});

depotTest("ls and stat need no place among the peers", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SHAPE, maxReaders: 1 });
  const others: FramesDepot[] = [];
  try {
    while (await errorOf(async () => void others.push(await FramesDepot.open(name))) === undefined);
    const { code, out } = await runCli(["stat", name, "--json", "--seconds", "0"]);
    assertEquals([code, JSON.parse(out).peers.length], [0, others.length + 1]);
    assertEquals((await runCli(["ls", "--json"])).code, 0);
    assertEquals(depot.stats().peers.length, others.length + 1);
  } finally {
    for (const other of others) await other.close();
  }
});

depotTest("watch prints number, gap, loss and checksum of each frame", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  const frames = [7, 8, 11].map((value, index) => ({ ...frameOf(value), timestampNs: 2_000_000 * (index + 1) }));
  for (const frame of frames) await depot.enqueue(frame);
  const { code, out } = await runCli(["watch", name, "--from", "oldest", "--count", "3", "--sum", "--json"]);
  assertEquals(code, 0);
  assertEquals(out.trim().split("\n").map((line) => JSON.parse(line)), [
    { frameNumber: 7, sequence: 0, timestampNs: "2000000", lost: 0, bytes: 24, crc32: sum(7) },
    { frameNumber: 8, sequence: 1, timestampNs: "4000000", gapMs: 2, lost: 0, bytes: 24, crc32: sum(8) },
    { frameNumber: 11, sequence: 2, timestampNs: "6000000", gapMs: 2, lost: 0, bytes: 24, crc32: sum(11) },
  ]);
  const table = (await runCli(["watch", name, "--from", "latest", "--count", "1"])).out;
  assertMatch(table, /NUMBER.*FIRST BYTES\n +11 +2 +0.006 s +0 +24 {2}0b0b0b0b0b0b0b0b\n$/);
});

const sum = (value: number) => crc32(new Uint8Array(24).fill(value)).toString(16).padStart(8, "0");

depotTest("watch waits for a depot and for a frame, as long as it may", async (name) => {
  await using watch = new Cli(["watch", name, "--timeout", "60", "--count", "1", "--from", "oldest"]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue(frameOf(9));
  const { code, out } = await watch.answer();
  assertEquals(code, 0);
  assertStringIncludes(out, "0909090909090909");
  const late = await runCli(["watch", name, "--timeout", "0.2"]);
  assertEquals(late.code, 3);
  assertStringIncludes(
    late.errors,
    `error: depot "${name}" brought no frame for 200 ms, the limit of --timeout; 0 frames`,
  );
  const never = await runCli(["watch", `${name}-not-there`, "--timeout", "0.1"]);
  assertEquals(never.code, 3);
  assertStringIncludes(never.errors, `"${name}-not-there" is not there after 0.1 s`);
});

depotTest("watch holds no producer back, even when it is stopped", async (name) => {
  if (IS_WINDOWS) return skip(NO_SIGNALS);
  await using depot = await FramesDepot.create(name, { ...SHAPE, maxSize: 4, whenFull: "wait" });
  const reader = depot.frames({ mode: "lossless" });
  await using watch = new Cli(["watch", name]);
  await watch.shows("NUMBER");
  process.kill(watch.child.pid!, "SIGSTOP");
  for (let value = 0; value < 100; value++) {
    await depot.enqueue(frameOf(value));
    assertEquals(reader.tryNext()?.frameNumber, value);
  }
  process.kill(watch.child.pid!, "SIGCONT");
  assertEquals(depot.stats().stored, 100);
  reader.release();
});

for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  depotTest(`watch ends at ${signal} with ${expected} and leaves the depot`, async (name) => {
    if (IS_WINDOWS) return skip(NO_SIGNALS);
    await using depot = await FramesDepot.create(name, SHAPE);
    for (const runtime of STARTED) {
      await using watch = new Cli(["watch", name], { runtime });
      await watch.shows("NUMBER");
      assertGreaterOrEqual(depot.stats().peers.length, 2);
      process.kill(watch.child.pid!, signal);
      assertEquals(await watch.answer().then(({ code, errors }) => [code, errors]), [expected, ""]);
      assertEquals(depot.stats().peers.length, 1);
    }
  });
}
