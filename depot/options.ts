/**
 * What users choose and say: options, details, callbacks.
 *
 * @module
 */
import type { From } from "../ring/from.ts";
import type { Color, FieldOrder } from "../ring/color.ts";
import type { WaitLimits, WaitOptions } from "../ring/lane.ts";

/** How many bytes an element of a frame has and how it is read: it decides the typed array of `frame.data`. */
export type ElementType = "uint8" | "uint16" | "float32";

/** What happens to a frame for which there is no room. */
export type WhenFull = "drop" | "wait" | "overwrite";

/** What `frame.data` is, by element type. */
export type FrameData<E extends ElementType = ElementType> = {
  uint8: Uint8Array<ArrayBuffer>;
  uint16: Uint16Array<ArrayBuffer>;
  float32: Float32Array<ArrayBuffer>;
}[E];

/**
 * The element type that follows from a `pixelFormat` alone. Names that end in `le` have elements of more than one byte,
 * or are labels of your own: give `elementType`, too, where TypeScript should know which.
 */
export type ElementTypeOf<P extends string> = string extends P ? ElementType
  : P extends `${string}le` ? ElementType
  : "uint8";

/** The argument of {@linkcode DepotOptions.onBackpressure}. */
export interface BackpressureEvent {
  /** The number of the frame that found no room; undefined where the depot would have numbered it. */
  frameNumber: number | undefined;
  /** Frames that wait for the slowest lossless reader. */
  length: number;
  /** Slots. */
  maxSize: number;
  /** Frames refused so far, by all producers. */
  droppedFrames: number;
  /** The process whose lossless reader is furthest behind, and by how many frames. Undefined without such a reader. */
  slowest: { pid: number; lag: number } | undefined;
  /** Whether the queue is full until a reader comes: a lossless one, or in a depot that drops one of any mode. */
  waitsForReader: boolean;
}

/**
 * Called when a frame finds no room; runs outside every lock. A depot that drops calls it for each frame that it
 * refuses, so count or limit what you log, and awaits the promise it returns, for no longer than the call's `timeoutMs`
 * and `signal` allow. A depot that waits calls it once a stall and waits for room beside it. What it throws, its call
 * throws; once the frame is stored or the wait is over, it is printed instead.
 *
 * TypeScript cannot infer the type of a depot whose own callback returns what the depot returns: write
 * `async () => { await depot.clearQueue(); }` and not `() => depot.clearQueue()`.
 */
export type OnBackpressure = (event: BackpressureEvent) => void | Promise<void>;

/** How a depot is made. `frameSize` or, for content of varying length, `frameBytes` has no default. */
export interface DepotOptions<E extends ElementType = ElementType, P extends string = string> {
  /**
   * `[width, height, channels]`: pixels, pixels, elements per pixel, each from 1. Where the `pixelFormat` is one of
   * {@linkcode PIXEL_FORMATS}, the channels follow from it and may be left out; where it is a label of varying content,
   * all of it may be.
   */
  frameSize?:
    | readonly [width: number, height: number]
    | readonly [width: number, height: number, channels: number]
    | undefined;
  /** What an element of a frame is. Default: that of the `pixelFormat`, otherwise `"uint8"`. */
  elementType?: E | undefined;
  /**
   * What the frames hold, spelled as in ffmpeg's `-pix_fmt`. The names of {@linkcode PIXEL_FORMATS} have a meaning:
   * channels, `elementType` and `frameBytes` follow from them. `mjpeg`, `jpeg`, `png`, `webp`, `h264`, `hevc`, `av1`,
   * `vp8`, `vp9` and `json` are content of varying length. Anything else of up to 15 printable ASCII characters is a
   * label of your own, unless it is one slip away from one of these. Default: none.
   */
  pixelFormat?: P | undefined;
  /**
   * Bytes of a frame; the most there are, where frames vary in length. Default: those of the `pixelFormat`, otherwise
   * width × height × channels × element size.
   */
  frameBytes?: number | undefined;
  /**
   * Whether each frame has a length of its own, up to `frameBytes`: for compressed video, JSON. Default false; where
   * the `pixelFormat` is content of varying length there is no default.
   */
  variableLength?: boolean | undefined;
  /** How numbers become colours: labels for programs that show the frames. Default: nothing is said. */
  color?: Color | undefined;
  /** Width and height of a pixel, as `[4, 3]`. Default: nothing is said. */
  sampleAspectRatio?: readonly [width: number, height: number] | undefined;
  /** Whether a frame is two fields, and which is the first, as `"tt"`. Default: nothing is said. */
  fieldOrder?: FieldOrder | undefined;
  /** Frames in the queue, 1 to 1,048,576. Default 10. */
  maxSize?: number | undefined;
  /** What happens to a frame for which there is no room. Default `"drop"`. */
  whenFull?: WhenFull | undefined;
  /** Called when a frame of this depot object finds no room. Default: none. */
  onBackpressure?: OnBackpressure | undefined;
  /** Bytes of metadata beside each frame, 0 to 16 MiB. Default 0. */
  metadataBytes?: number | undefined;
  /** Readers that may be attached at one time, in all processes together, 1 to 1023. Default 31. */
  maxReaders?: number | undefined;
  /**
   * Groups of readers that may share frames at one time, 0 to 64 ({@linkcode FramesOptions.group}). Each takes one of
   * `maxReaders` while it has members. Default 4.
   */
  maxGroups?: number | undefined;
  /** Permission bits of the segment. Default `0o600`: this user only. */
  mode?: number | undefined;
  /**
   * Whether to take the name from a depot that producers still fill; their claims and publications then throw
   * REPLACED, and its readers get what is left and end. Default false: only a name whose producers are gone is taken.
   */
  replace?: boolean | undefined;
}

/** How an existing depot is opened. Its geometry comes from the segment. */
export interface OpenOptions<E extends ElementType = ElementType> extends WaitLimits {
  /** What an element of its frames must be. Default: whatever it is. */
  elementType?: E | undefined;
  /**
   * Milliseconds to wait for a depot that is not there or not ready; then NOT_FOUND or NOT_READY is thrown. Default 0.
   */
  timeoutMs?: number | undefined;
  /**
   * Called when a frame of this depot object finds no room. It belongs to this object, not to the depot. Default: none.
   */
  onBackpressure?: OnBackpressure | undefined;
  /** Whether to open a depot whose processes are all dead. Default false: such a depot counts as not there. */
  stale?: boolean | undefined;
  /** User ids whose depots are trusted, in addition to this process's own and root's. Default: none. */
  trustedOwners?: readonly number[] | undefined;
}

/** What may be said of a frame at the moment it is claimed or published. */
export interface FrameDetails {
  /** Any safe integer. Default: the frame's sequence. */
  frameNumber?: number | undefined;
  /** Nanoseconds, 0 to 2^64 - 1. Default: the time of publishing, since 1970. */
  timestampNs?: bigint | number | undefined;
  /** Up to the depot's `metadataBytes`. Default: none. */
  metadata?: Uint8Array | undefined;
}

/** What may be said of a frame when it is published. */
export interface PublishDetails extends FrameDetails {
  /**
   * Bytes of the frame, in a depot with `variableLength`. Default: what `fillFrom` has put in, otherwise `frameBytes`.
   */
  byteLength?: number | undefined;
}

/** What a reader does when it falls behind. */
export type ReadMode = "lossless" | "lossy" | "latest";

/** How a depot is followed. */
export interface FramesOptions extends WaitOptions {
  /**
   * Default `"oldest"`. A number begins with the frame of that number; if it is not in the queue, with the first frame
   * whose number is not below it. In a {@linkcode FramesOptions.group} the first member decides.
   */
  from?: From | undefined;
  /**
   * - `"lossless"` (default): producers wait for this reader, unless the depot overwrites
   * - `"lossy"`: no producer waits for it; `frame.lost` counts the frames it missed just before
   * - `"latest"`: lossy, and each frame is the newest one
   */
  mode?: ReadMode | undefined;
  /**
   * Shares the frames with all loops, in any processes, that give the same name, 1 to 64 bytes: each frame is for one
   * of them. It is done when its last lease is released, also by `break` or an exception; if its process or thread dies
   * before that, another member gets it ({@linkcode Frame.redelivered}). Producers wait for the group as for a lossless
   * reader; a slow member holds up its own frames only. When the last member leaves, the group is no more.
   */
  group?: string | undefined;
  /**
   * What the reader does once it has passed all frames and every producer has closed the depot or died: `"wait"`
   * (default) for the next one, or `"end"`. A producer is a depot object that has claimed at least once; while there
   * was none yet, the reader waits.
   */
  whenProducersGone?: "wait" | "end" | undefined;
}

/** How a name is followed: {@linkcode FramesDepot.follow}. */
export interface FollowOptions<E extends ElementType = ElementType> extends FramesOptions {
  /**
   * Where to begin in the first depot; in each one after it, with the oldest frame. Default `"oldest"`; see
   * {@linkcode FramesOptions.from}.
   */
  from?: From | undefined;
  /**
   * What the follower does once it has passed every frame of a depot of which `end()` was called: `"wait"` (default)
   * for the next depot, or `"end"`. With `whenProducersGone: "end"` it ends in any case.
   */
  whenEnded?: "wait" | "end" | undefined;
  /** What an element of the frames must be. Default: whatever it is. */
  elementType?: E | undefined;
  /** User ids whose depots are trusted, in addition to this process's own and root's. Default: none. */
  trustedOwners?: readonly number[] | undefined;
}

/** Why a reader has ended; see {@linkcode FrameReader.ended}. */
export type ReaderEnd = "ended" | "replaced" | "producers-gone" | "timeout" | "closed" | "released";

/** What {@linkcode FramesDepot.enqueue} takes. */
export interface FrameInput extends FrameDetails {
  /** The depot's `frameBytes`, with `variableLength` up to as many, as an array of its element type or as bytes. */
  frame: ArrayBufferView<ArrayBufferLike> | ArrayBuffer;
}

/** What became of a frame. */
export type EnqueueResult =
  | { state: "stored"; sequence: number }
  | { state: "dropped"; droppedFrames: number }
  | { state: "timeout" };

/** How {@linkcode FramesDepot.peekAt} looks. */
export interface PeekAtOptions {
  /** Nanoseconds that the frame's time may be away. Default: any. */
  within?: bigint | number | undefined;
}
