/** What ffmpeg logs of frames, read line by line. */
import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { FrameLog } from "../cli/video/frame_log.ts";

const FRAME = "pts_time:0 pos: 48 fmt:yuv420p sar:1/1 s:64x48 i:P iskey:1 type:I ";
const COLORS = "color_range:tv color_space:bt709 color_primaries:unknown color_trc:unknown";

/** What is known of one frame after these lines of the filter. */
function logged(...lines: string[]): unknown {
  const log = new FrameLog(() => {});
  const prefix = `[${log.filter.split("=")[0]} @ 0x5] [info] `;
  for (const line of ["config in time_base: 1/25, frame_rate: 25/1", `n: 0 pts: 0 ${FRAME}`, ...lines]) {
    log.read(prefix + line);
  }
  const { color, complete } = log.get(0)!;
  return { color, complete };
}

test("FrameLog has all colours of a frame, also after side data and of a line in two pieces", () => {
  const all = { color: { matrix: "bt709", range: "limited" }, complete: true };
  assertEquals(logged(COLORS), all);
  // x264 writes its options into the first frame.
  assertEquals(logged("  side data - User Data Unregistered:", "UUID=dc45e9bd", "User Data=783236", "", COLORS), all);
  assertEquals(logged(COLORS.slice(0, 20), COLORS.slice(20)), all);
});

test("FrameLog gives times that were rounded to milliseconds those of the source's rate", () => {
  const timesOf = (rate: string, base: string, ticks: number[]) => {
    const log = new FrameLog(() => {});
    const prefix = `[${log.filter.split("=")[0]} @ 0x5] [info] `;
    log.read(`${prefix}config in time_base: ${base}, frame_rate: ${rate}`);
    return ticks.map((pts, n) => {
      log.read(`${prefix}n: ${n} pts: ${pts} ${FRAME}`);
      return log.get(n)!.timestampNs;
    });
  };
  const exact = (seconds: bigint, frames: bigint) => [0n, 1n, 2n, 3n].map((n) => n * seconds * 1_000_000_000n / frames);
  assertEquals(timesOf("60000/1001", "1/1000", [5, 22, 38, 55]), exact(1001n, 60_000n));
  assertEquals(timesOf("480/1", "1/1000", [0, 2, 4, 6]), exact(1n, 480n));
  assertEquals(timesOf("24000/1001", "1/90000", [100, 3854, 7608, 11361]), exact(1001n, 24_000n));
  // Times of another rate are what they are, and so are those that the unit has a place for.
  assertEquals(timesOf("30000/1001", "1/1000", [0, 40, 80, 90]), [0n, 40_000_000n, 80_000_000n, 90_000_000n]);
  assertEquals(timesOf("25/1", "1/1000", [0, 41, 79]), [0n, 41_000_000n, 79_000_000n]);
  assertEquals(timesOf("30000/1001", "1/1000", [0, 33, 34]), [0n, 33_366_666n, 34_000_000n]);
});
