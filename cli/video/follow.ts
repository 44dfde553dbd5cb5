/**
 * Following a depot until its stream ends. A depot itself never ends, because any process may fill it. Its stream has
 * ended when every stored frame has been read and no live process has stored any.
 *
 * @module
 */
import { DepotError, type DepotStats, type Frame, FramesDepot, type From, type ReadMode } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Interruption } from "../interruption.ts";
import { complain } from "../terminal/output.ts";

/** How a depot is followed. */
export type FollowOptions = {
  mode: ReadMode;
  from: From;
  /** When all producers have gone, waits for another. */
  follow?: boolean;
  /** Seconds to wait for the depot, and for each frame. Without it there is no limit. */
  timeout?: number;
  /** The maximum of frames to read. */
  frames?: number;
};

/** Time between two checks for a producer while no frame comes. */
const ASK_MS = 100;
/** After this long a wait is explained. */
const PATIENCE_MS = 1000;

/** Opens a depot, waiting for it, and explains a long wait. @throws as {@linkcode openInTime} */
export async function openDepot(
  name: string,
  timeoutSeconds: number | undefined,
  { signal }: Interruption,
): Promise<FramesDepot> {
  const timer = setTimeout(() => {
    const names = FramesDepot.list().map((info) => info.name);
    const others = names.length === 0 ? "there is no depot" : `there are ${names.slice(0, 8).join(", ")}`;
    complain(`waiting for depot "${name}"; ${others}\n`);
  }, PATIENCE_MS);
  try {
    return await openInTime(name, timeoutSeconds ?? Infinity, signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Opens a depot that may come until the time is up.
 *
 * @throws {Failure} when it has been waited for without success @throws {DepotError}
 */
export async function openInTime(name: string, timeoutSeconds: number, signal: AbortSignal): Promise<FramesDepot> {
  try {
    return await FramesDepot.open(name, { signal, timeoutMs: timeoutSeconds * 1000 });
  } catch (error) {
    if (!(error instanceof DepotError && error.code === "NOT_FOUND" && timeoutSeconds > 0)) throw error;
    throw new Failure(`depot "${name}" is not there after ${timeoutSeconds} s, the limit of --timeout`, EXIT.notFound);
  }
}

/**
 * Frames until the stream ends; each is released when the next one is asked for.
 *
 * @throws {Failure} when `timeout` passes without a frame, or when interrupted
 */
export async function* followFrames(
  depot: FramesDepot,
  options: FollowOptions,
  { signal }: Interruption,
): AsyncGenerator<Frame, void, void> {
  const { mode, from, follow = false, timeout = Infinity, frames = Infinity } = options;
  await using reader = depot.frames({ mode, from, signal });
  let waitingSince: number | undefined;
  let late = false;
  const asking = setInterval(() => {
    if (waitingSince === undefined) return;
    const waitedMs = performance.now() - waitingSince;
    late = waitedMs > timeout * 1000;
    // Releasing the reader ends its wait.
    if (late || !follow && hasEnded(depot)) reader.release();
  }, ASK_MS);
  try {
    for (let count = 0; count < frames; count++) {
      waitingSince = performance.now();
      const { value: frame } = await reader.next();
      waitingSince = undefined;
      if (frame === undefined) break;
      yield frame;
    }
    if (late) {
      throw new Failure(
        `depot "${depot.name}" brought no frame for ${timeout} s, the limit of --timeout`,
        EXIT.notFound,
      );
    }
  } finally {
    clearInterval(asking);
  }
}

/** @throws {DepotError} when the depot is closed meanwhile */
function hasEnded(depot: FramesDepot): boolean {
  // Two looks: the second has the frames that a producer stored before the first look found it gone.
  return !isFilled(depot.stats()) && depot.stats().peers.every(({ self, readers }) => {
    return !self || readers.every(({ mode, lag }) => mode === "lookup" || lag === 0);
  });
}

/** Whether a live process has stored frames or, while no frame has been stored, may still do so. */
function isFilled({ stored, peers }: DepotStats): boolean {
  const others = peers.filter(({ self, alive }) => !self && alive);
  return stored > 0 ? others.some((peer) => peer.stored > 0) : others.some(({ readers }) => readers.length === 0);
}
