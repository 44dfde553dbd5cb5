/**
 * What every open depot says of itself, and its end.
 *
 * @module
 */
import { type DepotStats, depotStats, droppedFrames } from "../ring/counters.ts";
import type { Color, FieldOrder } from "../ring/color.ts";
import { show } from "./checks.ts";
import type { ElementType, WhenFull } from "./options.ts";
import type { Session } from "./session.ts";

/** The method that the consoles of all runtimes ask an object for. */
const CONSOLE = Symbol.for("nodejs.util.inspect.custom");

/** What is said of a depot at its making, as an object would be shown. It asks the segment for nothing. */
function shown({ name, id, frameSize, elementType, pixelFormat, maxSize, whenFull, closed }: OpenDepot): string {
  const said = { name, id, frameSize, elementType, pixelFormat, maxSize, whenFull, closed };
  const members = Object.entries(said).map(([key, value]) => `${key}: ${show(value)}`);
  return `FramesDepot { ${members.join(", ")} }`;
}

/** An open depot: its shape, its counters, and how it is closed. {@linkcode FramesDepot} is the one there is. */
export abstract class OpenDepot<E extends ElementType = ElementType> implements AsyncDisposable {
  static {
    // What a console shows of it. A method would be one for users, too.
    Object.defineProperty(this.prototype, CONSOLE, {
      value(this: OpenDepot) {
        return shown(this);
      },
    });
  }

  readonly #session: Session;

  /**
   * Made by its subclass.
   *
   * @ignore
   */
  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Empties queue and index, for every process. Leases that are held stay whole until they are released.
   *
   * @throws {DepotError} CLOSED
   */
  // deno-lint-ignore require-await -- a promise by contract, and errors arrive through it
  async clearQueue(): Promise<void> {
    this.#session.assertOpen();
    this.#session.attachment.room.clear();
  }

  /**
   * Whether the next frame finds no room. A depot that overwrites is full only while every slot is held. False once
   * closed.
   */
  get queueIsFull(): boolean {
    return !this.#session.closed && this.#session.attachment.producer.isFull;
  }

  /** Frames refused since the depot was made, by all processes. 0 once closed. */
  get droppedFrames(): number {
    return this.#session.closed ? 0 : droppedFrames(this.#session.attachment);
  }

  /** Counters and peers, read from the segment: the same numbers in every process. @throws {DepotError} CLOSED */
  stats(): DepotStats {
    this.#session.assertOpen();
    this.#session.attachment.peers.recoverDead();
    return depotStats(this.#session.attachment);
  }

  /** The name. */
  get name(): string {
    return this.#session.name;
  }

  /** 16 hexadecimal digits: the same in every process that has this depot open, others for the next of its name. */
  get id(): string {
    return this.#session.attachment.id;
  }

  /** Slots: the most frames that the queue can hold. */
  get maxSize(): number {
    return this.#session.attachment.geometry.maxSize;
  }

  /** `[width, height, channels]`: pixels, pixels, elements per pixel. */
  get frameSize(): [width: number, height: number, channels: number] {
    const { width, height, channels } = this.#session.attachment.geometry;
    return [width, height, channels];
  }

  /** Bytes of a frame; the most there are, where lengths vary. */
  get frameBytes(): number {
    return this.#session.attachment.geometry.frameBytes;
  }

  /** Whether each frame has a length of its own, up to `frameBytes`. */
  get variableLength(): boolean {
    return this.#session.attachment.geometry.variableLength;
  }

  /** What an element of a frame is. */
  get elementType(): E {
    return this.#session.attachment.geometry.elementType as E;
  }

  /** The label, empty if there is none. */
  get pixelFormat(): string {
    return this.#session.attachment.geometry.pixelFormat;
  }

  /** How numbers become colours. What was not said is absent. */
  get color(): Color {
    return this.#session.attachment.geometry.color;
  }

  /** Width and height of a pixel; undefined where it was not said. */
  get sampleAspectRatio(): readonly [width: number, height: number] | undefined {
    return this.#session.attachment.geometry.sampleAspectRatio;
  }

  /** Whether a frame is two fields, and which is the first; undefined where it was not said. */
  get fieldOrder(): FieldOrder | undefined {
    return this.#session.attachment.geometry.fieldOrder;
  }

  /** What happens to a frame for which there is no room. */
  get whenFull(): WhenFull {
    return this.#session.attachment.geometry.whenFull;
  }

  /** Bytes that each frame has for metadata. */
  get metadataBytes(): number {
    return this.#session.attachment.geometry.metadataBytes;
  }

  /**
   * No more frames from now on, by any process: readers get what is left and end; producers get ENDED. What was claimed
   * before may still be published, and readers wait for it. A second call changes nothing.
   *
   * @throws {DepotError} CLOSED
   *
   * @example The end of a recording
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-end", { frameSize: [4, 2, 3] });
   * await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(24) });
   * depot.end();
   *
   * const frames = depot.frames();
   * for await (const frame of frames) assertEquals(frame.frameNumber, 1);
   * assertEquals(frames.ended, "ended");
   * ```
   */
  end(): void {
    this.#session.assertOpen();
    this.#session.attachment.room.close();
  }

  /** Whether it takes no more frames: `end()` was called, or it was replaced. False once closed. */
  get ended(): boolean {
    return !this.#session.closed && this.#session.attachment.room.end() !== undefined;
  }

  /** Whether another depot has the name, by `replace` or because producers were gone. False once closed. */
  get replaced(): boolean {
    return !this.#session.closed && this.#session.attachment.isReplaced;
  }

  /** Whether the name still leads here: it does not once it was removed or replaced. False once closed. */
  get linked(): boolean {
    return !this.#session.closed && this.#session.attachment.isLinked;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#session.closed;
  }

  /**
   * Releases every lease, ends every wait and leaves. The last depot object to leave removes the segment. A second call
   * returns the same promise.
   */
  close(): Promise<void> {
    return this.#session.close();
  }

  /** {@linkcode OpenDepot.close}, at the end of an `await using` scope. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
