/**
 * What `write` makes of its options: what is wrong with them is said before the first frame is there.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { depotTest, type Runtime, skip, STARTED } from "./support/harness.ts";
import { fileOf, move, VideoCommand, videoTest } from "./support/video.ts";

/** Waits until a command has said something. */
async function errorsHave({ child, done }: VideoCommand, text: string): Promise<void> {
  let errors = "";
  const said = new Promise<void>((resolve) => {
    child.stderr!.on("data", (more: string) => (errors += more).includes(text) && resolve());
  });
  await Promise.race([said, done.then(({ errors }) => Promise.reject(new Error(`it ended: ${errors}`)))]);
}

for (const runtime of STARTED) {
  videoTest(`write --pace says nothing of frames that are due just now (${runtime})`, async ({ name }) => {
    // 20 frames a millisecond: between two looks at the clock, many a frame is due no more.
    const input = new Uint8Array(50_000 * 8);
    const task = ["write", name, "--size", "4x2", "--format", "gray", "--rate", "20000", "--pace"];
    const { code, errors } = await move([...task, "--when-full", "overwrite", "--no-linger"], { runtime, input });
    assertEquals([code, errors], [0, ""]);
  });
}

/** Standard input stays open and empty: what is refused is refused before a frame is there. */
async function refusedAtOnce(parameters: string[], runtime: Runtime): Promise<[code: number, errors: string]> {
  await using command = new VideoCommand(["write", ...parameters], { runtime, open: true });
  const { code, errors } = await command.done;
  return [code, errors];
}

for (const runtime of STARTED) {
  depotTest(`write says at once what is wrong with its options (${runtime})`, async (name, another) => {
    await using _roomy = await FramesDepot.create(another(), { frameSize: [4, 2, 1], maxReaders: 64 });
    const raw = [name, "--size", "64x48", "--format", "gray"];
    const wrong: [parameters: string[], says: RegExp][] = [
      [[...raw, "--max-size", "2000000"], /'--max-size <frames>' .*'2000000' .* from 1 to 1048576\./],
      [[name, "--input", "-", "--max-size", "1048577"], /'--max-size <frames>' .* from 1 to 1048576\./],
      [[...raw, "--max-readers", "1024"], /'--max-readers <number>' .* from 1 to 1023\./],
      [[...raw, "--wait-readers", "1024"], /'--wait-readers <number>' .* from 1 to 1023\./],
      [[...raw, "--wait-readers", "32"], /^error: --wait-readers 32 waits for more .* --max-readers 31: raise that/],
      [[...raw, "--wait-readers", "3", "--max-readers", "2"], /^error: --wait-readers 3 .* --max-readers 2: raise/],
      [[name, "--input", ""], /--input <file or url>' argument '' is invalid\. It must be a file or URL, or - for/],
      [[name, "-i", "a.mp4", "-i", "b.mp4"], /argument 'b\.mp4' is invalid\. There can be one, and 'a\.mp4' was given/],
      [[...raw, "--join", "--replace"], /^error: --join adds a producer .*, and --replace takes the name .*choose one/],
      [[name, "--size", "99999x99999", "--format", "gray"], /9999800001 bytes, and may have 4294901760; .* --size/],
      [
        [name, "--size", "60000x60000", "--format", "gray", "--max-size", "1048576"],
        /^error: 1048576 frames of --size 60000x60000 would have .* --max-size/,
      ],
    ];
    for (const [parameters, says] of wrong) {
      const [code, errors] = await refusedAtOnce(parameters, runtime);
      assertEquals(code, 2, `${parameters.join(" ")}: ${errors}`);
      assertMatch(errors, says);
    }
  });

  depotTest(`write --wait-readers counts the readers that the depot has room for (${runtime})`, async (name) => {
    // A depot that others hold may have more room than a new one; one that is replaced does not count.
    const shape = { frameSize: [4, 2] as const, pixelFormat: "gray", maxReaders: 64, whenFull: "wait" as const };
    await using depot = await FramesDepot.create(name, shape);
    const raw = ["write", name, "--size", "4x2", "--format", "gray", "--wait-readers", "32"];
    {
      await using command = new VideoCommand(raw, { runtime, input: new Uint8Array(16), open: true });
      await errorsHave(command, "waiting for 32 readers of depot");
    }
    await depot.end();
    const { code, errors } = await move(raw, { runtime, input: new Uint8Array(16) });
    assertEquals(code, 2, errors);
    assertMatch(errors, /^error: --wait-readers 32 .* --max-readers 31: raise that/);
  });
}

for (const runtime of STARTED) {
  videoTest(`write --json prints its object also where it fails before the first frame (${runtime})`, async (scene) => {
    const { name, another, folder } = scene;
    const filled = another();
    await using depot = await FramesDepot.create(filled, { frameSize: [4, 2], pixelFormat: "gray" });
    await depot.enqueue({ frame: new Uint8Array(8) });
    const raw = ["--size", "4x2", "--format", "gray"];
    const failing: [parameters: string[], code: number][] = [
      [[name, ...raw], 1], // its standard input is empty
      [[name, "--input", fileOf(folder, "text", new Uint8Array(99))], 1],
      [[name, "--input", join(folder, "missing")], 3],
      [[filled, ...raw], 4],
    ];
    for (const [[of, ...rest], expected] of failing) {
      const input = of === filled ? new Uint8Array(16) : undefined;
      const { code, out, errors } = await move(["write", of, "--json", ...rest], { runtime, input });
      assertEquals(code, expected, errors);
      const object = JSON.parse(new TextDecoder().decode(out));
      assertEquals(object, { depot: of, frames: 0, dropped: 0, bytes: 0, tookMs: 0 });
    }
    const wrong = await move(["write", name, "--json", "--input", "-", "--loop"], { runtime });
    assertEquals([wrong.code, wrong.out.length], [2, 0]);
    const done = await move(["write", name, "--json", ...raw, "--no-linger"], { runtime, input: new Uint8Array(16) });
    const { frames, bytes } = JSON.parse(new TextDecoder().decode(done.out));
    assertEquals([done.code, frames, bytes], [0, 2, 16]);
  });
}

for (const runtime of STARTED) {
  depotTest(`write names the limit that has no room, and its own options that need less (${runtime})`, async (name) => {
    if (process.platform !== "linux") return skip("limits are looked at on Linux");
    // 18 TB: refused before any of it is allocated.
    const task = ["write", name, "--size", "60000x60000", "--format", "gray", "--max-size", "5000"];
    const { code, errors } = await move(task, { runtime, input: new Uint8Array(16) });
    assertEquals(code, 5, errors);
    assertMatch(errors, /^error: cannot create depot ".*": 18000\.0 GB are needed where .* (left|available).*\n/);
    assertMatch(errors, /\n.+; a smaller `--max-size` or `--size` needs less\n$/);
  });
}
