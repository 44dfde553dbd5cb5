/**
 * Waiting and what ends it: room, frames, time, a signal. Closing while others wait is in `seed_faults.test.ts`.
 */
import { assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { DepotError, type Frame, FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A depot of one slot, which is full. */
async function full(name: string): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 1, whenFull: "wait" });
  await depot.enqueue({ frameNumber: 0, frame: pixels(0) });
  return depot;
}

/** Every call that waits, with what ends its wait; each returns what a time-out gives. */
const WAITS: Record<string, (depot: FramesDepot, options: { signal?: AbortSignal; timeoutMs?: number }) => unknown> = {
  enqueue: async (depot, options) => (await depot.enqueue({ frameNumber: 9, frame: pixels(9) }, options)).state,
  claim: async (depot, options) => await depot.claim({ frameNumber: 9, ...options }) ?? "timeout",
  "frames().next": async (depot, options) => {
    const { done } = await depot.frames({ from: "next", mode: "lossy", ...options }).next();
    return done ? "timeout" : "frame";
  },
  "for await": async (depot, options) => {
    for await (const _ of depot.frames({ from: "next", mode: "latest", ...options })) return "frame";
    return "timeout";
  },
  "FramesDepot.open": async (depot, options) => {
    const error = await FramesDepot.open(`${depot.name}-other`, options).then(() => undefined, (error) => error);
    if (!(error instanceof DepotError)) throw error;
    return error.code === "NOT_FOUND" ? "timeout" : error.code;
  },
};

for (const [what, wait] of Object.entries(WAITS)) {
  depotTest(`${what} ends after timeoutMs, not before`, async (name) => {
    await using depot = await full(name);
    for (const timeoutMs of [0, 1, 30, 300]) {
      const started = performance.now();
      assertEquals(await wait(depot, { timeoutMs }), "timeout");
      // Timers may fire a millisecond early by another clock.
      assertGreaterOrEqual(performance.now() - started, timeoutMs - 2);
    }
    assertEquals([depot.length, depot.statusOf(9), depot.droppedFrames], [1, "pending", 0]);
  });

  depotTest(`${what} throws the reason of its signal, aborted before or while it waits`, async (name) => {
    await using depot = await full(name);
    const reason = new SyntaxError("enough");
    assertEquals(await assertRejects(async () => await wait(depot, { signal: AbortSignal.abort(reason) })), reason);
    const abort = new AbortController();
    const waiting = assertRejects(async () => await wait(depot, { signal: abort.signal, timeoutMs: 60_000 }));
    await later(20);
    abort.abort(reason);
    assertEquals(await waiting, reason);
    const signal = AbortSignal.timeout(5);
    const { name: kind } = await assertRejects(async () => await wait(depot, { signal, timeoutMs: 60_000 }));
    assertEquals(kind, "TimeoutError");
    assertEquals([depot.length, depot.statusOf(9), depot.stats().peers[0].readers.length], [1, "pending", 1]);
  }, { watchdogMs: 20_000 });

  depotTest(`${what} leaves no listener on a signal that outlives it, and the event loop goes on`, async (name) => {
    await using depot = await full(name);
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = ((...p: Parameters<typeof add>) => (listeners++, add(...p))) as typeof add;
    signal.removeEventListener = ((...p: Parameters<typeof remove>) => (listeners--, remove(...p))) as typeof remove;
    let ticks = 0;
    const clock = setInterval(() => ticks++, 5);
    for (let i = 0; i < 5; i++) await wait(depot, { signal, timeoutMs: 40 });
    clearInterval(clock);
    assertEquals(listeners, 0);
    assertGreaterOrEqual(ticks, 5);
  });
}

depotTest("enqueue that is given up stores nothing later", async (name) => {
  await using depot = await full(name);
  const abort = new AbortController();
  const given = [
    depot.enqueue({ frameNumber: 1, frame: pixels(1) }, { timeoutMs: 10 }).then(({ state }) => state),
    depot.enqueue({ frameNumber: 2, frame: pixels(2) }, { signal: abort.signal }).catch((error) => error),
    depot.claim({ frameNumber: 3, timeoutMs: 10 }),
  ];
  await later(30);
  abort.abort("enough");
  assertEquals(await Promise.all(given), ["timeout", "enough", undefined]);
  depot.getFrame(0)?.release();
  await later(10);
  assertEquals([1, 2, 3].map((n) => depot.statusOf(n)), ["pending", "pending", "pending"]);
  assertEquals((await depot.enqueue({ frameNumber: 4, frame: pixels(4) })).state, "stored");
});

depotTest("enqueue and claim are served in the order of their calls, also when some give up", async (name) => {
  await using depot = await full(name);
  const served: number[] = [];
  const put = (n: number, timeoutMs?: number) =>
    depot.enqueue({ frameNumber: n, frame: pixels(n) }, { timeoutMs }).then(({ state }) =>
      state === "stored" && served.push(n)
    );
  const take = (n: number) =>
    depot.claim({ frameNumber: n }).then((slot) => {
      served.push(n);
      slot!.data.fill(n);
      slot!.publish();
    });
  const waiting = [put(1), put(2, 10), take(3), put(4), put(5, 10), put(6), take(7)];
  await later(40);
  const read: number[] = [];
  for await (const frame of depot.frames({ timeoutMs: 5000 })) {
    read.push(frame.frameNumber);
    assertEquals([...frame.data], [...pixels(frame.frameNumber)]);
    // No call overtakes those that wait, not even when there is room.
    frame.release();
    if (frame.frameNumber < 6) {
      assertEquals([depot.tryEnqueue({ frame: pixels(99) }), depot.tryClaim()], [
        undefined,
        undefined,
      ]);
    }
    if (frame.frameNumber === 7) break;
  }
  await Promise.all(waiting);
  assertEquals([read, served], [[0, 1, 3, 4, 6, 7], [1, 3, 4, 6, 7]]);
});

const WAYS: Record<string, (other: FramesDepot) => unknown> = {
  "asks for it by number": (other) => other.getFrame(0)?.release(),
  "clears the queue": (other) => other.clearQueue(),
  "follows it": async (other) => {
    for await (const _ of other.frames({ timeoutMs: 0 }));
  },
  "has a reader that leaves with the frame": async (other) => {
    const reader = other.frames();
    reader.tryNext();
    const beyond = other.frames({ from: "next" });
    await reader.return();
    await beyond.return();
  },
};

for (const [way, act] of Object.entries(WAYS)) {
  depotTest(`enqueue that waits goes on when another depot object ${way}`, async (name) => {
    await using depot = await full(name);
    await using other = await FramesDepot.open(name);
    const storing = depot.enqueue({ frameNumber: 1, frame: pixels(1) });
    await later(20);
    await act(other);
    assertEquals((await storing).state, "stored");
  }, { watchdogMs: 20_000 });
}

depotTest("enqueue that waits goes on when the depot object of the slowest reader is closed", async (name) => {
  await using depot = await full(name);
  await using fast = depot.frames();
  const slow = await FramesDepot.open(name);
  slow.frames().tryNext();
  fast.tryNext();
  fast.tryNext();
  const storing = depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  await later(20);
  await slow.close();
  assertEquals((await storing).state, "stored");
});

depotTest("frames().next wakes for each of several readers, in one depot object and in others", async (name) => {
  await using depot = await full(name);
  await depot.clearQueue();
  await using other = await FramesDepot.open(name);
  const readers = [depot, depot, other, other].map((one) => one.frames({ from: "next" }));
  for (let round = 0; round < 20; round++) {
    const waiting = readers.map((reader) => reader.next());
    if (round % 2 === 0) await later(5);
    const storing = depot.enqueue({ frameNumber: round, frame: pixels(round) });
    const frames = await Promise.all(waiting);
    await storing;
    assertEquals(frames.map(({ value }) => [(value as Frame).frameNumber, (value as Frame).data[0]]), [
      [round, round],
      [round, round],
      [round, round],
      [round, round],
    ]);
    for (const { value } of frames) value!.release();
  }
});

depotTest("timeoutMs may be Infinity or more than a timer can count", async (name) => {
  await using depot = await full(name);
  for (const timeoutMs of [Infinity, 2 ** 40]) {
    const storing = depot.enqueue({ frameNumber: 0, frame: pixels(0) }, { timeoutMs });
    const opening = FramesDepot.open(`${name}-late`, { timeoutMs });
    await later(20);
    await depot.clearQueue();
    await using late = await FramesDepot.create(`${name}-late`, { frameSize: [1, 1, 1] });
    await using opened = await opening;
    assertEquals([(await storing).state, opened.name], ["stored", late.name]);
  }
});

depotTest(
  "timeoutMs beyond what a timer counts is no limit for a call in line, nor for a callback",
  async (name) => {
    const onBackpressure = () => new Promise<void>(() => {});
    await using depot = await FramesDepot.create(name, {
      frameSize: [2, 2, 1],
      maxSize: 1,
      whenFull: "wait",
      onBackpressure,
    });
    await depot.enqueue({ frameNumber: 0, frame: pixels(0) });
    const states: string[] = [];
    const storing = [1, 2, 3].map(async (n) => {
      const { state } = await depot.enqueue({ frameNumber: n, frame: pixels(n) }, { timeoutMs: 2 ** 40 });
      states.push(state);
    });
    await later(60);
    assertEquals(states, []);
    const read: number[] = [];
    for await (const frame of depot.frames({ timeoutMs: 5000 })) if (read.push(frame.frameNumber) === 4) break;
    assertEquals(read, [0, 1, 2, 3]);
    await Promise.all(storing);
    assertEquals(states, ["stored", "stored", "stored"]);
  },
);
