/**
 * What the commands that move video refuse at once, with the same exit codes, and what `write` and `replay` print.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatsLike } from "../cli/video/pixel_formats.ts";
import { FramesDepot } from "../mod.ts";
import { type Runtime, skip, STARTED } from "./support/harness.ts";
import { hasTerminal, onTerminal } from "./support/terminal.ts";
import { fileOf, makeClip, move, moveBoth, videoTest } from "./support/video.ts";

type Refused = [parameters: string[], code: number, says: RegExp];

/** A few at a time. */
async function refuses(refused: Refused[], runtime: Runtime): Promise<void> {
  for (let i = 0; i < refused.length; i += 4) {
    await Promise.all(
      refused.slice(i, i + 4).map(async ([parameters, expected, says]) => {
        const { code, errors } = await move(parameters, { runtime });
        assertEquals(code, expected, `${parameters.join(" ")}: ${errors}`);
        assertMatch(errors, says);
      }),
    );
  }
}

const decodedText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

for (const runtime of STARTED) {
  videoTest(`read, record and grab find a wrong output while there is no depot yet (${runtime})`, async (scene) => {
    const { name, folder } = scene;
    const there = fileOf(folder, "there.mp4", new Uint8Array(1));
    const nowhere = join(folder, "nowhere");
    // None has a --timeout: they would wait for the depot.
    const refused: Refused[] = [
      [["read", name, "--output", join(folder, "out.xyz")], 1, /^error: ffmpeg failed: .*out\.xyz/],
      [
        ["read", name, "--output", join(nowhere, "out.mp4")],
        5,
        /cannot write .*out\.mp4: there is no folder .*nowhere;/,
      ],
      [["read", name, "--output", folder, "--overwrite"], 5, /it is a folder; name a file in it/],
      [["read", name, "--output", ""], 2, /--output is empty/],
      [["read", name, "--overwrite"], 2, /--overwrite needs --output/],
      [["read", name, "--rate", "5"], 2, /--rate needs --y4m or --output/],
      [["read", name, "--output", "-"], 2, /--output names a file, not a pipe \(-\)/],
      [["read", name, "--output", "pipe:1", "--ffmpeg", "-f nut"], 2, /not a pipe \(pipe:1\)/],
      [["read", name, "--output", there], 4, /it exists; --overwrite replaces it/],
      [["record", name, join(nowhere, "out.fdr")], 5, /cannot write .*out\.fdr: there is no folder .*nowhere;/],
      [["record", name, there], 4, /it exists; --overwrite replaces it/],
      [["record", name, join(nowhere, "{time}.fdr"), "--last", "3"], 5, /there is no folder/],
      [["record", name, join(there, "out.fdr")], 5, /there\.mp4 is no folder/],
      [["grab", name, join(nowhere, "x.png"), "--timeout", "600"], 5, /there is no folder/],
    ];
    await refuses(refused, runtime);
  });

  videoTest(`write, read, record, grab and replay have the same exit codes (${runtime})`, async ({ name, folder }) => {
    const clip = makeClip(folder, { frames: 3 });
    const missing = join(folder, "missing");
    const refused: Refused[] = [
      ...[
        ["write", "a/b", "--input", clip],
        ["read", "a/b"],
        ["read", "a/b", "--output", join(folder, "x.mp4")],
        ["record", "a/b", join(folder, "x.fdr")],
        ["grab", "a/b", join(folder, "x.png")],
      ].map((parameters): Refused => [parameters, 2, /a depot's name may have .*"a\/b"/]),
      [["write", name, "--input", missing], 3, /cannot open .*missing: no such file or directory/],
      [["replay", missing, name], 3, /cannot open .*missing: no such file or directory/],
      [["write", name, "--input", fileOf(folder, "text", new Uint8Array(99))], 1, /ffmpeg failed/],
      [["replay", join(folder, "text"), name], 1, /it is not a recording/],
      [["grab", name, join(folder, "x.png")], 3, /there is none/],
      [["read", name, "--timeout", "0.01"], 3, /is not there after 0.01 s/],
      [["write", name, "--size", "4x2", "--format", "RGB24"], 2, /"RGB24" is not known; did you mean rgb24\?/],
      [["write", name, "--input", clip, "--format", "nosuch"], 2, /"nosuch" is not known; docs\/video\.md says/],
    ];
    await refuses(refused, runtime);
  });

  videoTest(`record and replay refuse options that would be ignored (${runtime})`, async ({ name, folder }) => {
    const file = join(folder, "out.fdr");
    const onlyPlays = (option: string) => new RegExp(`^error: ${option} is for playing, and --info plays nothing`);
    await refuses([
      [["record", name, file, "--on-exit"], 2, /^error: --on-exit needs --last: without it, the file has all frames/],
      [["replay", file, name, "--info"], 2, new RegExp(`^error: --info plays nothing, and depot "${name}" is named`)],
      ...[
        ["--speed", "3"],
        ["--speed", "1"],
        ["--from", "7"],
        ["--to", "7"],
        ["--at", "1"],
        ["--strict"],
        ["--loop"],
        ["--timestamps", "now"],
        ["--no-end"],
        ["--no-linger"],
        ["--linger", "1"],
      ].map((options): Refused => [["replay", file, "--info", ...options], 2, onlyPlays(options[0])]),
      [["replay", file, "--info", "--json"], 3, /cannot open .*out\.fdr: no such file/],
    ], runtime);
  });

  videoTest(`replay has a speed at which its waits end (${runtime})`, async ({ name, folder }) => {
    const file = join(folder, "out.fdr");
    const limits = /'--speed <factor>' .* It must be a number from 0\.001 to 1000000, or max, which does not wait\./;
    await refuses([
      ...["1e-9", "0.000999", "0", "1000001", "Infinity", "fast", " "].map((text): Refused => [
        ["replay", file, name, "--speed", text],
        2,
        limits,
      ]),
      ...["0.001", "1e6", "max"].map((text): Refused => [
        ["replay", file, name, "--speed", text],
        3,
        /cannot open .*out\.fdr: no such file/,
      ]),
    ], runtime);
  });

  videoTest(`write and replay say in a line what they have done (${runtime})`, async ({ another, folder }) => {
    const clip = makeClip(folder, { frames: 7 });
    const [name, recording] = [another(), join(folder, "out.fdr")];
    const [written, recorded] = await moveBoth([["write", name, "--input", clip], { runtime }], [
      ["record", name, recording],
    ]);
    assertEquals([written.code, recorded.code, written.errors], [0, 0, ""]);
    assertMatch(decodedText(written.out), new RegExp(`^${name}: 7 frames in [\\d.]+ m?s, 0 dropped\\n$`));
    const played = await move([
      "replay",
      recording,
      another(),
      "--speed",
      "max",
      "--when-full",
      "drop",
      "--max-size",
      "3",
    ], {
      runtime,
    });
    assertEquals([played.code, played.errors], [0, ""]);
    assertMatch(decodedText(played.out), /: 3 frames in [\d.]+ m?s, 4 dropped\n$/);
  });

  videoTest(`write shows a bar that fills, and its line after it (${runtime})`, async ({ name, folder }) => {
    if (!hasTerminal) return skip("no pseudo-terminal here: needs python3");
    const clip = makeClip(folder, { frames: 20 });
    const task = ["write", name, "--input", clip, "--pace", "--when-full", "overwrite", "--no-linger"];
    const { output, code, restored } = await onTerminal(runtime, task, [], 120);
    assertEquals([code, restored], [0, true], output);
    const bars = [...output.matchAll(/(█*)(░*) (\d+)\/20 /g)].map((
      [, full, rest, n],
    ) => [full.length, rest.length, +n]);
    assertEquals([bars[0], bars.at(-1)], [[0, 24, 0], [24, 0, 20]], output);
    for (const [full, rest, n] of bars) assertEquals([full, full + rest], [Math.round(n / 20 * 24), 24]);
    assertMatch(output, new RegExp(`\\x1b\\[2K${name}: 20 frames in [\\d.]+ m?s, 0 dropped\r\n$`));
  });

  videoTest(`grab --frame says which frames there are (${runtime})`, async ({ name, folder }) => {
    const shape = { frameSize: [4, 2] as const, pixelFormat: "gray", maxSize: 4, whenFull: "overwrite" as const };
    await using depot = await FramesDepot.create(name, shape);
    const picture = join(folder, "x.png");
    const empty = await move(["grab", name, picture, "--frame", "3"], { runtime });
    assertEquals(empty.code, 3, empty.errors);
    assertStringIncludes(empty.errors, `no frame 3 (pending): it is empty`);
    for (let n = 10; n < 20; n++) await depot.enqueue({ frameNumber: n, frame: new Uint8Array(8) });
    const { code, errors } = await move(["grab", name, picture, "--frame", "12"], { runtime });
    assertEquals(code, 3, errors);
    assertMatch(errors, /depot ".*" has no frame 12 \(\w+\): it has 16 to 19; --timeout/);
  });
}

videoTest("record --last makes no folder of a placeholder's and goes on without one", async ({ name, folder }) => {
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2], pixelFormat: "gray" });
  await depot.enqueue({ frame: new Uint8Array(8) });
  mkdirSync(join(folder, "1"));
  const pattern = join(folder, "{n}", "out.fdr");
  const task = ["record", name, pattern, "--last", "3", "--on-exit", "--frames", "1"];
  const { code, errors } = await move(task);
  assertEquals(code, 0, errors);
});

test("formatsLike finds the name that was meant", () => {
  const meant = { RGB24: ["rgb24"], yuv420: ["yuv420p"], "yuv420p10": ["yuv420p10le"], gray16be: ["gray16le"] };
  for (const [name, expected] of Object.entries(meant)) assertEquals(formatsLike(name).slice(0, 1), expected, name);
  assertEquals(formatsLike("nosuch"), []);
});
