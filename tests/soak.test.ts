/**
 * Sequences where they outgrow 31, 32 and 53 bits, between processes and under every policy. What takes longer is
 * `deno task soak`.
 */
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { FramesDepot, type WhenFull } from "../mod.ts";
import { FIRST_SEQUENCE } from "../depot/shape.ts";
import { depotTest, errorOf, HERE, Peer, type Runtime } from "./support/harness.ts";
import type { ReaderReport, ReaderTask } from "./support/reader_peer.ts";
import { END, stamp } from "./support/stamp.ts";

const POLICIES: WhenFull[] = ["drop", "wait", "overwrite"];
const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const FRAMES = 4000;
/** The largest sequence. */
const LAST = 2 ** 53 - 2;

function make(name: string, whenFull: WhenFull, first: number, maxSize = 8): Promise<FramesDepot> {
  const options = { frameSize: [16, 4, 1] as const, maxSize, whenFull, [FIRST_SEQUENCE]: first };
  return FramesDepot.create(name, options);
}

for (const [title, edge] of [["2^31", 2 ** 31], ["2^32", 2 ** 32], ["2^33", 2 ** 33]] as const) {
  for (const whenFull of POLICIES) {
    depotTest(`FramesDepot carries its sequence across ${title}, ${whenFull}`, async (name) => {
      const first = edge - FRAMES / 2;
      await using depot = await make(name, whenFull, first);
      const task: ReaderTask = { name, mode: "lossless", producers: 1 };
      await using peer = new Peer(OTHER, "reader_peer.ts", task);
      assertEquals(await peer.line(), { ready: true });
      const follower = depot.frames({ mode: "lossy", timeoutMs: 0 });
      const frame = new Uint8Array(depot.frameBytes);
      let [stored, seen, sequence] = [0, 0, first - 1];
      while (depot.stats().head < edge + FRAMES / 2) {
        stamp(frame, 0, stored);
        if ((await depot.enqueue({ frameNumber: stored, frame })).state === "stored") {
          stored++;
          assertEquals(depot.statusOf(stored - 1) === "pending", false);
        } else await new Promise((resolve) => setTimeout(resolve, 0));
        for (let own = follower.tryNext(); own !== undefined; own = follower.tryNext()) {
          assertGreaterOrEqual(own.sequence, sequence + 1);
          sequence = own.sequence;
          seen += 1 + own.lost;
        }
      }
      const last = { frameNumber: END, frame };
      while (depot.tryEnqueue(last) === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      const report = await peer.line<ReaderReport>();
      assertEquals(report.flaws, []);
      assertEquals(report.disorder, 0);
      assertEquals(report.read + report.lost, stored);
      if (whenFull !== "overwrite") assertEquals(report.lost, 0);
      assertEquals(seen, stored, "read + lost of the lossy reader here");
      assertEquals(depot.stats().stored, stored + 1);
    });
  }
}

for (const whenFull of POLICIES) {
  depotTest(`FramesDepot.enqueue says when the last sequence has been used, ${whenFull}`, async (name) => {
    await using depot = await make(name, whenFull, LAST - 1000);
    await using reader = depot.frames({ mode: "lossless", timeoutMs: 0 });
    const frame = new Uint8Array(depot.frameBytes);
    for (let sequence = LAST - 1000; sequence <= LAST; sequence++) {
      // A frame without a number has its sequence as number.
      assertEquals(await depot.enqueue({ frame }), { state: "stored", sequence });
      using peeked = depot.peekFrame(sequence);
      assertEquals([peeked?.frameNumber, peeked?.sequence], [sequence, sequence]);
      assertEquals(reader.tryNext()?.sequence, sequence);
    }
    assertEquals(await errorOf(() => depot.enqueue({ frame })), "UNSUPPORTED");
    assertEquals(await errorOf(() => depot.tryEnqueue({ frame })), "UNSUPPORTED");
    assertEquals(await errorOf(() => depot.claim()), "UNSUPPORTED");
    assertEquals(depot.stats().head, LAST + 1);
    assertEquals(reader.tryNext(), undefined);
    assertEquals(depot.length, 0);
  });

  depotTest(`FramesDepot carries frames to another process up to the last sequence, ${whenFull}`, async (name) => {
    const first = LAST - FRAMES;
    await using depot = await make(name, whenFull, first);
    await using peer = new Peer(OTHER, "reader_peer.ts", { name, mode: "lossless", producers: 1 } satisfies ReaderTask);
    assertEquals(await peer.line(), { ready: true });
    const frame = new Uint8Array(depot.frameBytes);
    let stored = 0;
    // Numbers are left for those that are burned because the peer has their slot under lease.
    while (depot.stats().head < LAST - 100) {
      stamp(frame, 0, stored);
      if ((await depot.enqueue({ frameNumber: stored, frame })).state === "stored") stored++;
      else await new Promise((resolve) => setTimeout(resolve, 0));
    }
    while (depot.tryEnqueue({ frameNumber: END, frame }) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const report = await peer.line<ReaderReport>();
    assertEquals([report.flaws, report.disorder], [[], 0]);
    assertEquals(report.read + report.lost, stored);
    assertEquals(await peer.exit(), 0);
    let after = 0;
    const code = await errorOf(async () => {
      for (;; after++) {
        await depot.clearQueue(); // there is no reader any more
        assertEquals((await depot.enqueue({ frame })).state, "stored");
      }
    });
    assertEquals(code, "UNSUPPORTED");
    const { head, skipped } = depot.stats();
    assertEquals(head, LAST + 1);
    assertEquals(stored + 1 + after + skipped, LAST + 1 - first, "every number was stored or burned");
  });
}
