/**
 * Where `grab` puts its pictures: files, terminals, pipes; and what it says where there is no picture.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fitted } from "../cli/video/fitting.ts";
import { FramesDepot } from "../mod.ts";
import { pathWithout } from "./support/fake_ffmpeg.ts";
import { cliCommand } from "./support/cli.ts";
import { depotTest, skip, STARTED } from "./support/harness.ts";
import { mountable } from "./support/namespaces.ts";
import { bytesOfFile, decoded, ffmpeg, makeClip, move, sameBytes, VideoCommand, videoTest } from "./support/video.ts";

const TERMINAL = fileURLToPath(new URL("./support/terminal.py", import.meta.url));
const hasPython = spawnSync("python3", ["--version"]).status === 0;
/** What a terminal is known by; the tests run without the variables of their own terminal. */
const TERMINAL_VARIABLES = [
  ...["KITTY_WINDOW_ID", "KITTY_PID", "TERM_PROGRAM", "LC_TERMINAL", "WEZTERM_PANE", "WEZTERM_UNIX_SOCKET"],
  ...["KONSOLE_VERSION", "GHOSTTY_RESOURCES_DIR"],
];

videoTest("grab writes a JPEG that looks like the frame, and says which frame it was", async ({ name, folder }) => {
  const ramp = Uint8Array.from(
    { length: 64 * 48 * 3 },
    (_, i) => [Math.floor(i / 3) % 64 * 4, Math.floor(i / 192) * 5, 90][i % 3],
  );
  await using depot = await FramesDepot.create(name, { frameSize: [64, 48, 3] });
  await depot.enqueue({ frameNumber: 41, timestampNs: 5n, frame: ramp });
  await depot.enqueue({ frameNumber: 42, frame: new Uint8Array(64 * 48 * 3) });
  const file = join(folder, "out.jpg");
  writeFileSync(file, "what was there", { mode: 0o640 });
  const { code, out, errors } = await move(["grab", name, file, "--frame", "41", "--quality", "95", "--json"]);
  assertEquals(code, 0, errors);
  assertEquals(JSON.parse(new TextDecoder().decode(out)), {
    ...{ depot: name, file, frameNumber: 41, timestampNs: "5", width: 64, height: 48 },
  });
  assertEquals([...bytesOfFile(file).subarray(0, 3)], [0xff, 0xd8, 0xff]);
  assertEquals([readdirSync(folder), statSync(file).mode & 0o777], [["out.jpg"], 0o640]);
  const pixels = decoded(file, ["-pix_fmt", "rgb24"]);
  const error = pixels.reduce((sum, value, i) => sum + (value - ramp[i]) ** 2, 0) / pixels.length;
  assert(error < 25, `mean square error ${error}`); // more than 34 dB
});

videoTest("grab says what is not there, or cannot be a picture", async ({ name, another, folder }) => {
  const file = join(folder, "out.png");
  assertEquals((await move(["grab", name, file])).code, 3);
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2, 1] });
  assertEquals((await move(["grab", name, file])).code, 3);
  await depot.enqueue({ frameNumber: 7, frame: new Uint8Array(8) });
  const missing = await move(["grab", name, file, "--frame", "9"]);
  assertEquals(missing.code, 3);
  assertStringIncludes(missing.errors, "no frame 9 (pending)");
  assertEquals((await move(["grab", name, join(folder, "out.gif")])).code, 2);
  assertEquals((await move(["grab", name])).code, 2);
  await using other = await FramesDepot.create(another(), { frameSize: [4, 2, 1], pixelFormat: "mystery" });
  await other.enqueue({ frame: new Uint8Array(8) });
  const unknown = await move(["grab", other.name, file]);
  assertEquals(unknown.code, 4);
  assertStringIncludes(unknown.errors, 'its pixel format, "mystery", has no meaning here');
});

test("fitted keeps the proportions, and each pixel is the mean of those that it stands for", () => {
  const data = Uint8Array.from({ length: 8 * 4 }, (_, i) => i);
  const small = fitted({ width: 8, height: 4, channels: 1, data }, { width: 4, height: 100 });
  assertEquals([small.width, small.height, small.channels], [4, 2, 4]);
  assertEquals([...small.data.subarray(0, 4)], [4, 4, 4, 255]); // (0 + 1 + 8 + 9) / 4, rounded down
});

for (const runtime of STARTED) {
  videoTest(
    `grab without a file shows the picture in a terminal, as the terminal can, in ${runtime}`,
    async ({ name }) => {
      if (!hasPython) return skip("no python3 here");
      await using depot = await FramesDepot.create(name, { frameSize: [2, 3, 3] });
      await depot.enqueue({ frame: Uint8Array.from({ length: 18 }, (_, i) => i) });
      const shown = (variables: Record<string, string>) => {
        const set = Object.entries(variables).map((pair) => pair.join("="));
        const command = ["env", ...TERMINAL_VARIABLES.flatMap((key) => ["-u", key]), ...set, ...cliCommand(runtime)];
        const task = { command: [...command, "grab", name], columns: 80, rows: 24, steps: [] };
        const run = spawnSync("python3", [TERMINAL, JSON.stringify(task)], { encoding: "utf8" });
        const { output, code } = JSON.parse(run.stdout);
        assertEquals(code, 0, output);
        return output as string;
      };
      const blocks = shown({});
      assertStringIncludes(blocks, "\x1b[38;2;0;1;2m\x1b[48;2;6;7;8m▀\x1b[38;2;3;4;5m");
      assertStringIncludes(blocks, "\n\x1b[38;2;12;13;14m▀");
      const [, payload] = shown({ KITTY_WINDOW_ID: "1" }).split("\x1b_Ga=T,f=100,m=0;");
      assertEquals(atob(payload.split("\x1b")[0]).slice(1, 4), "PNG");
      assertStringIncludes(
        shown({ TERM_PROGRAM: "iTerm.app", TERM_PROGRAM_VERSION: "3.4.0" }),
        "\x1b]1337;File=inline=1",
      );
      assertStringIncludes(shown({ TERM: "mlterm" }), "\x1bP");
    },
  );
}

for (const runtime of STARTED) {
  videoTest(`grab leaves the picture there is where a new one has no room (${runtime})`, async ({ name, folder }) => {
    if (mountable === undefined) return skip("no file systems can be mounted here: needs Linux and namespaces");
    await using depot = await FramesDepot.create(name, { frameSize: [200, 200, 3] });
    const frame = new Uint8Array(120_000).map(() => Math.random() * 256); // packs badly
    await depot.enqueue({ frame });
    const shell = 'mount -t tmpfs -o size=64k tmpfs "$1" && cd "$1" && echo good > x.png; shift; ' +
      '"$@" x.png; code=$?; ls; cat x.png; exit $code';
    const disk = join(folder, "disk");
    mkdirSync(disk);
    const grab = [...cliCommand(runtime), "grab", name];
    const { status, stdout, stderr } = spawnSync("unshare", [...mountable, "sh", "-c", shell, "sh", disk, ...grab], {
      encoding: "utf8",
    });
    assertEquals([status, stdout], [5, "x.png\ngood\n"], stderr);
    assertStringIncludes(stderr, "cannot write x.png: no space left on device");
  });
}

depotTest("grab ends quietly when the reader of its output has gone", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [512, 512, 3] });
  await depot.enqueue({ frame: new Uint8Array(512 * 512 * 3).map((_, i) => (i * i) >> 3) });
  for (const runtime of STARTED) {
    await using grab = new VideoCommand(["grab", name, "-"], { runtime });
    grab.child.stdout!.destroy();
    const { code, errors } = await grab.done;
    assertEquals([code, errors], [0, ""]);
  }
});

for (const runtime of STARTED) {
  videoTest(`grab and read --output decode JPEG and H.264 (${runtime})`, async ({ another, folder }) => {
    const clip = makeClip(folder, { frames: 6 });
    for (const [label, options] of [["mjpeg", ["-q:v", "2"]], ["h264", ["-bf", "0", "-g", "4"]]] as const) {
      const name = another();
      const codec = label === "h264" ? "libx264" : label;
      const pieces = label === "h264" ? ["-bsf:v", "h264_mp4toannexb"] : [];
      const frames = [0, 1, 2, 3, 4, 5].map((n) => join(folder, `${label}-${n}.bin`));
      const all = join(folder, `${label}.mkv`);
      ffmpeg(["-i", clip, "-c:v", codec, ...options, all]);
      // One packet a file.
      const cut = [
        "-map",
        "0",
        "-c",
        "copy",
        ...pieces,
        "-f",
        "segment",
        "-segment_format",
        label,
        "-break_non_keyframes",
        "1",
      ];
      ffmpeg(["-i", all, ...cut, "-segment_frames", "1,2,3,4,5", join(folder, `${label}-%d.bin`)]);
      await using depot = await FramesDepot.create(name, {
        ...{ frameSize: [160, 120, 1], pixelFormat: label, frameBytes: 100_000, variableLength: true, maxSize: 8 },
      });
      for (const [n, frame] of frames.entries()) {
        await depot.enqueue({ frame: bytesOfFile(frame), timestampNs: n * 40_000_000 });
      }
      const picture = join(folder, `${label}.png`);
      const grabbed = await move(["grab", name, picture, "--frame", "5"], { runtime });
      assertEquals(grabbed.code, 0, grabbed.errors);
      const rgb = ["-pix_fmt", "rgb24"];
      const size = 160 * 120 * 3;
      assert(sameBytes(decoded(picture, rgb), decoded(all, rgb).subarray(5 * size)), label);
      const without = await move(["grab", name, picture], { runtime, path: pathWithout(folder) });
      assertEquals(without.code, 5, without.errors);
      assertStringIncludes(without.errors, `its frames are ${label}, which ffmpeg decodes: cannot run ffmpeg`);
      const output = join(folder, `${label}.out.mkv`);
      const task = ["read", name, "--output", output, "--frames", "6", "--ffmpeg", "-c:v ffv1"];
      const read = await move(task, { runtime });
      assertEquals(read.code, 0, read.errors);
      const alone = join(folder, `${label}.alone.mkv`);
      ffmpeg(["-i", all, "-c:v", "ffv1", alone]);
      assert(sameBytes(decoded(output), decoded(alone)), label);
    }
  });
}
