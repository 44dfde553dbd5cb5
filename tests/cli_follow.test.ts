/**
 * `read` and `record` while cameras are killed and come back, and `write` where the name is another's: what goes on,
 * what ends, and what is whole then.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { inFolder } from "./support/folder.ts";
import { depotTest, STARTED } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";
import { decoded, move, type Moved, OTHER, VideoCommand, videoTest } from "./support/video.ts";

const SMALL = { frameSize: [4, 2, 1], pixelFormat: "gray", maxSize: 8, whenFull: "wait" } as const;
const LARGE = { ...SMALL, frameSize: [8, 2, 1] } as const;
const RAW = ["--size", "4x2", "--format", "gray"];
const gray = (value: number, bytes = 8) => ({ frameNumber: value, frame: new Uint8Array(bytes).fill(value) });
const firstBytes = ({ out }: Moved) => Array.from({ length: out.length / 8 }, (_, index) => out[index * 8]);
const text = ({ out }: Moved) => new TextDecoder().decode(out);
/** A frame and a half: a command recognizes what it gets by more bytes than a frame has. */
const BEGUN = new Uint8Array(12);
const moment = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A camera in a process of its own, with frames in its depot. */
async function camera(
  name: string,
  options: DepotOptions,
  frames: number[],
  how: "create" | "createOrOpen" = "create",
): Promise<Remote> {
  const remote = new Remote(OTHER);
  assertEquals(await remote.tell({ do: how, name, options }), "made");
  for (const frameNumber of frames) await remote.tell({ do: "enqueue", frameNumber });
  return remote;
}

/** Waits until a lossless reader has read everything: it is there, and goes on waiting. */
async function isRead(depot: FramesDepot): Promise<void> {
  const hasRead = () =>
    depot.stats().peers.some(({ readers }) => readers.some(({ lag, read }) => lag === 0 && read > 0));
  while (!hasRead()) await moment();
}

/** Kills a camera whose frames have been read. */
async function kill(name: string, victim: Remote): Promise<void> {
  await using depot = await FramesDepot.open(name);
  await isRead(depot);
  await victim.kill();
}

/** Numbers of a recording, and whether it is whole. */
async function recorded(file: string, name: string): Promise<{ numbers: number[]; lost: number; complete: boolean }> {
  const info = JSON.parse(text(await move(["replay", file, "--info", "--json"])));
  await using player = new VideoCommand(["replay", file, name, "--speed", "max"]);
  const numbers: number[] = [];
  for await (const { frameNumber } of FramesDepot.follow(name, { whenEnded: "end" })) numbers.push(frameNumber);
  assertEquals((await player.done).code, 0);
  return { numbers, lost: info.lost, complete: info.complete };
}

for (const runtime of STARTED) {
  for (const how of ["create", "createOrOpen"] as const) {
    depotTest(`read goes on when a killed camera comes back with ${how}, until it ends (${runtime})`, async (name) => {
      await using reader = new VideoCommand(["read", name], { runtime });
      await using victim = await camera(name, SMALL, [1, 2], how);
      await kill(name, victim);
      await using second = await camera(name, SMALL, [3], how);
      await kill(name, second);
      await using last = await camera(name, SMALL, [4, 5], how);
      await last.tell({ do: "end" });
      const done = await reader.done;
      assertEquals([done.code, firstBytes(done)], [0, [1, 2, 3, 4, 5]], done.errors);
    });
  }

  depotTest(`read ends with 4 when the camera comes back with another size (${runtime})`, async (name) => {
    await using reader = new VideoCommand(["read", name], { runtime });
    await using victim = await camera(name, SMALL, [1, 2]);
    await kill(name, victim);
    await using _next = await camera(name, LARGE, [3]);
    const done = await reader.done;
    assertEquals([done.code, firstBytes(done)], [4, [1, 2]]);
    assertStringIncludes(done.errors, `depot "${name}" has another shape now, 8×2×1 gray after 4×2×1 gray: standard`);
  });

  videoTest(`read --output --follow-format makes a file for each size (${runtime})`, async ({ name, folder }) => {
    const output = join(folder, "out.mkv");
    const options = ["--output", output, "--ffmpeg", "-c:v ffv1", "--follow-format", "--json"];
    await using reader = new VideoCommand(["read", name, ...options], { runtime });
    await using victim = await camera(name, SMALL, [1, 2]);
    await kill(name, victim);
    await using last = await camera(name, LARGE, [3]);
    await last.tell({ do: "end" });
    const done = await reader.done;
    assertEquals(done.code, 0, done.errors);
    const files = [output, join(folder, "out.1.mkv")];
    const { bytes: _, ...said } = JSON.parse(text(done));
    assertEquals(said, { depot: name, frames: 3, lost: 0, files, encoded: 3, whole: true });
    assertEquals([...decoded(files[0])], [1, 2].flatMap((value) => Array(8).fill(value)));
    assertEquals([...decoded(files[1])], Array(16).fill(3));
  });

  depotTest(`record keeps numbers across restarts, and says what was lost (${runtime})`, async (name, another) => {
    await inFolder(async (folder) => {
      const file = join(folder, "out.fdr");
      await using recorder = new VideoCommand(["record", name, file, "--json"], { runtime });
      await using victim = await camera(name, SMALL, [10, 11]);
      await kill(name, victim);
      if (process.platform !== "win32") recorder.signal("SIGSTOP"); // it misses what is overwritten meanwhile
      await using last = await camera(name, { ...SMALL, maxSize: 4, whenFull: "overwrite" }, [0, 1, 2, 3, 4, 5]);
      await last.tell({ do: "end" });
      if (process.platform !== "win32") recorder.signal("SIGCONT");
      const done = await recorder.done;
      assertEquals(done.code, 0, done.errors);
      const { frames, lost } = JSON.parse(text(done));
      assertEquals(frames + lost, 8);
      if (process.platform !== "win32") assertEquals(lost, 2);
      const { numbers, complete } = await recorded(file, another());
      assertEquals([numbers, complete], [[10, 11, 0, 1, 2, 3, 4, 5].toSpliced(2, lost), true]);
    });
  });

  depotTest(`record ends with 4 at another size, or makes a file for each (${runtime})`, async (name, another) => {
    await inFolder(async (folder) => {
      for (
        const [options, code, files] of [[[], 4, ["a.fdr"]], [["--follow-format"], 0, ["b.fdr", "b.1.fdr"]]] as const
      ) {
        const file = join(folder, files[0]);
        await using recorder = new VideoCommand(["record", name, file, ...options], { runtime });
        await using victim = await camera(name, SMALL, [1, 2]);
        await kill(name, victim);
        await using last = await camera(name, LARGE, [3]);
        await last.tell({ do: "end" });
        const done = await recorder.done;
        assertEquals(done.code, code, done.errors);
        if (code === 4) assertStringIncludes(done.errors, `--follow-format goes on in ${join(folder, "a.1.fdr")}`);
        assertEquals(existsSync(join(folder, "a.1.fdr")), false);
        const wanted = [[1, 2], [3]].slice(0, files.length);
        for (const [index, file] of files.entries()) {
          assertEquals((await recorded(join(folder, file), another())).numbers, wanted[index]);
        }
        await last.kill();
      }
    });
  });

  depotTest(`record --last writes what it keeps when the shape changes (${runtime})`, async (name, another) => {
    await inFolder(async (folder) => {
      const pattern = join(folder, "crash-{n}.fdr");
      const options = ["--last", "2", "--mode", "lossless", "--follow-format", "--on-exit"];
      await using recorder = new VideoCommand(["record", name, pattern, ...options], { runtime });
      await using victim = await camera(name, SMALL, [1, 2, 3]);
      await kill(name, victim);
      await using last = await camera(name, LARGE, [4]);
      await last.tell({ do: "end" });
      assertEquals((await recorder.done).code, 0);
      assertEquals((await recorded(join(folder, "crash-1.fdr"), another())).numbers, [2, 3]);
      assertEquals((await recorded(join(folder, "crash-2.fdr"), another())).numbers, [4]);
    });
  });

  depotTest(`write ends the depot, unless it is told not to (${runtime})`, async (name, another) => {
    for (
      const [depotName, options, ends] of [[name, [], "ended"], [another(), ["--no-end"], "producers-gone"]] as const
    ) {
      await using writer = new VideoCommand(["write", depotName, ...RAW, ...options], {
        runtime,
        input: new Uint8Array(16).fill(7),
      });
      await using depot = await FramesDepot.open(depotName, { timeoutMs: 60_000 });
      const frames = depot.frames({ whenProducersGone: "end" });
      const numbers: number[] = [];
      for await (const { frameNumber } of frames) numbers.push(frameNumber);
      assertEquals([numbers, frames.ended, (await writer.done).code], [[0, 1], ends, 0]);
    }
  });

  depotTest(`write ends no depot that another process fills (${runtime})`, async (name) => {
    await using reader = new VideoCommand(["read", name], { runtime });
    await using first = new VideoCommand(["write", name, ...RAW], { runtime, input: new Uint8Array(16), open: true });
    await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
    while (depot.stats().stored < 2) await moment();
    const second = await move(["write", name, ...RAW, "--join"], { runtime, input: new Uint8Array(8).fill(2) });
    assertEquals([second.code, depot.ended], [0, false], second.errors);
    first.child.stdin!.end();
    assertEquals([(await first.done).code, depot.ended], [0, true]);
    const done = await reader.done;
    assertEquals([done.code, firstBytes(done)], [0, [0, 0, 2]]);
  });

  depotTest(`write takes a name whose producers are gone, and a live one with --replace (${runtime})`, async (name) => {
    await using victim = await camera(name, LARGE, [1]);
    await using held = await FramesDepot.open(name);
    const input = new Uint8Array(8).fill(9);
    const refused = await move(["write", name, ...RAW], { runtime, input });
    assertEquals(refused.code, 4);
    assertMatch(
      refused.errors,
      /process \d+ fills it, and its frameSize is 8,2,1, not 4,2,1; --replace takes the name/,
    );
    await using camera2 = new VideoCommand(["write", name, ...RAW, "--replace"], { runtime, input: BEGUN, open: true });
    while (!held.replaced) await moment();
    assertEquals(await victim.tell({ do: "enqueue", frameNumber: 2 }), "REPLACED");
    await using second = await FramesDepot.open(name);
    assertEquals(second.frameSize, [4, 2, 1]);
    camera2.signal("SIGKILL");
    await camera2.done;
    await using _camera3 = new VideoCommand(["write", name, "--size", "2x2", "--format", "gray"], { runtime, input });
    while (!second.replaced) await moment();
    await using frames = FramesDepot.follow(name);
    assertEquals((await frames.next()).value?.width, 2);
  });

  depotTest(`write says that its depot was replaced (${runtime})`, async (name) => {
    await using writer = new VideoCommand(["write", name, ...RAW], { runtime, input: BEGUN, open: true });
    await using old = await FramesDepot.open(name, { timeoutMs: 60_000 });
    while (old.stats().stored === 0) await moment();
    await using _next = await FramesDepot.create(name, { ...LARGE, replace: true });
    writer.child.stdin!.end(new Uint8Array(4));
    const done = await writer.done;
    assertEquals(done.code, 4, done.errors);
    assertStringIncludes(done.errors, "another depot has its name since");
  });

  depotTest(`read --follow goes on after the end of a depot, and says what it waits for (${runtime})`, async (name) => {
    await using reader = new VideoCommand(["read", name, "--follow"], { runtime });
    let errors = "";
    const said = new Promise<void>((resolve) =>
      reader.child.stderr!.on("data", (more: string) => (errors += more).includes("has ended") && resolve())
    );
    {
      await using depot = await FramesDepot.create(name, SMALL);
      await depot.enqueue(gray(1));
      depot.end();
      await said;
    }
    assertStringIncludes(errors, `depot "${name}" has ended: waiting for the next one; Ctrl-C ends the wait\n`);
    await using depot = await FramesDepot.create(name, SMALL);
    await depot.enqueue(gray(2));
    await isRead(depot);
    reader.signal("SIGINT");
    const done = await reader.done;
    assertEquals([done.code, firstBytes(done)], [130, [1, 2]]);
    assert(depot.stats().peers.every(({ self }) => self));
  });
}

depotTest("read refuses options that contradict each other", async (name) => {
  const both = await move(["read", name, "--follow", "--when-producers-gone", "end"]);
  assertEquals([both.code, both.errors.split(":")[1]], [
    2,
    " --follow waits for producers, and --when-producers-gone end does not",
  ]);
  const format = await move(["read", name, "--follow-format"]);
  assertEquals(format.code, 2);
  assertStringIncludes(format.errors, "--follow-format needs --output");
});
