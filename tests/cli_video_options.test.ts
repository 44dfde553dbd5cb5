/**
 * What `write` makes of its options: what is wrong with them is said before the first frame is there.
 */
import { assertEquals } from "@std/assert";
import { RUNTIMES } from "./support/harness.ts";
import { move, videoTest } from "./support/video.ts";

for (const runtime of RUNTIMES) {
  videoTest(`write --pace says nothing of frames that are due just now (${runtime})`, async ({ name }) => {
    // 20 frames a millisecond: between two looks at the clock, many a frame is due no more.
    const input = new Uint8Array(50_000 * 8);
    const task = ["write", name, "--size", "4x2", "--format", "gray", "--rate", "20000", "--pace"];
    const { code, errors } = await move([...task, "--when-full", "overwrite", "--no-linger"], { runtime, input });
    assertEquals([code, errors], [0, ""]);
  });
}
