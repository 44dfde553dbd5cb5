/**
 * `grab` with sharp, installed in the folder of the command as users install it. Where it cannot be had, it says so.
 */
import { assert, assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { installed, output } from "../tools/support/ffmpegs.ts";
import { cliCommand } from "./support/cli.ts";
import { type Runtime, skip, STARTED } from "./support/harness.ts";
import { bytesOfFile, decoded, videoTest } from "./support/video.ts";

const SHARP = "sharp@0.35.5";
const [WIDTH, HEIGHT] = [64, 48];
/** Of 255: what a JPEG of good quality may differ by within one colour. */
const SLACK = 6;

/** Four colours, each a quarter. */
function quarters(): Uint8Array {
  const colors = [[220, 30, 40], [20, 200, 60], [10, 40, 230], [250, 240, 20]];
  const frame = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const isRight = i % WIDTH >= WIDTH / 2;
    const isLow = i >= WIDTH * HEIGHT / 2;
    frame.set(colors[(isRight ? 1 : 0) + (isLow ? 2 : 0)], i * 3);
  }
  return frame;
}

/** Runs `grab` in a folder. */
function grabIn(folder: string, runtime: Runtime, parameters: string[]): Promise<number | null> {
  const [executable, ...rest] = [...cliCommand(runtime), "grab", ...parameters];
  const child = spawn(executable, rest, { cwd: folder, env: process.env, stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve) => child.on("close", resolve));
}

for (const runtime of STARTED) {
  videoTest(`grab makes JPEG by sharp where that is installed, in the same colours (${runtime})`, async (scene) => {
    const { name, folder } = scene;
    let modules: string;
    try {
      modules = installed(SHARP, (made) => {
        writeFileSync(join(made, "package.json"), "{}");
        output("npm", ["install", "--silent", "--prefix", made, SHARP]);
      });
    } catch (error) {
      return skip(`${SHARP}: ${(error as Error).message}`);
    }
    await using depot = await FramesDepot.create(name, { frameSize: [WIDTH, HEIGHT, 3], pixelFormat: "rgb24" });
    const frame = quarters();
    await depot.enqueue({ frame });
    const pictures: Uint8Array[] = [];
    for (const from of [modules, folder]) {
      const picture = join(folder, `${pictures.length}.jpg`);
      assertEquals(await grabIn(from, runtime, [name, picture]), 0);
      const pixels = decoded(picture, ["-pix_fmt", "rgb24"]);
      assertEquals(pixels.length, frame.length);
      const farthest = pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - frame[i])), 0);
      assert(farthest <= SLACK, `${from}: ${farthest}`);
      pictures.push(bytesOfFile(picture));
    }
    assert(pictures[0].length !== pictures[1].length, "the other encoder makes another file");
  });
}
