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
