/**
 * What may happen in an onBackpressure callback, and around one: it runs outside every lock, so it may do anything that
 * its process may do at any other time.
 */
import { assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import {
  type BackpressureEvent,
  type DepotOptions,
  FramesDepot,
  type OnBackpressure,
  type WaitOptions,
  type WhenFull,
} from "../mod.ts";
import { depotTest, errorOf, HERE, Peer } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);
const WATCHED = { watchdogMs: 15_000 };
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A depot of one slot, which is full. */
async function full(name: string, whenFull: WhenFull, onBackpressure: OnBackpressure): Promise<FramesDepot> {
  const options: DepotOptions = { frameSize: [2, 2, 1], maxSize: 1, whenFull, onBackpressure };
  const depot = await FramesDepot.create(name, options);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  return depot;
}

depotTest("onBackpressure is told what did not fit, and that there is no reader", async (name) => {
  const events: BackpressureEvent[] = [];
  await using depot = await full(name, "drop", (event) => void events.push(event));
  assertEquals(await depot.enqueue({ frameNumber: 2, frame: pixels(2) }), { state: "dropped", droppedFrames: 1 });
  assertEquals(events, [{ frameNumber: 2, length: 1, maxSize: 1, droppedFrames: 1, slowest: undefined }]);
  await depot.enqueue({ frame: pixels(2) });
  assertEquals(events[1].frameNumber, undefined);
});

depotTest("onBackpressure names the process that holds the queue up, and its lag", async (name) => {
  const events: BackpressureEvent[] = [];
  await using depot = await full(name, "drop", (event) => void events.push(event));
  await using _reader = depot.frames();
  await depot.enqueue({ frameNumber: 2, frame: pixels(2) });
  assertEquals(events[0].slowest, { pid: depot.stats().peers[0].pid, lag: 1 });
});

depotTest("onBackpressure that is asynchronous is awaited by a depot that drops", async (name) => {
  let done = false;
  await using depot = await full(name, "drop", async () => {
    await later(5);
    done = true;
  });
  await depot.enqueue({ frame: pixels(2) });
  assertEquals(done, true);
});

for (const whenFull of ["drop", "wait"] as const) {
  for (
    const [kind, callback] of [
      ["throws", () => {
        throw new SyntaxError("from the callback");
      }],
      ["rejects", async () => {
        await later(1);
        throw new SyntaxError("from the callback");
      }],
    ] as [string, OnBackpressure][]
  ) {
    depotTest(`onBackpressure that ${kind} fails its own enqueue and nothing else, ${whenFull}`, async (name) => {
      await using depot = await full(name, whenFull, callback);
      const failing = assertRejects(() => depot.enqueue({ frameNumber: 2, frame: pixels(2) }), SyntaxError);
      await later(20);
      await depot.clearQueue();
      await failing;
      // The depot goes on, in both directions.
      await depot.clearQueue();
      const { state } = await depot.enqueue({ frameNumber: 3, frame: pixels(3) }, { timeoutMs: 5000 });
      assertEquals(state, "stored");
      const numbers: number[] = [];
      for await (const frame of depot.frames({ timeoutMs: 10 })) numbers.push(frame.frameNumber);
      assertEquals(numbers, [3]);
    });
  }
}

for (const whenFull of ["drop", "wait"] as const) {
  depotTest(`onBackpressure may clear the queue, ${whenFull}`, async (name) => {
    const depot: FramesDepot = await full(name, whenFull, () => depot.clearQueue());
    await using _ = depot;
    const { state } = await depot.enqueue({ frameNumber: 2, frame: pixels(2) }, { timeoutMs: 5000 });
    assertEquals(state, whenFull === "wait" ? "stored" : "dropped");
    assertEquals([depot.statusOf(1), depot.length], ["evicted", whenFull === "wait" ? 1 : 0]);
  });

  depotTest(`onBackpressure may take a frame out, ${whenFull}`, async (name) => {
    const depot: FramesDepot = await full(name, whenFull, () => void depot.getFrame(1)?.release());
    await using _ = depot;
    const { state } = await depot.enqueue({ frameNumber: 2, frame: pixels(2) }, { timeoutMs: 5000 });
    assertEquals(state, whenFull === "wait" ? "stored" : "dropped");
  });
}

depotTest("onBackpressure may enqueue in a depot that drops, and is called for that too", async (name) => {
  let calls = 0;
  const depot: FramesDepot = await full(name, "drop", async () => {
    if (++calls < 3) await depot.enqueue({ frame: pixels(9) });
  });
  await using _ = depot;
  await depot.enqueue({ frame: pixels(2) });
  assertEquals([calls, depot.droppedFrames], [3, 3]);
});

depotTest("onBackpressure may enqueue in a depot that waits, and await it", async (name) => {
  let calls = 0;
  const depot: FramesDepot = await full(name, "wait", async () => {
    if (++calls === 1) await depot.enqueue({ frameNumber: 3, frame: pixels(3) }, { timeoutMs: 5000 });
  });
  await using _ = depot;
  const reading = (async () => {
    const numbers: number[] = [];
    for await (const frame of depot.frames({ timeoutMs: 1000 })) if (numbers.push(frame.frameNumber) === 3) break;
    return numbers.sort();
  })();
  assertEquals((await depot.enqueue({ frameNumber: 2, frame: pixels(2) }, { timeoutMs: 5000 })).state, "stored");
  assertEquals(await reading, [1, 2, 3]);
}, { watchdogMs: 15_000 });

depotTest("onBackpressure is called once a stall by a depot that waits", async (name) => {
  let calls = 0;
  await using depot = await full(name, "wait", () => void calls++);
  const waiting = [2, 3].map((n) => depot.enqueue({ frameNumber: n, frame: pixels(n) }, { timeoutMs: 30 }));
  assertEquals((await Promise.all(waiting)).map(({ state }) => state), ["timeout", "timeout"]);
  assertEquals(calls, 1);
  await depot.enqueue({ frame: pixels(4) }, { timeoutMs: 1 });
  assertEquals(calls, 2);
});

depotTest("onBackpressure that takes long holds no reader up once there is room", async (name) => {
  let end = () => {};
  const lasting = new Promise<void>((resolve) => end = resolve);
  await using depot = await full(name, "wait", () => lasting);
  const storing = depot.enqueue({ frameNumber: 2, frame: pixels(2) });
  const numbers: number[] = [];
  for await (const frame of depot.frames({ timeoutMs: 500 })) if (numbers.push(frame.frameNumber) === 2) break;
  end();
  await storing;
  assertEquals(numbers, [1, 2]);
});

const never = () => new Promise<void>(() => {});
/** Calls that put a frame in; each returns its outcome as one word. */
const CALLS: Record<string, (depot: FramesDepot, options?: WaitOptions) => Promise<string>> = {
  enqueue: async (depot, options) => (await depot.enqueue({ frameNumber: 2, frame: pixels(2) }, options)).state,
  claim: async (depot, options) => {
    const slot = await depot.claim({ frameNumber: 2, ...options });
    slot?.data.fill(2);
    slot?.publish();
    return slot === undefined ? "nothing" : "stored";
  },
};

for (const [what, call] of Object.entries(CALLS)) {
  for (const whenFull of ["drop", "wait"] as const) {
    const refused = what === "claim" ? "nothing" : whenFull === "drop" ? "dropped" : "timeout";

    depotTest(`${what} ends after timeoutMs though onBackpressure never settles, ${whenFull}`, async (name) => {
      await using depot = await full(name, whenFull, never);
      for (const timeoutMs of [0, 1, 40]) {
        const started = performance.now();
        assertEquals(await call(depot, { timeoutMs }), refused);
        assertGreaterOrEqual(performance.now() - started, timeoutMs - 2);
      }
    }, WATCHED);

    depotTest(`${what} ends with its signal though onBackpressure never settles, ${whenFull}`, async (name) => {
      await using depot = await full(name, whenFull, never);
      const reason = new SyntaxError("enough");
      const abort = new AbortController();
      const ended = call(depot, { signal: abort.signal }).catch((error) => error);
      await later(20);
      abort.abort(reason);
      // A depot that drops has refused the frame before: there was nothing to wait for but the callback.
      assertEquals(await ended, whenFull === "drop" ? refused : reason);
    }, WATCHED);

    depotTest(`${what} ends with close though onBackpressure never settles, ${whenFull}`, async (name) => {
      const depot = await full(name, whenFull, never);
      const ended = call(depot).catch((error) => error.code);
      await later(20);
      await depot.close();
      assertEquals(await ended, whenFull === "drop" ? refused : "CLOSED");
    }, WATCHED);
  }

  depotTest(`${what} that found room says so at once, though onBackpressure never settles`, async (name) => {
    await using depot = await full(name, "wait", never);
    await using other = await FramesDepot.open(name);
    const ended = call(depot);
    const reader = other.frames({ timeoutMs: 10_000 });
    assertEquals((await reader.next()).value?.frameNumber, 1);
    reader.tryNext(); // passes the frame: there is room
    assertEquals(await ended, "stored");
  }, WATCHED);
}

depotTest(
  "onBackpressure that never settles holds up no call: they go on in their order",
  async (name) => {
    let calls = 0;
    await using depot = await full(name, "wait", () => ++calls === 1 ? never() : undefined);
    const states = [2, 3, 4].map((n) => depot.enqueue({ frameNumber: n, frame: pixels(n) }, { timeoutMs: 10_000 }));
    const numbers: number[] = [];
    for await (const frame of depot.frames({ timeoutMs: 10_000 })) if (numbers.push(frame.frameNumber) === 4) break;
    assertEquals(numbers, [1, 2, 3, 4]);
    for (const state of states) assertEquals((await state).state, "stored");
  },
  WATCHED,
);

depotTest("onBackpressure may close the depot: the waiting enqueue is refused", async (name) => {
  const depot: FramesDepot = await full(name, "wait", () => depot.close());
  assertEquals(await errorOf(() => depot.enqueue({ frame: pixels(2) })), "CLOSED");
}, { watchdogMs: 15_000 });

for (const what of ["enqueue", "claim"] as const) {
  depotTest(`close while a slow onBackpressure holds an ${what} up touches no unmapped memory`, async (name) => {
    await using peer = new Peer(HERE, "scenario_peer.ts", { scenario: `closeDuringCallback.${what}`, name });
    // A frame stored before the close is right, and so is an error CLOSED; a crash is not.
    const { outcome } = await peer.line<{ outcome: string }>();
    assertEquals(["stored", "CLOSED", "undefined"].includes(outcome), true, outcome);
    assertEquals(await peer.exit(), 0, peer.errors);
  });
}
