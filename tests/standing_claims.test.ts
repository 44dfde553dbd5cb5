/**
 * Readers beside a claim that stands still: of a producer that died in the middle of it, and of one that takes time.
 */
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot } from "../mod.ts";
import { tracedLibrary } from "../tools/chaos/steps.ts";
import { depotTest, HERE, Peer, type Runtime } from "./support/harness.ts";

const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const env = { FRAMES_DEPOT_LIB: tracedLibrary(OTHER) };

// A queue with enough room that no producer ever looks for dead peers: the reader has to.
const ROOMY = { frameSize: [16, 4, 1], maxSize: 1000 } as const;

for (const whenFull of ["drop", "wait", "overwrite"] as const) {
  for (const step of ["C8", "C10"]) {
    for (const how of ["next", "tryNext"] as const) {
      depotTest(
        `FrameReader.${how} passes a producer that died after ${step} while another goes on, ${whenFull}`,
        async (name) => {
          await using depot = await FramesDepot.create(name, { ...ROOMY, whenFull });
          await using producer = await FramesDepot.open(name);
          const reader = depot.frames({ timeoutMs: 5000 });
          await using victim = new Peer(OTHER, "chaos_victim.ts", { name, step }, { env });
          assertEquals(await victim.exit(), -2, victim.errors);
          let last = -1;
          let done = false;
          const reading = (async () => {
            while (last < 2) {
              const frame = how === "next" ? (await reader.next()).value : reader.tryNext();
              if (frame !== undefined) last = frame.frameNumber;
              else if (done || reader.released) break;
              else await sleep(5);
            }
          })();
          const frame = new Uint8Array(depot.frameBytes);
          let stored = 2;
          for (; last < 2 && stored < ROOMY.maxSize / 2; stored++) {
            await producer.enqueue({ frameNumber: stored, frame });
            await sleep(10);
          }
          done = true;
          await reading;
          assertEquals(last, 2, `${stored - 2} frames were stored meanwhile`);
        },
      );
    }
  }
}

for (const mode of ["lossy", "latest", "lossless"] as const) {
  depotTest(`FrameReader goes on past a claim that stands still in an overwriting depot, ${mode}`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [4, 4, 1], maxSize: 4, whenFull: "overwrite" });
    await using producer = await FramesDepot.open(name);
    const reader = depot.frames({ mode });
    const frame = new Uint8Array(depot.frameBytes);
    await producer.enqueue({ frameNumber: 0, frame });
    assertEquals(reader.tryNext()?.frameNumber, 0);
    using _claim = depot.tryClaim({ frameNumber: 1 });
    for (let frameNumber = 2; frameNumber < 50; frameNumber++) await producer.enqueue({ frameNumber, frame });
    assertGreaterOrEqual(reader.tryNext()?.frameNumber ?? -1, 45);
  });
}
