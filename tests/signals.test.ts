/**
 * closeOnSignals: what SIGINT and SIGTERM do to depots, and that they then do what they did before.
 */
import { assertEquals } from "@std/assert";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { startWorker } from "../tools/support/worker.ts";
import { depotTest, HERE, Peer, skip, STARTED } from "./support/harness.ts";
import type { SignalTask } from "./support/signal_peer.ts";
import { IS_WINDOWS, NO_SIGNALS } from "./support/windows.ts";

const exists = (name: string) => FramesDepot.list().some((info) => info.name === name);

/** Starts a process with depots, signals it, and waits for its end. */
async function signalled(
  runtime: Peer["runtime"],
  task: SignalTask,
  signal?: NodeJS.Signals,
  before?: string,
): Promise<Peer> {
  await using peer = new Peer(runtime, "signal_peer.ts", task, { before });
  await peer.line();
  if (signal !== undefined) process.kill(peer.pid, signal); // child.kill() has Deno report it as the end
  await peer.ending;
  return peer;
}

/** A test that sends signals. */
function signalTest(title: string, body: (name: string) => Promise<void> | void): void {
  depotTest(title, (name) => IS_WINDOWS ? skip(NO_SIGNALS) : body(name));
}

for (const runtime of STARTED) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    signalTest(`closeOnSignals closes the depots of a ${runtime} process, then ${signal} ends it`, async (name) => {
      const { ending } = await signalled(runtime, { name }, signal);
      assertEquals([await ending, exists(name)], [{ code: null, signal }, false]);
    });

    signalTest(`closeOnSignals gives back what a ${runtime} process held when ${signal} came`, async (name) => {
      await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], whenFull: "wait" });
      await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(4) });
      const { ending } = await signalled(runtime, { name, holds: true }, signal);
      assertEquals((await ending).signal, signal);
      // Left in order: nothing is left for others to recover.
      assertEquals(FramesDepot.inspect(name)?.stats?.peers.map(({ self, alive }) => [self, alive]), [[false, true]]);
    });

    for (const listens of ["on", "once"] as const) {
      signalTest(
        `closeOnSignals leaves the end to a listener that a ${runtime} program has for ${signal}: ${listens}`,
        async (name) => {
          const { ending } = await signalled(runtime, { name, listens }, signal);
          assertEquals([await ending, exists(name)], [{ code: 7, signal: null }, false]);
        },
      );
    }

    signalTest(`closeOnSignals has ${signal} end a ${runtime} program that waits, without an error`, async (name) => {
      const { ending, errors } = await signalled(runtime, { name, waits: true }, signal);
      assertEquals([await ending, exists(name), errors], [{ code: null, signal }, false, ""]);
    });
  }

  // Deno hears signals for itself half a second after its start.
  signalTest(`closeOnSignals has SIGINT end a ${runtime} program also where it is called late`, async (name) => {
    const { ending } = await signalled(runtime, { name, afterMs: 1500 }, "SIGINT");
    assertEquals([await ending, exists(name)], [{ code: null, signal: "SIGINT" }, false]);
    for (const listens of ["on", "once"] as const) {
      const { ending } = await signalled(runtime, { name, listens, afterMs: 1500 }, "SIGINT");
      assertEquals([await ending, exists(name)], [{ code: 7, signal: null }, false]);
    }
  });

  signalTest(`closeOnSignals leaves a signal alone that a ${runtime} process has to ignore`, async (name) => {
    if (runtime === "node") return skip("Node starts with the default of every signal, also of one that is ignored");
    const ignoring: [signal: NodeJS.Signals, names: string, afterMs?: number][] = [
      ["SIGINT", "INT"],
      ["SIGINT", "INT", 1500],
      ["SIGTERM", "INT TERM"],
    ];
    for (const [signal, names, afterMs] of ignoring) {
      const task = { name, forMs: 1500, afterMs };
      const { ending } = await signalled(runtime, task, signal, `trap '' ${names}`);
      assertEquals([await ending, exists(name)], [{ code: 7, signal: null }, false], `${signal} ${names} ${afterMs}`);
    }
  });

  depotTest(`closeOnSignals does not keep a ${runtime} process alive, and may be called twice`, async (name) => {
    const { ending } = await signalled(runtime, { name, returns: true });
    assertEquals([await ending, exists(name)], [{ code: 0, signal: null }, false]);
  });

  signalTest(
    `without closeOnSignals SIGINT leaves a stale name in ${runtime}, which create takes over`,
    async (name) => {
      const { ending } = await signalled(runtime, { name, alone: true }, "SIGINT");
      assertEquals([(await ending).signal, FramesDepot.inspect(name)?.stale], ["SIGINT", true]);
      await using depot = await FramesDepot.create(name, { frameSize: [1, 1, 1] });
      assertEquals(depot.frameBytes, 1);
    },
  );

  signalTest(`closeOnSignals removes the names that a worker of ${runtime} has open, too`, async (name) => {
    const { ending } = await signalled(runtime, { name, inWorker: true }, "SIGTERM");
    assertEquals([(await ending).signal, exists(name)], ["SIGTERM", false]);
  });
}

depotTest("closeOnSignals in a worker says that the main thread has to call it, or is heard there", async () => {
  const worker = startWorker(new URL("./support/signal_worker.ts", import.meta.url));
  const code = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
  worker.terminate();
  assertEquals(code, HERE === "deno" ? "heard" : "UNSUPPORTED");
});
