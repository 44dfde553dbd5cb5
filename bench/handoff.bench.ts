/**
 * `deno bench bench/`: what a frame costs in one process. `deno task bench` measures more, beside C and in both
 * runtimes.
 *
 * @module
 */
import { FramesDepot } from "../mod.ts";

const frameSize = [1920, 1080, 3] as const;
const frame = new Uint8Array(1920 * 1080 * 3).fill(7);

const depot = await FramesDepot.create(`bench-${Deno.pid}`, { frameSize, maxSize: 4, whenFull: "overwrite" });
const reader = depot.frames({ mode: "lossy" });
addEventListener("unload", () => void depot.close());

function take(): void {
  const taken = reader.tryNext();
  if (taken === undefined) throw new Error("a frame is missing");
  taken.release();
}

Deno.bench("claim, publish, take, release: no copy", { group: "1080p RGB", baseline: true }, () => {
  depot.tryClaim({ timestampNs: 0 })!.publish();
  take();
});

Deno.bench("the same, touching both views", { group: "1080p RGB" }, () => {
  const slot = depot.tryClaim({ timestampNs: 0 })!;
  slot.data[0] = 7;
  slot.publish();
  if (reader.tryNext()?.data[0] !== 7) throw new Error("another frame than was written");
});

Deno.bench("enqueue, take, release: one copy", { group: "1080p RGB" }, () => {
  depot.tryEnqueue({ frame });
  take();
});

Deno.bench("a copy of the frame in ordinary memory", { group: "1080p RGB" }, () => {
  frame.slice();
});
