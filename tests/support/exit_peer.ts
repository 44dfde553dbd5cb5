/**
 * Begins to wait for a frame or for room, and then ends in the way it is told.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";

const { how, waitsFor, name, pauseMs, beside = [] } = JSON.parse(process.argv[2]) as {
  how: string;
  waitsFor: string;
  name: string;
  pauseMs: number;
  /** Depots with a wait for room, too. */
  beside?: string[];
};

const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 1, whenFull: "wait" });
const frame = new Uint8Array(4);
const abort = new AbortController();
if (waitsFor === "room") await depot.enqueue({ frame });
const waiting = waitsFor === "room"
  ? depot.enqueue({ frame }, { signal: abort.signal })
  : depot.frames({ signal: abort.signal }).next();
waiting.catch(() => {});

for (const name of beside) {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 1, whenFull: "wait" });
  await depot.enqueue({ frame });
  depot.enqueue({ frame }).catch(() => {});
}

if (how === "handles Ctrl-C") {
  process.on("SIGINT", () => process.exit(42));
  await new Promise((resolve) => setTimeout(resolve, 50)); // Deno installs the handler a moment later
}
// Long enough to be asleep in the kernel in most runs, short enough to be on the way there in some.
await new Promise((resolve) => setTimeout(resolve, pauseMs * 3));
console.log(JSON.stringify({ waiting: true }));

if (how === "returns") {
  abort.abort(); // a pending wait keeps the process alive, as any pending work does
} else if (how === "exits with 3") {
  process.exit(3);
} else if (how === "throws") {
  setTimeout(() => {
    throw new Error("on purpose");
  }, pauseMs);
} else if (how === "rejects") {
  Promise.reject(new Error("on purpose"));
}
