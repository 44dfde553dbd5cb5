/**
 * Deno's leak sanitizers, which do not see node:test: after a depot is closed no operation, resource or timer of it is
 * left. The others have nothing like them.
 */
import { assertEquals } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import { FramesDepot } from "../mod.ts";
import { skippedTest, uniqueName } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What is done with a depot between making and closing it. */
const SCENES: Record<string, (depot: FramesDepot) => Promise<void>> = {
  "after frames were put in and taken out": async (depot) => {
    for (let n = 0; n < 3; n++) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    using frame = depot.getFrame(1);
    assertEquals(frame?.data[0], 1);
    depot.peekFrame(2);
    depot.tryClaim();
    // Leases grow old and are watched from then on.
    await later(150);
    depot.peekFrame(2);
  },
  "after a loop that waited until its time was up": async (depot) => {
    for await (const _ of depot.frames({ timeoutMs: 300 }));
  },
  "while a loop, an enqueue and a claim wait": async (depot) => {
    for (let n = 0; n < 4; n++) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    const waits = [depot.enqueue({ frame: pixels(9) }), depot.claim({ timeoutMs: 60_000 })];
    for (const wait of waits) wait.catch(() => {});
    depot.frames({ from: "next", mode: "lossy" }).next();
    await later(50);
  },
  "after waits that were aborted or timed out": async (depot) => {
    const abort = new AbortController();
    const reading = depot.frames({ signal: abort.signal, timeoutMs: 60_000 }).next().catch(() => {});
    const opening = FramesDepot.open(`${depot.name}-none`, { signal: abort.signal, timeoutMs: 60_000 }).catch(() => {});
    await FramesDepot.open(`${depot.name}-none`, { timeoutMs: 20 }).catch(() => {});
    await later(20);
    abort.abort();
    await Promise.all([reading, opening]);
  },
  "after streams that were cancelled and aborted": async (depot) => {
    await depot.enqueue({ frame: pixels(1) });
    const reader = depot.readable().getReader();
    await reader.read();
    await reader.cancel();
    const writer = depot.writable().getWriter();
    for (let n = 0; n < 9; n++) writer.write({ frame: pixels(n) }).catch(() => {});
    await later(20);
    writer.closed.catch(() => {});
    await writer.abort();
  },
};

if ("Deno" in globalThis) {
  // Kept for the life of the process, on purpose: a thread may be inside it at any time.
  loadShim();
  for (const [scene, act] of Object.entries(SCENES)) {
    Deno.test({
      name: `FramesDepot.close leaves no operation, resource or timer ${scene}`,
      sanitizeOps: true,
      sanitizeResources: true,
      sanitizeExit: true,
      async fn() {
        const depot = await FramesDepot.create(uniqueName(), { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait" });
        try {
          await act(depot);
        } finally {
          await depot.close();
        }
      },
    });
  }
} else {
  skippedTest("FramesDepot.close leaves no operation, resource or timer", "Deno alone has sanitizers that look");
}
