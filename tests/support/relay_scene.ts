/**
 * Two relays and what is between them, for tests: a depot that is filled here, and one that is read here.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import process from "node:process";
import { DepotError, type DepotOptions, FramesDepot } from "../../mod.ts";
import { Cli } from "./cli.ts";
import { HERE, type Runtime, RUNTIMES } from "./harness.ts";
import { isWhole, readAll, type Seen, stamped } from "./relay_frames.ts";

export { isWhole, readAll, type Seen, stamped };

/** The runtime that does not run this test. */
export const OTHER: Runtime = RUNTIMES.find((runtime) => runtime !== HERE)!;

/** What a relay prints at its end. */
export type Counts = { frames: number; lost: number; dropped: number; bytes: number; relays?: number; depots?: number };

/** How a relay is started. */
export type RelayOptions = { env?: Record<string, string>; goesOn?: boolean };

/** A relay, that ends with the depot unless it is told to go on until it is interrupted. */
export class Relay extends Cli {
  constructor(parameters: string[], runtime: Runtime, { env = {}, goesOn = false }: RelayOptions = {}) {
    super(["relay", ...parameters, ...goesOn ? [] : ["--once"], "--json"], { runtime, env });
  }

  /** Interrupts it. @returns what it has counted */
  async interrupted(): Promise<Counts> {
    process.kill(this.child.pid!, "SIGINT");
    const { code, out, errors } = await this.answer();
    assertEquals(code, 130, errors);
    return JSON.parse(out);
  }

  kill(): Promise<unknown> {
    process.kill(this.child.pid!, "SIGKILL");
    return this.answer();
  }

  /** What it has counted. */
  async counts(): Promise<Counts> {
    const { code, out, errors } = await this.answer();
    assertEquals(code, 0, errors);
    return JSON.parse(out);
  }
}

export const moment = (milliseconds = 5): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A source, filled in this process. */
export async function fill(
  depot: FramesDepot,
  frames: number,
  bytes: number,
  each: (n: number) => Promise<unknown> | void = () => {},
): Promise<void> {
  for (let n = 0; n < frames; n++) {
    await each(n);
    const metadata = depot.metadataBytes > 0 ? new Uint8Array([n & 255, n >> 8 & 255]) : undefined;
    await depot.enqueue({ frameNumber: n, timestampNs: BigInt(n) * 1000n, frame: stamped(n, bytes), metadata });
  }
}

/** What is seen where nothing is missing, torn, doubled or out of order. */
export function assertAll(seen: Seen, frames: number): void {
  const { count, torn, disordered, lost, numbers } = seen;
  assertEquals({ count, torn, disordered, lost }, { count: frames, torn: 0, disordered: 0, lost: 0 });
  assertEquals([numbers[0], numbers.at(-1)], [0, frames - 1]);
}

/** Opens a depot once it is there. */
export async function opened(name: string): Promise<FramesDepot> {
  for (;;) {
    try {
      return await FramesDepot.open(name, { timeoutMs: 60_000 });
    } catch (error) {
      if (!(error instanceof DepotError && error.code === "NOT_READY")) throw error;
    }
  }
}

/** A depot of gray frames. */
export const gray = (width: number, height: number, more: DepotOptions = {}): DepotOptions => ({
  ...{ frameSize: [width, height, 1], pixelFormat: "gray", maxSize: 32 },
  ...more,
});

/** Waits until a relay reads a source. */
export async function isFollowed(source: FramesDepot): Promise<void> {
  const loops = () => source.stats().peers.flatMap(({ readers }) => readers).filter(({ mode }) => mode !== "lookup");
  while (loops().length === 0) await moment();
}

/** Waits until a relay that was started again reads a source. */
export async function isFollowedBy(source: FramesDepot, pid: number): Promise<void> {
  const loops = () => source.stats().peers.filter((peer) => peer.pid === pid).flatMap(({ readers }) => readers);
  while (loops().filter(({ mode }) => mode !== "lookup").length === 0) await moment();
}
