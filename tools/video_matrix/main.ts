/**
 * `deno task video-matrix`: every pixel format and every kind of time and picture through every command that moves
 * video, in both runtimes and with each ffmpeg that can be had, compared with that ffmpeg alone.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { ffmpegs, pathTo } from "../support/ffmpegs.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { casesOf, formatsOf } from "./cases.ts";
import { check } from "./check.ts";

const USAGE = `deno task video-matrix [options]
  --only TEXT     only cases whose name has this text
  --ffmpeg TEXT   only versions of ffmpeg whose source has this text`;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    ffmpeg: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "frames-depot-video-"));
let [checked, failed, versions] = [0, 0, 0];
try {
  for (const ffmpeg of ffmpegs().filter(({ from }) => from.includes(values.ffmpeg))) {
    if ("missing" in ffmpeg) {
      console.log(`skipped: ffmpeg of ${ffmpeg.from}: ${ffmpeg.missing}`);
      continue;
    }
    versions++;
    const cases = casesOf(formatsOf(ffmpeg.path)).filter(({ name }) => name.includes(values.only));
    console.log(`ffmpeg ${ffmpeg.version} of ${ffmpeg.from}: ${cases.length} cases`);
    const path = pathTo(folder, ffmpeg);
    for (const [i, each] of cases.entries()) {
      const runtime = RUNTIMES[i % RUNTIMES.length];
      const faults = await check({ runtime, path, ffmpeg }, each, folder)
        .catch((error: Error) => [error.message]);
      checked++;
      if (faults.length > 0) failed++;
      for (const fault of faults) console.log(`  ${each.name} (${runtime}): ${fault}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${checked} cases with ${versions} versions of ffmpeg, ${failed} failed`);
process.exit(checked === 0 || failed > 0 ? 1 : 0);
