/**
 * Following a name: the frames of whatever depot has it, until a producer says that it ends. What is written has one
 * shape of frames, so a depot of another shape is a part of its own.
 *
 * @module
 */
import {
  DepotError,
  type ElementType,
  type Frame,
  type FrameFollower,
  FramesDepot,
  type From,
  type ReadMode,
} from "../../mod.ts";
import { shapeInWords } from "../changes.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Interruption } from "../interruption.ts";
import { complain } from "../terminal/output.ts";

/** How a name is followed. */
export type FollowOptions = {
  mode: ReadMode;
  from: From;
  /** Goes on with the next depot after one that was ended. */
  follow?: boolean;
  /** What to do when all producers have gone without ending the depot: to wait for the next one, or to end. */
  whenProducersGone?: "wait" | "end";
  /** Goes on with a depot of another shape, in a file of its own. */
  followFormat?: boolean;
  /** Seconds to wait for the depot, and for each frame. Without it there is no limit. */
  timeout?: number;
  /** The maximum of frames to read. */
  frames?: number;
};

/** Time between two looks at the clock and at the producers while no frame comes. */
const ASK_MS = 100;
/** After this long a wait is explained. */
const PATIENCE_MS = 1000;

/** Opens a depot, waiting for it, and explains a long wait. @throws as {@linkcode openInTime} */
export async function openDepot(
  name: string,
  timeoutSeconds: number | undefined,
  { signal }: Interruption,
): Promise<FramesDepot> {
  const timer = setTimeout(() => complain(`waiting for depot "${name}"${othersInWords()}\n`), PATIENCE_MS);
  try {
    return await openInTime(name, timeoutSeconds ?? Infinity, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Which depots there are instead; nothing where the system does not let them be looked at. */
function othersInWords(): string {
  try {
    const live = FramesDepot.list().filter(({ usable, stale }) => usable && !stale).map((info) => info.name);
    return live.length === 0 ? "; no other is live" : `; live: ${live.slice(0, 8).join(", ")}`;
  } catch {
    return "";
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

/** What has to stay so that frames fit what was begun with them. */
const SHAPE = ["frameSize", "elementType", "pixelFormat", "frameBytes", "variableLength", "metadataBytes"] as const;

/** The frames of a name, in parts of one shape each. */
export class Following implements AsyncDisposable {
  readonly #name: string;
  readonly #options: FollowOptions;
  readonly #follower: FrameFollower<ElementType, FramesDepot>;
  /** The depot as it was found, of which no frame is taken while its output is tried. */
  readonly #found: FramesDepot;
  /** The depot of the present part's frames. */
  #depot: FramesDepot;
  /** A frame that is not given out yet: the first of a part. */
  #next: Frame | undefined;
  #left: number;
  #waitingSince: number | undefined;
  #isLate = false;
  /** Of which depot it was said that it brings nothing. */
  #explained: string | undefined;

  /**
   * Waits for the depot, and explains a long wait.
   *
   * @throws {Failure} when `timeout` passes, when interrupted, and for options that contradict each other
   * @throws {DepotError} for a depot that cannot be opened
   */
  static async begin(name: string, options: FollowOptions, interruption: Interruption): Promise<Following> {
    const { follow, whenProducersGone, timeout } = options;
    if (follow && whenProducersGone === "end") {
      throw new Failure("--follow waits for producers, and --when-producers-gone end does not: choose one", EXIT.usage);
    }
    return new Following(await openDepot(name, timeout, interruption), options, interruption.signal);
  }

  private constructor(found: FramesDepot, options: FollowOptions, signal: AbortSignal) {
    this.#name = found.name;
    this.#found = this.#depot = found;
    this.#options = options;
    this.#left = options.frames ?? Infinity;
    const { mode, from, follow, whenProducersGone } = options;
    this.#follower = FramesDepot.follow(found.name, {
      ...{ mode, from, whenProducersGone, signal },
      whenEnded: follow ? "wait" : "end",
    });
  }

  /** The depot of the present part. */
  get depot(): FramesDepot {
    return this.#depot;
  }

  /** The depot of another shape that begins the next part; undefined where there is none. */
  get other(): FramesDepot | undefined {
    return this.#next === undefined ? undefined : this.#follower.depot;
  }

  /** Begins the next part. */
  goOn(): void {
    this.#depot = this.#follower.depot!;
  }

  /** Why what was begun cannot take the next part. @param what has come to its end, and what would go on */
  refuse(what: string): Failure {
    const [now, before] = [shapeInWords(this.other!), shapeInWords(this.depot)];
    const shapes = now === before ? `of other frames, ${now}` : `${now} after ${before}`;
    return new Failure(`depot "${this.#name}" has another shape now, ${shapes}: ${what}`, EXIT.refused);
  }

  /**
   * The frames of one part; each is released when the next one is asked for. It ends with the stream, at the limit of
   * frames, and where another shape begins.
   *
   * @throws {Failure} when `timeout` passes without a frame, or when interrupted
   */
  async *frames(): AsyncGenerator<Frame, void, void> {
    const asking = setInterval(() => this.#ask(), ASK_MS);
    try {
      while (this.#left > 0) {
        const frame = this.#next ?? await this.#take();
        if (frame === undefined) return;
        this.#next = frame;
        if (!this.#fits()) return;
        this.#next = undefined;
        this.#left--;
        yield frame;
        if (!this.#found.closed) await this.#found.close();
      }
    } finally {
      clearInterval(asking);
    }
  }

  async #take(): Promise<Frame | undefined> {
    this.#waitingSince = performance.now();
    const { value: frame } = await this.#follower.next();
    this.#waitingSince = undefined;
    if (!this.#isLate) return frame;
    throw new Failure(
      `depot "${this.#name}" brought no frame for ${this.#options.timeout} s, the limit of --timeout`,
      EXIT.notFound,
    );
  }

  /** Whether the next frame is of the present shape. */
  #fits(): boolean {
    const { depot } = this.#follower;
    if (depot === this.#depot) return true;
    if (SHAPE.some((key) => String(depot![key]) !== String(this.#depot[key]))) return false;
    this.goOn();
    return true;
  }

  /** While no frame comes. Releasing the follower ends its wait. */
  #ask(): void {
    if (this.#waitingSince === undefined) return;
    const waitedMs = performance.now() - this.#waitingSince;
    this.#isLate = waitedMs > (this.#options.timeout ?? Infinity) * 1000;
    if (this.#isLate) this.#follower.release();
    else if (waitedMs > PATIENCE_MS) this.#explain();
  }

  #explain(): void {
    const { depot } = this.#follower;
    if (depot === undefined || depot.closed || depot.id === this.#explained) return;
    const { ended, stored, peers } = depot.stats();
    const isFilled = stored === 0 || peers.some(({ self, alive, producer }) => !self && alive && producer);
    if (!ended && isFilled) return;
    this.#explained = depot.id;
    const why = ended ? "has ended" : "has no producer any more";
    complain(`depot "${this.#name}" ${why}: waiting for the next one; Ctrl-C ends the wait\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#follower.return(), this.#found.close()]);
  }
}
