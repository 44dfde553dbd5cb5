/**
 * `watch` and `top` while producers end, are killed and come back: they say what became of the depot, and go on with
 * the next one of its name.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { changeNotes } from "../cli/changes.ts";
import { conditionOf, lookAgain, lookAround } from "../cli/sight.ts";
import { Cli } from "./support/cli.ts";
import { depotTest, HERE, skip, STARTED } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";
import { IS_WINDOWS, NO_SIGNALS } from "./support/windows.ts";

const SMALL = { frameSize: [4, 2, 3] as [number, number, number], pixelFormat: "rgb24" };
const LARGE = { frameSize: [8, 2, 3] as [number, number, number], pixelFormat: "rgb24" };
const frameOf = (value: number, bytes = 24) => ({ frameNumber: value, frame: new Uint8Array(bytes).fill(value) });

/** What a line of `watch --json` says, without what differs from run to run. */
type Line = { event?: string; frameNumber?: number; lost?: number; gapMs?: number; frameSize?: number[] };

function linesOf(out: string): Line[] {
  return out.trim().split("\n").map((line) => JSON.parse(line));
}

async function producer(name: string, shape: typeof SMALL, how: "create" | "createOrOpen" = "create"): Promise<Remote> {
  const remote = new Remote();
  assertEquals(await remote.tell({ do: how, name, options: shape }), "made");
  return remote;
}

async function stop(watch: Cli): Promise<string> {
  process.kill(watch.child.pid!, "SIGINT"); // in Deno, child.kill() closes the pipes first
  const { code, out, errors } = await watch.answer();
  assertEquals([code, errors], [130, ""]);
  return out;
}

for (const last of ["leaves", "ends it"]) {
  depotTest(`Watching misses no frame that is stored just before the last producer ${last}`, async (name) => {
    if (HERE === "bun") return skip("bun test finds no packages of the command line");
    const { Watching } = await import("../cli/watching.ts");
    await using depot = await FramesDepot.create(name, SMALL);
    await depot.enqueue(frameOf(3));
    await using watching = new Watching(name, { from: "oldest", timeout: 5, signal: new AbortController().signal });
    await watching.begin();
    const seen = async () => {
      const found = await watching.next();
      return found !== undefined && "event" in found ? found.event : found?.frameNumber;
    };
    assertEquals(await seen(), 3);
    const { inspect } = FramesDepot;
    FramesDepot.inspect = (...parameters) => { // between its wait and its look
      FramesDepot.inspect = inspect;
      depot.tryEnqueue(frameOf(4));
      if (last === "ends it") depot.end();
      const info = inspect.apply(FramesDepot, parameters)!;
      return last === "ends it" ? info : { ...info, peers: 1 };
    };
    try {
      assertEquals(await seen(), 4);
    } finally {
      FramesDepot.inspect = inspect;
    }
    if (last === "ends it") assertEquals(await seen(), "ended");
  });
}

for (const runtime of STARTED) {
  for (const [what, shape, says] of [["the same", SMALL, "[4,2,3]"], ["another", LARGE, "[8,2,3]"]] as const) {
    depotTest(
      `watch goes on when a killed camera creates the depot anew, of ${what} size (${runtime})`,
      async (name) => {
        if (IS_WINDOWS) return skip(NO_SIGNALS);
        await using victim = await producer(name, SMALL);
        await using _holder = await FramesDepot.open(name);
        await using watch = new Cli(["watch", name, "--json", "--from", "oldest"], { runtime });
        await victim.tell({ do: "enqueue", frameNumber: 7 });
        await watch.shows('"frameNumber":7');
        await victim.kill();
        await using next = await producer(name, shape);
        for (const frameNumber of [1, 2]) await next.tell({ do: "enqueue", frameNumber });
        await watch.shows('"frameNumber":2');
        const lines = linesOf(await stop(watch));
        assertEquals(lines.map(({ event, frameNumber }) => event ?? frameNumber), [7, "replaced", 1, 2]);
        assertEquals(JSON.stringify(lines[1].frameSize), says);
        assertEquals([lines[2].gapMs, typeof lines[3].gapMs], [undefined, "number"]);
      },
    );
  }

  depotTest(`watch goes on in the same depot when a killed camera opens it again (${runtime})`, async (name) => {
    if (IS_WINDOWS) return skip(NO_SIGNALS);
    await using victim = await producer(name, SMALL, "createOrOpen");
    await using _holder = await FramesDepot.open(name);
    await using watch = new Cli(["watch", name, "--json", "--from", "oldest"], { runtime });
    await victim.tell({ do: "enqueue", frameNumber: 7 });
    await watch.shows('"frameNumber":7');
    await victim.kill();
    await using next = await producer(name, SMALL, "createOrOpen");
    await next.tell({ do: "enqueue", frameNumber: 8 });
    await watch.shows('"frameNumber":8');
    assertEquals(linesOf(await stop(watch)).map(({ event, frameNumber }) => event ?? frameNumber), [7, 8]);
  });

  depotTest(`watch leaves a depot that only it has open, and shows the next one (${runtime})`, async (name) => {
    if (IS_WINDOWS) return skip(NO_SIGNALS);
    await using victim = await producer(name, SMALL);
    await using watch = new Cli(["watch", name], { runtime });
    await watch.shows("NUMBER");
    await victim.kill();
    await watch.shows(`${name}: gone, all other processes have left it\n`);
    assertEquals(FramesDepot.inspect(name), undefined);
    await using next = await producer(name, LARGE);
    await next.tell({ do: "enqueue", frameNumber: 5 });
    await watch.shows(`${name}: back, 8×2×3 rgb24 after 4×2×3 rgb24\n`);
    await watch.shows("0505050505050505");
    await next.tell({ do: "close" });
    const again = `gone, all other processes have left it\n${name}: back, of the same shape, 8×2×3 rgb24\n`;
    await watch.shows("0505050505050505\n" + `${name}: gone`);
    await using last = await producer(name, LARGE);
    await watch.shows(again);
    await last.tell({ do: "close" });
    await stop(watch);
  });

  depotTest(`watch says that a depot has ended, and that its name was removed (${runtime})`, async (name) => {
    if (IS_WINDOWS) return skip(NO_SIGNALS);
    await using depot = await FramesDepot.create(name, SMALL);
    await using watch = new Cli(["watch", name], { runtime });
    await watch.shows("NUMBER");
    await depot.enqueue(frameOf(3));
    depot.end();
    await watch.shows(`0303030303030303\n${name}: ended, it takes no more frames\n`);
    await using next = await FramesDepot.create(name, { ...SMALL, replace: true });
    await watch.shows(`${name}: another depot has the name, of the same shape, 4×2×3 rgb24\n`);
    FramesDepot.unlink(name);
    await watch.shows(`${name}: its name was removed, so no other process finds it\n`);
    await next.enqueue(frameOf(4));
    await watch.shows("0404040404040404");
    await next.close();
    await using last = await FramesDepot.create(name, SMALL);
    await last.enqueue(frameOf(5));
    await watch.shows("0505050505050505");
    await stop(watch);
  });

  depotTest(`watch says that a depot has ended before it says that all have left it (${runtime})`, async (name) => {
    if (IS_WINDOWS) return skip(NO_SIGNALS);
    const depot = await FramesDepot.create(name, SMALL);
    await using watch = new Cli(["watch", name], { runtime });
    await watch.shows("NUMBER");
    await depot.enqueue(frameOf(3));
    depot.end();
    await depot.close();
    await watch.shows(`0303030303030303\n${name}: ended, it takes no more frames\n${name}: gone, all other`);
    await stop(watch);
  });

  depotTest(`watch --timeout ends it also while there is no depot any more (${runtime})`, async (name) => {
    const depot = await FramesDepot.create(name, SMALL);
    await using watch = new Cli(["watch", name, "--timeout", "1"], { runtime });
    await watch.shows("NUMBER");
    await depot.close();
    const { code, out, errors } = await watch.answer();
    assertEquals(code, 3);
    assertStringIncludes(out, ": gone");
    assertStringIncludes(errors, `error: depot "${name}" brought no frame for 1.0 s, the limit of --timeout; 0 frames`);
  });

  depotTest(`top --json goes on with the next depot of a name, without negative rates (${runtime})`, async (name) => {
    await using victim = await producer(name, SMALL);
    const ids = [FramesDepot.inspect(name)!.id!];
    for (let frameNumber = 0; frameNumber < 10; frameNumber++) await victim.tell({ do: "enqueue", frameNumber });
    await using top = new Cli(["top", "--json", "--interval", "0.05"], { runtime });
    await top.shows(ids[0]);
    await victim.kill();
    await using next = await producer(name, LARGE);
    await next.tell({ do: "enqueue", frameNumber: 1 });
    ids.push(FramesDepot.inspect(name)!.id!);
    await top.shows(ids[1]);
    process.kill(top.child.pid!, "SIGINT");
    const rows: Row[] = (await top.answer()).out.trim().split("\n").flatMap((line) => JSON.parse(line))
      .filter((row) => row.name === name);
    assertEquals([...new Set(rows.map(({ id }) => id))], ids);
    assert(
      rows.every(({ framesPerSecond = 0, droppedPerSecond = 0 }) => framesPerSecond >= 0 && droppedPerSecond >= 0),
    );
  });
}

/** A depot in `top --json`. */
type Row = { name: string; id: string; framesPerSecond?: number; droppedPerSecond?: number };

depotTest("top shows that a depot has ended, was replaced, and is gone", async (name) => {
  const seen: string[][] = [];
  let sights = lookAgain([]);
  const look = () => {
    sights = lookAgain(sights);
    const sight = sights.find(({ info }) => info.name === name)!;
    seen.push([conditionOf(sight), ...changeNotes([sight]).map((note) => note.replace(/.* s, /, ""))]);
  };
  await using depot = await FramesDepot.create(name, SMALL);
  look();
  depot.end();
  look();
  await using next = await FramesDepot.create(name, LARGE);
  look();
  await next.close();
  look();
  const note = "8×2×3 rgb24 after 4×2×3 rgb24";
  assertEquals(seen, [["live"], ["ended"], ["live", note], ["gone"]]);
});

depotTest("lookAround gives a replaced depot the rates of its own frames, never negative ones", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SMALL, whenFull: "overwrite" });
  for (let value = 0; value < 50; value++) await depot.enqueue(frameOf(value));
  const before = lookAround();
  await using next = await FramesDepot.create(name, { ...LARGE, replace: true });
  for (const value of [1, 2, 3]) await next.enqueue(frameOf(value, 48));
  const now = lookAround(before).find(({ info }) => info.name === name)!;
  const seconds = (now.atMs - before.find(({ info }) => info.name === name)!.atMs) / 1000;
  assertEquals(now.rates, { frames: 3 / seconds, bytes: 3 / seconds * 48, dropped: 0 });
  assertMatch(changeNotes([now])[0], new RegExp(`^${name}: another depot since .*, 8×2×3 rgb24 after 4×2×3 rgb24$`));
});

depotTest("lookAgain keeps the row of a depot that has gone in its place", async (first, another) => {
  const second = another();
  const depot = await FramesDepot.create(first, SMALL);
  await using _other = await FramesDepot.create(second, SMALL);
  const before = lookAround();
  await depot.close();
  const rows = lookAgain(lookAgain(before)).filter(({ info }) => [first, second].includes(info.name));
  assertEquals(rows.map(({ info, goneMs }) => [info.name, goneMs !== undefined]), [[first, true], [second, false]]);
  await using _back = await FramesDepot.create(first, SMALL);
  const [back] = lookAgain(rows).filter(({ info }) => info.name === first);
  assertEquals([back.goneMs, changeNotes([back]).length], [undefined, 1]);
});
