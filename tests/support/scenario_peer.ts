/**
 * Short scenes that a test wants in a process of their own, because they may end it, or need its garbage collected.
 *
 * @module
 */
import process from "node:process";
import { DepotError, FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";
import { collect, HERE } from "../../tools/support/runtimes.ts";
import { collectUntil } from "./collecting.ts";

const { scenario, name } = taskOf<{ scenario: string; name: string }>();
const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const errorName = (error: unknown) => error instanceof DepotError ? error.code : String(error);

/** Another depot object waits with a slow callback; there is room; it is closed before the callback has ended. */
async function closeDuringCallback(what: "enqueue" | "claim"): Promise<void> {
  await using maker = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 1, whenFull: "wait" });
  await maker.enqueue({ frameNumber: 1, frame: pixels(1) });
  const depot = await FramesDepot.open(name, { onBackpressure: () => later(300) });
  const waiting = what === "enqueue"
    ? depot.enqueue({ frameNumber: 2, frame: pixels(2) }).then(({ state }) => state as string)
    : depot.claim({ frameNumber: 2 }).then((slot) => {
      slot?.data.fill(2);
      return slot === undefined || slot.released ? "undefined" : "stored";
    });
  const outcome = waiting.catch(errorName);
  await maker.clearQueue();
  await later(50);
  await depot.close();
  say({ outcome: await outcome });
}

/** A lossy reader that does nothing until its process is killed. */
async function followLossy(): Promise<void> {
  const depot = await FramesDepot.open(name);
  depot.frames({ mode: "lossy" });
  say({ following: true });
  await later(60_000);
}

/** A frame is forgotten and collected; the producer needs its slot. */
async function forgottenFrame(): Promise<void> {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 1 });
  for (let round = 0; round < 2; round++) {
    await depot.enqueue({ frameNumber: round, frame: pixels(round) });
    depot.peekFrame(round);
    await later(250);
    await depot.clearQueue();
    const free = () => {
      using slot = depot.tryClaim();
      return slot !== undefined;
    };
    say({ free: await collectUntil(free) });
    await depot.clearQueue();
  }
}

/** A reader is forgotten in the middle of a frame; the producer needs that frame's slot. */
async function forgottenReader(): Promise<void> {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 1 });
  await depot.enqueue({ frameNumber: 0, frame: pixels(0) });
  await (async () => void await depot.frames().next())();
  await later(250);
  const left = await collectUntil(() => depot.stats().peers[0].readers.length === 0);
  await depot.clearQueue();
  say({ left, state: (await depot.enqueue({ frameNumber: 1, frame: pixels(1) })).state });
}

/** A slot is claimed and forgotten; readers wait for its number. */
async function forgottenSlot(): Promise<void> {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait" });
  depot.tryClaim();
  await depot.enqueue({ frameNumber: 7, frame: pixels(7) });
  await later(250);
  let seen: number | undefined;
  const reading = (async () => {
    for await (const frame of depot.frames({ timeoutMs: 5000 })) {
      seen = frame.frameNumber;
      break;
    }
  })();
  await collectUntil(() => seen !== undefined);
  await reading;
  say({ seen });
}

/** The view alone is kept: the lease must live as long as it. */
async function keptView(): Promise<void> {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 1, whenFull: "overwrite" });
  await depot.enqueue({ frameNumber: 0, frame: pixels(5) });
  const view = (() => depot.peekFrame(0)!.data.subarray(1))();
  await later(250);
  for (let round = 0; round < 10; round++) {
    collect();
    await later(10);
    await depot.enqueue({ frameNumber: round, frame: pixels(99) });
  }
  say({ view: [...view] });
}

/** Closed between the collection of a forgotten lease and the finalizer's call. */
async function closeBeforeFinalizer(): Promise<void> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4 });
  await depot.enqueue({ frameNumber: 0, frame: pixels(0) });
  depot.peekFrame(0);
  depot.tryClaim();
  depot.frames().tryNext();
  await later(250);
  collect();
  await depot.close();
  for (let round = 0; round < 10; round++) {
    collect();
    await later(10);
  }
  say({ survived: true });
}

/** Ends in one of the ways a process can end, with a depot open and a reader waiting. */
async function end(how: string): Promise<void> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4 });
  await depot.enqueue({ frameNumber: 0, frame: pixels(0) });
  const reader = depot.frames({ timeoutMs: how === "normally" ? 50 : 60_000 });
  await reader.next();
  const waiting = reader.next();
  await later(50);
  say({ open: true });
  if (how === "process.exit") process.exit(0);
  if (how === "Deno.exit") (globalThis as unknown as { Deno: { exit(code: number): never } }).Deno.exit(0);
  if (how === "an uncaught exception") {
    setTimeout(() => {
      throw new Error("on purpose");
    }, 1);
  }
  if (how === "an unhandled rejection") Promise.reject(new Error("on purpose"));
  await waiting;
}

/** Holds two frames until it is killed. */
async function holdTwo(): Promise<void> {
  const depot = await FramesDepot.open(name);
  const held = [0, 1].map((number) => depot.peekFrame(number));
  say({ holding: held.filter((frame) => frame?.data !== undefined).length });
  setTimeout(() => say({ held: held.length }), 1e6);
}

/** Does something with a depot in an exit handler that runs after the library's own. */
async function lateHandler(act: string): Promise<void> {
  const depot = await FramesDepot.open(name);
  const frame = depot.peekFrame(1)!;
  const { data } = frame;
  const slot = act === "publish" ? depot.tryClaim({ frameNumber: 7 }) : undefined;
  const handler = () => {
    if (act === "look") return say({ length: data.length, released: frame.released });
    let outcome = "done";
    try {
      if (act === "release") frame.release();
      if (act === "enqueue") depot.tryEnqueue({ frameNumber: 99, frame: new Uint8Array(depot.frameBytes).fill(99) });
      if (act === "publish") slot!.release();
    } catch (error) {
      outcome = errorName(error);
    }
    say({ outcome });
  };
  if (HERE === "deno") globalThis.addEventListener("unload", handler);
  else process.on("exit", handler);
  say({ exiting: true });
  setTimeout(() => process.exit(0), 20);
}

const scenarios: Record<string, () => Promise<void>> = {
  followLossy,
  "closeDuringCallback.enqueue": () => closeDuringCallback("enqueue"),
  "closeDuringCallback.claim": () => closeDuringCallback("claim"),
  forgottenFrame,
  forgottenReader,
  forgottenSlot,
  keptView,
  closeBeforeFinalizer,
  holdTwo,
};
// Not awaited: Bun goes on after an uncaught exception as long as a module is still being evaluated.
if (scenario.startsWith("end.")) end(scenario.slice(4));
else if (scenario.startsWith("lateHandler.")) await lateHandler(scenario.slice(12));
else await scenarios[scenario]();
