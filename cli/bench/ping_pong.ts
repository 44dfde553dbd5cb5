/**
 * How long a frame takes from one process to another: a frame is sent there and back, and half the time is one way.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { FramesDepot } from "../../mod.ts";
import type { PartnerTask } from "./partner.ts";
import { summarize, type Summary } from "./samples.ts";

/** Long enough for the partner to have gone to sleep. */
const PAUSE_MS = 2;
/** Round trips that are not counted: code gets compiled. */
const WARM_UP = 200;
/** Polls between two looks whether the partner is alive. */
const SPINS = 1_000_000;
/** A partner that sends no frame for this long is gone. */
const LOST_MS = 10_000;

/** Starts the process that sends every frame back. It ends when it is told, or when this process is gone. */
function startPartner(task: PartnerTask) {
  const url = new URL("./partner.ts", import.meta.url).href;
  const module = url.startsWith("file:") ? fileURLToPath(url) : url;
  // As this process was started itself; Deno keeps that to itself.
  const flags = process.versions.deno === undefined ? process.execArgv : ["run", "-A", "--quiet"];
  return spawn(process.execPath, [...flags, module, JSON.stringify(task)], { stdio: ["ignore", "ignore", "inherit"] });
}

/**
 * Sends frames there and back until the time is over.
 *
 * @param how `spins`: both poll, which shows the hand-off alone; `sleeps`: both wait in the kernel
 * @returns nanoseconds one way
 */
export async function pingPong(
  name: string,
  how: "spins" | "sleeps",
  milliseconds: number,
  signal: AbortSignal,
): Promise<Summary> {
  const shape = { frameSize: [64, 1, 1] as [number, number, number], maxSize: 16 };
  await using there = await FramesDepot.create(`${name}-there`, shape);
  await using back = await FramesDepot.create(`${name}-back`, shape);
  const answers = back.frames({ timeoutMs: LOST_MS });
  const partner = startPartner({ name, how });
  const ended = new Promise<void>((resolve) => partner.once("exit", () => resolve()).once("error", () => resolve()));
  const frame = new Uint8Array(there.frameBytes);
  const times: number[] = [];

  const early = () => new Error("the other process of bench ended early");
  const spin = (number: number) => {
    for (let spins = 1;; spins++) {
      const answer = answers.tryNext();
      if (answer?.frameNumber === number) return;
      // Its exit code comes with an event, which waits for this loop.
      if (spins % SPINS === 0 && back.stats().producersGone) throw early();
    }
  };
  const sleep = async (number: number) => {
    for (;;) {
      const { done, value } = await answers.next();
      if (done) throw new Error(`the other process of bench sent no frame for ${LOST_MS / 1000} s`);
      if (value.frameNumber === number) return;
    }
  };
  try {
    // The first answer shows that the partner is there.
    await there.enqueue({ frameNumber: 0, frame });
    await Promise.race([sleep(0), ended.then(() => Promise.reject(early()))]);
    const end = performance.now() + milliseconds;
    for (let number = 1; performance.now() < end || times.length === 0; number++) {
      if (how === "sleeps" || number % 1000 === 0) {
        await new Promise((resolve) => setTimeout(resolve, how === "sleeps" ? PAUSE_MS : 0));
        signal.throwIfAborted();
      }
      const started = performance.now();
      there.tryEnqueue({ frameNumber: number, frame });
      if (how === "spins") spin(number);
      else await sleep(number);
      if (number > WARM_UP || how === "sleeps" && number > 10) times.push((performance.now() - started) * 1e6 / 2);
    }
    return summarize(times);
  } finally {
    there.tryEnqueue({ frameNumber: -1, frame }); // the partner ends by itself
    const timer = setTimeout(() => process.kill(partner.pid!, "SIGKILL"), 2000);
    await ended;
    clearTimeout(timer);
  }
}
