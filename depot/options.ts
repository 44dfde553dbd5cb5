/**
 * What users choose and say: options, details, callbacks.
 *
 * @module
 */
import type { From } from "../ring/follower.ts";
import type { WaitLimits, WaitOptions } from "../ring/lane.ts";

/** How many bytes an element of a frame has and how it is read: it decides the typed array of `frame.data`. */
export type ElementType = "uint8" | "uint16" | "float32";

/** What happens to a frame for which there is no room. */
export type WhenFull = "drop" | "wait" | "overwrite";

/** What `frame.data` is, by element type. */
export type FrameData = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** What {@linkcode DepotOptions.onBackpressure} is told. */
export interface BackpressureEvent {
  /** The number of the frame that found no room; undefined where the depot would have numbered it. */
  frameNumber: number | undefined;
  /** Frames that wait for the slowest lossless reader. */
  length: number;
  /** Slots. */
  maxSize: number;
  /** Frames refused so far, by all producers. */
  droppedFrames: number;
  /** Who holds the queue up: its process id and how many frames it is behind. Undefined when nobody reads. */
  slowest: { pid: number; lag: number } | undefined;
}

/**
 * Called when a frame finds no room; runs outside every lock. A depot that drops awaits the promise it returns, for no
 * longer than the call's `timeoutMs` and `signal` allow. A depot that waits calls it once a stall and waits for room
 * beside it. What it throws, its call throws; once the frame is stored or the wait is over, it is printed instead.
 */
export type OnBackpressure = (event: BackpressureEvent) => void | Promise<void>;

/** How a depot is made. Only `frameSize` has no default. */
export interface DepotOptions {
  /** `[width, height, channels]`: pixels, pixels, elements per pixel. Each from 1. */
  frameSize: readonly [width: number, height: number, channels: number];
  /** Default `"uint8"`. */
  elementType?: ElementType;
  /** A label of at most 15 printable ASCII characters, spelled as ffmpeg's `-pix_fmt` spells it. */
  pixelFormat?: string;
  /** Bytes of a frame where they are not width × height × channels × element size, as for nv12 or jpeg. */
  frameBytes?: number;
  /** Frames in the queue, 1 to 1,048,576. Default 10. */
  maxSize?: number;
  /** Default `"drop"`. */
  whenFull?: WhenFull;
  /**
   * Whether frames that every lossless reader has passed stay until the ring comes round to them: for `peekFrame`, for
   * lossy readers, for who comes later. Default true. False: the memory that was read last is written next, while the
   * processor has it in its caches: 1.2 to 1.9 times as many 1080p frames a second. At most 16 slots then.
   */
  history?: boolean;
  /** Called when a frame that this depot object brings finds no room. */
  onBackpressure?: OnBackpressure;
  /** Bytes for the user beside each frame, at most 16 MiB. Default 0. */
  metadataBytes?: number;
  /** Readers at once, in all processes, 1 to 1023. Default 31. */
  maxReaders?: number;
  /** Permission bits of the segment. Default `0o600`: this user only. */
  mode?: number;
}

/** How an existing depot is opened. Its geometry comes from the segment. */
export interface OpenOptions extends WaitLimits {
  /** As in {@linkcode DepotOptions}: it belongs to the depot object, not to the segment. */
  onBackpressure?: OnBackpressure;
  /** Opens a depot also when the processes that held it are all dead. Default false: then it counts as not there. */
  stale?: boolean;
  /** User ids whose depots are trusted besides one's own and root's. */
  trustedOwners?: readonly number[];
}

/** What may be said of a frame at the moment it is claimed or published. */
export interface FrameDetails {
  /** Any safe integer; left out, the frame's sequence is its number. */
  frameNumber?: number;
  /** Nanoseconds, 0 to 2^64 - 1; left out, the time of publishing since 1970. */
  timestampNs?: bigint | number;
  /** At most the depot's `metadataBytes`. */
  metadata?: Uint8Array;
}

/** What a reader does when it falls behind. */
export type ReadMode = "lossless" | "lossy" | "latest";

/** How a depot is followed. */
export interface FramesOptions extends WaitOptions {
  /**
   * Default `"oldest"`. A number begins with the frame of that number; if it is not in the queue, with the first frame
   * whose number is not below it.
   */
  from?: From;
  /**
   * - `"lossless"` (default): producers are held back for this reader, unless the depot overwrites
   * - `"lossy"`: never holds anyone back; `frame.lost` counts what it missed just before
   * - `"latest"`: lossy, and always jumps to the newest frame
   */
  mode?: ReadMode;
}

/** What {@linkcode FramesDepot.enqueue} takes. */
export interface FrameInput extends FrameDetails {
  /** The depot's `frameBytes` as an array of its element type, or as bytes. */
  frame: ArrayBufferView<ArrayBufferLike> | ArrayBuffer;
}

/** What became of a frame. */
export type EnqueueResult =
  | { state: "stored"; sequence: number }
  | { state: "dropped"; droppedFrames: number }
  | { state: "timeout" };
