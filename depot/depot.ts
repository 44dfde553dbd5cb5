/**
 * The depot as its users hold it.
 *
 * @module
 */
import { loadShim } from "../ffi/load.ts";
import { Attachment } from "../ring/attachment.ts";
import type { WaitOptions } from "../ring/lane.ts";
import type { ByteSource } from "./byte_source.ts";
import {
  checkBoolean,
  checkCallback,
  checkElements,
  checkMode,
  checkName,
  checkObject,
  checkOpening,
  checkWait,
  NOTHING_SAID,
} from "./checks.ts";
import {
  type DepotInfo,
  type DepotInspection,
  find,
  findOrMake,
  inspectDepot,
  listDepots,
  make,
  removeName,
  UNLINK_NAMES,
  type UnlinkOptions,
} from "./finding.ts";
import { FrameFollower } from "./follow.ts";
import { checkNames, CREATE_NAMES, OPEN_NAMES } from "./option_names.ts";
import { Intake } from "./intake.ts";
import { type DepotLimit, listLimits } from "./limits.ts";
import type {
  DepotOptions,
  ElementType,
  ElementTypeOf,
  EnqueueResult,
  FollowOptions,
  FrameDetails,
  FrameInput,
  OnBackpressure,
  OpenOptions,
} from "./options.ts";
import { ReadableDepot } from "./readable_depot.ts";
import { closeOnSignals, Session } from "./session.ts";
import { checkGeometry } from "./shape.ts";
import type { FrameSlot } from "./slot.ts";
import { writableOf } from "./web_streams.ts";
import { writeFrom, type WriteFromOptions } from "./writing.ts";

/**
 * A fixed-size queue of numbered video frames in shared memory, by name: any process can fill it, follow it, or ask it
 * for "frame 5".
 *
 * A depot object belongs to the thread that made it; another thread or process opens its own.
 *
 * @example Frames in, frames out
 * ```ts
 * import { FramesDepot } from "@frames-depot/frames-depot";
 * import { assertEquals } from "@std/assert";
 *
 * await using depot = await FramesDepot.create("doc-depot", { frameSize: [640, 480, 3], pixelFormat: "rgb24" });
 * await depot.enqueue({ frameNumber: 0, frame: new Uint8Array(640 * 480 * 3).fill(128) });
 *
 * for await (const frame of depot.frames({ timeoutMs: 10 })) {
 *   assertEquals([frame.frameNumber, frame.data.length, frame.data[0]], [0, 921600, 128]);
 * }
 * ```
 */
export class FramesDepot<E extends ElementType = ElementType> extends ReadableDepot<E> {
  readonly #session: Session;
  readonly #intake: Intake<E>;

  /** @ignore */
  private constructor(attachment: Attachment, onBackpressure: OnBackpressure | undefined) {
    if (!(attachment instanceof Attachment)) {
      throw new TypeError("new FramesDepot() was called: use await FramesDepot.create(name, options) or open(name)");
    }
    const session = new Session(loadShim(), attachment);
    super(session);
    this.#session = session;
    this.#intake = new Intake(this.#session, onBackpressure);
    this.#session.closing.then(() => this.#intake.close());
  }

  /**
   * Makes a depot. Its memory is allocated before it is used. A name that only dead processes held is taken over, and
   * so is one whose producers have all closed it or died: its readers get what is left, and end as `replaced`.
   *
   * @param name 1 to 128 of A-Z a-z 0-9 _ - and, but not first, a full stop
   * @throws {TypeError | RangeError} for wrong arguments
   * @throws {DepotError} EXISTS (a depot with producers has the name, or one whose maker has stored nothing yet),
   *   NO_SPACE, PERMISSION, INCOMPATIBLE (a file that is no depot has the name, or with `replace` a live one of another
   *   version), NOT_READY (its membership was being changed for two seconds), UNSUPPORTED
   */
  static async create<const P extends string = "", E extends ElementType = ElementTypeOf<P>>(
    name: string,
    options: DepotOptions<E, P>,
  ): Promise<FramesDepot<E>> {
    const checked = { name: checkName(name), geometry: checkGeometry(options), mode: checkMode(options.mode) };
    const onBackpressure = checkCallback(options.onBackpressure);
    const always = checkBoolean("replace", options.replace ?? false);
    return new FramesDepot(await make(checked.name, checked.geometry, checked.mode, always), onBackpressure);
  }

  /**
   * Opens a depot that exists. Its geometry comes from the segment.
   *
   * @param options `timeoutMs`: how long to wait for a depot that is not there or not ready; default 0
   * @throws {TypeError | RangeError} for wrong arguments
   * @throws {DepotError} NOT_FOUND, NOT_READY, INCOMPATIBLE, CORRUPT, PERMISSION, TOO_MANY_PEERS, NO_SPACE, UNSUPPORTED
   */
  static async open<E extends ElementType = ElementType>(
    name: string,
    options: OpenOptions<E> = {},
  ): Promise<FramesDepot<E>> {
    const checked = checkName(name);
    const wait = checkWait(options);
    checkNames("open", options, OPEN_NAMES);
    const onBackpressure = checkCallback(options.onBackpressure);
    const wanted = checkElements(options);
    return new FramesDepot(await find(checked, checkOpening(options), wanted, wait), onBackpressure);
  }

  /**
   * Opens a depot, or makes it if there is none. The first process to ask makes it. One of another geometry, or one
   * that has ended, is replaced if its producers are gone, with `replace: true` in any case. One that has ended and
   * still has producers is opened otherwise, and takes no more frames.
   *
   * @throws {TypeError | RangeError} for wrong arguments
   * @throws {DepotError} INCOMPATIBLE when there is one of another geometry with producers; otherwise as create and
   *   open
   */
  static async createOrOpen<const P extends string = "", E extends ElementType = ElementTypeOf<P>>(
    name: string,
    options: DepotOptions<E, P> & OpenOptions<E>,
  ): Promise<FramesDepot<E>> {
    const checked = checkName(name);
    const geometry = checkGeometry(options, { ...CREATE_NAMES, ...OPEN_NAMES });
    const mode = checkMode(options.mode);
    const wait = checkWait(options);
    const onBackpressure = checkCallback(options.onBackpressure);
    const always = checkBoolean("replace", options.replace ?? false);
    const attachment = await findOrMake(checked, geometry, mode, always, checkOpening(options), wait);
    return new FramesDepot(attachment, onBackpressure);
  }

  /**
   * The frames of whatever depot has a name: it waits for the name, and goes on when the depot is made anew, by any
   * process and of any shape. `lost` counts frames that were stored and are gone. It never makes a depot, and joins the
   * present one as a reader. A depot that its last process closes before the follower has opened it is gone unseen.
   *
   * @param options as for {@linkcode FramesDepot.frames}. `timeoutMs`: limit of the wait for each frame, and the name
   * @throws {TypeError | RangeError} for wrong arguments
   *
   * @example A viewer that outlives its camera
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * const camera = async (width: number) => {
   *   const depot = await FramesDepot.create("doc-follow", { frameSize: [width, 2, 3] });
   *   await depot.enqueue({ frameNumber: 0, frame: new Uint8Array(depot.frameBytes) });
   *   return depot;
   * };
   * const widths: number[] = [];
   * let depot = await camera(640);
   * for await (const frame of FramesDepot.follow("doc-follow", { timeoutMs: 1000 })) {
   *   widths.push(frame.width);
   *   await depot.close(); // or its process is killed
   *   if (widths.length === 2) break;
   *   depot = await camera(1280);
   * }
   * assertEquals(widths, [640, 1280]);
   * ```
   */
  static follow<E extends ElementType = ElementType>(
    name: string,
    options: FollowOptions<E> = {},
  ): FrameFollower<E, FramesDepot<E>> {
    return new FrameFollower(checkName(name), options, (attachment) => new FramesDepot<E>(attachment, undefined));
  }

  /**
   * From now on SIGINT (Ctrl-C) and SIGTERM close every depot object of the process before they end it, also those of
   * workers: no name stays behind as stale, and no other code of the program runs. Call it in the main thread. A
   * program that has listeners of its own goes on, finds its depots closed, and must end itself; in Deno, add those
   * before the first call of this library. A signal that is ignored (`nohup`, `&` in a script) stays ignored; Node
   * itself ignores none, whatever it was started by. A thread that is blocked in {@linkcode FrameReader.nextSync} hears
   * no signal. Without this call the process dies as by any other signal, and other processes give back what it held.
   *
   * @throws {DepotError} UNSUPPORTED where the library cannot be loaded, and in workers of Node and Bun, which hear no
   *   signals
   */
  static closeOnSignals(): void {
    closeOnSignals(loadShim());
  }

  /**
   * What limits a new depot here, as far as the system tells. `create` refuses what is beyond before it allocates.
   *
   * @throws {DepotError} UNSUPPORTED
   *
   * @example How many frames of 1080p have room
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   *
   * const bytes = FramesDepot.limits().filter(({ kind }) => kind !== "inodes").map(({ left }) => left);
   * console.log(Math.floor(Math.min(...bytes) / (1920 * 1080 * 3)));
   * ```
   */
  static limits(): DepotLimit[] {
    return listLimits();
  }

  /**
   * Every depot that this user may open, live or stale, and why. Opens none of them.
   *
   * @throws {DepotError} UNSUPPORTED, PERMISSION
   */
  static list(): DepotInfo[] {
    return listDepots();
  }

  /**
   * What {@linkcode FramesDepot.list} says of one depot, with its counters and peers. This process does not join: a
   * live depot does not notice, a stale one stays stale, and its dead peers are listed.
   *
   * @returns undefined when there is none that this user may open
   * @throws {TypeError | RangeError} for a wrong name
   *
   * @example Looked at, not opened
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-inspected", { frameSize: [4, 2, 3] });
   * await depot.enqueue({ frameNumber: 0, frame: new Uint8Array(24) });
   *
   * const found = FramesDepot.inspect("doc-inspected");
   * assertEquals([found?.stale, found?.stats?.stored, found?.stats?.peers.length], [false, 1, 1]);
   * ```
   */
  static inspect(name: string): DepotInspection | undefined {
    return inspectDepot(checkName(name));
  }

  /**
   * Removes a name. Processes that have the depot open keep it and go on, neither ended nor replaced; a new one can be
   * made under the name.
   *
   * @param options `onlyStale`: only if no live process has it open; this includes broken segments. It is asked and
   * done under the segment's own lock, so that a process which joins meanwhile does not lose the depot
   * @returns whether this call removed it; false when there was none or, with `onlyStale`, when a live process has it
   * @throws {TypeError | RangeError} for a wrong name @throws {DepotError} PERMISSION
   */
  static unlink(name: string, options: UnlinkOptions = {}): boolean {
    checkObject("options", options);
    checkNames("unlink", options, UNLINK_NAMES);
    return removeName(checkName(name), options);
  }

  /**
   * Puts a frame in, with one copy. When there is room it is stored before the call returns its promise; otherwise the
   * depot's `whenFull` decides, and the array must not change until the promise is settled.
   *
   * @param input the frame, its number (any safe integer), timestamp and metadata
   * @param options what ends the waiting of a depot that waits
   * @throws {TypeError | RangeError} for a frame of another type or byte length, before anything is written
   * @throws {DepotError} CLOSED, ENDED, REPLACED, also when that comes while it waits; and the reason of an aborted
   *   `signal`
   */
  enqueue(input: FrameInput, options: WaitOptions = {}): Promise<EnqueueResult> {
    return this.#intake.enqueue(input, options);
  }

  /**
   * {@linkcode FramesDepot.enqueue} if there is room now.
   *
   * @returns undefined when there is none; nothing is counted and `onBackpressure` is not called
   */
  tryEnqueue(input: FrameInput): EnqueueResult | undefined {
    return this.#intake.tryEnqueue(input);
  }

  /**
   * A slot to write the next frame into, without a copy.
   *
   * @returns undefined when there is no room; nothing is counted and `onBackpressure` is not called
   * @throws {TypeError | RangeError} for wrong details @throws {DepotError} CLOSED, ENDED, REPLACED
   */
  tryClaim(details: FrameDetails = NOTHING_SAID): FrameSlot<E> | undefined {
    return this.#intake.tryClaim(details);
  }

  /**
   * A slot to write the next frame into, without a copy. Without room, a depot that waits waits; the others count the
   * frame as dropped.
   *
   * @returns undefined when dropped or when the time is up
   * @throws as {@linkcode FramesDepot.enqueue}
   */
  claim(options: FrameDetails & WaitOptions = {}): Promise<FrameSlot<E> | undefined> {
    return this.#intake.claim(options, options);
  }

  /**
   * Cuts raw bytes (as `ffmpeg -f rawvideo` gives them) into frames and stores them, with one copy more than
   * {@linkcode FramesDepot.enqueue} and with the depot's back-pressure: a depot that waits holds the source up, the
   * others count frames without room as dropped. The source is this call's alone until it ends.
   *
   * @param source a stream of bytes, a reader, or an async iterable of typed arrays
   * @returns how many frames were stored, once the source has ended at the end of a frame
   * @throws {RangeError} when it ends in the middle of one, unless the depot was made with `variableLength`: then the
   *   last frame is shorter @throws {TypeError} for another source, or when it is being
   *   read already @throws {DepotError} CLOSED, ENDED, REPLACED, also when that comes while it waits for bytes or room
   * @throws the reason of the `signal`, and what the source throws; what was read and not stored is kept for the next
   *   call with the same source
   *
   * @example Raw video from any stream
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-write-from", { frameSize: [4, 2, 3] });
   * const video = new Blob([new Uint8Array(24 * 3)]).stream();
   * assertEquals(await depot.writeFrom(video, { frameNumber: 100 }), 3);
   * assertEquals(depot.statusOf(102), "stored");
   * ```
   */
  writeFrom(source: ByteSource, options: WriteFromOptions = {}): Promise<number> {
    return writeFrom(this.#intake, this.#session.attachment.geometry, source, options);
  }

  /** A stream to write frames into, with the depot's back-pressure. Closing it does not close the depot. */
  writable(): WritableStream<FrameInput> {
    return writableOf((input, signal) => this.enqueue(input, { signal }));
  }
}
