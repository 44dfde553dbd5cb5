/**
 * Waits that only another process can end, and lines that are written beside a progress bar: people must see what goes
 * on.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { cliCommand } from "./support/cli.ts";
import { depotTest, skip, STARTED } from "./support/harness.ts";
import { mountable } from "./support/namespaces.ts";
import { hasTerminal, onTerminal } from "./support/terminal.ts";
import { VideoCommand } from "./support/video.ts";
import { IS_WINDOWS, NO_SIGNALS } from "./support/windows.ts";

const SHAPE = { frameSize: [4, 2, 1] as [number, number, number], pixelFormat: "gray", maxSize: 2 };
const grayFrame = (value: number) => ({ frameNumber: value, frame: new Uint8Array(8).fill(value) });

/** Waits until a command complains of something. @throws {Error} when it ends without */
async function complains({ child, done }: VideoCommand, text: string): Promise<void> {
  let errors = "";
  const said = new Promise<true>((resolve) =>
    child.stderr!.on("data", (more: string) => (errors += more).includes(text) && resolve(true))
  );
  if (await Promise.race([said, done]) !== true) throw new Error(`it ended without ${JSON.stringify(text)}: ${errors}`);
}

for (const runtime of STARTED) {
  depotTest(`read waits also where the system does not let it look at other depots (${runtime})`, (name, another) => {
    if (mountable === undefined) return skip("no file systems can be mounted here: needs Linux and namespaces");
    const other = `/dev/shm/frames-depot.${another()}`;
    const shell = `mount -t tmpfs tmpfs /dev/shm && : > ${other} && mount -o remount,ro /dev/shm && exec "$@"`;
    const read = [...cliCommand(runtime), "read", name, "--timeout", "3"];
    const { status, stderr } = spawnSync("unshare", [...mountable, "sh", "-c", shell, "sh", ...read], {
      encoding: "utf8",
      timeout: 60_000,
    });
    assertEquals(status, 3, stderr);
    assertStringIncludes(stderr, `waiting for depot "${name}"\nerror: depot "${name}" is not there after 3 s`);
  });

  depotTest(`write says that it waits for a reader, and goes on when one comes (${runtime})`, async (name) => {
    const input = Uint8Array.from({ length: 5 * 8 }, (_, index) => index);
    const parameters = ["write", name, "--size", "4x2", "--format", "gray", "--max-size", "2"];
    await using writer = new VideoCommand(parameters, { runtime, input });
    await complains(writer, `depot "${name}" is full: waiting for a reader`);
    await using reader = new VideoCommand(["read", name], { runtime });
    assertEquals([...(await reader.done).out], [...input]);
    assertEquals((await writer.done).code, 0);
  });

  for (const command of [["watch"], ["record", "--last", "2"]]) {
    depotTest(`${command[0]} says that a full depot waits for a lossless reader (${runtime})`, async (name) => {
      if (IS_WINDOWS) return skip(NO_SIGNALS);
      const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
      try {
        await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "wait" });
        for (const value of [1, 2]) await depot.enqueue(grayFrame(value));
        const [verb, ...options] = command;
        const file = verb === "record" ? [join(folder, "out.fdr")] : [];
        await using waiting = new VideoCommand([verb, name, ...file, ...options], { runtime });
        await complains(waiting, `depot "${name}" is full and waits for a lossless reader`);
        waiting.signal("SIGINT");
        assertEquals((await waiting.done).code, 130);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  depotTest(`record writes its lines beside the progress bar, not into it (${runtime})`, async (name) => {
    if (!hasTerminal) return skip("no pseudo-terminal here: needs python3");
    if (process.platform === "win32") return skip("no such signals here");
    const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
    try {
      await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "overwrite" });
      await depot.enqueue(grayFrame(1));
      const file = join(folder, "moment-{n}.fdr");
      const { output, code, restored } = await onTerminal(runtime, ["record", name, file, "--last", "2"], [
        { shows: `${name} 1 frames`, signal: "SIGUSR2" },
        { shows: "moment-1.fdr: 1 frame", signal: "SIGINT" },
      ]);
      assertEquals([code, restored], [130, true], output);
      for (const text of ["kill -USR2", join(folder, "moment-1.fdr")]) {
        const before = output.slice(0, output.indexOf(text));
        assert(before.endsWith("\x1b[2K"), JSON.stringify(before.slice(-80)));
      }
      // What the bar restores at its end is where it stands, not where it began two lines above.
      const end = output.slice(output.lastIndexOf("\x1b7"));
      assertStringIncludes(end, "\x1b8");
      assert(!end.includes("\n"), JSON.stringify(end));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
