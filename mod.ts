/**
 * Video frames in shared memory, by name and number, between processes.
 *
 * A {@linkcode FramesDepot} is a fixed-size queue of numbered frames that any Deno, Bun or Node process can fill,
 * follow, or ask for "frame 5": without copies, with back-pressure, and surviving the death of any of them. There is no
 * daemon and no addon; a small C library inside this package is loaded at the first use. Importing this module runs no
 * native code and touches no disk. Deno needs `--allow-ffi`, Bun needs nothing, Node needs version 26.9 or later.
 *
 * @example One process fills, another follows
 * ```ts
 * import { FramesDepot } from "@frames-depot/frames-depot";
 * import { assertEquals } from "@std/assert";
 *
 * // The producer:
 * await using camera = await FramesDepot.create("doc-camera", { frameSize: [320, 240, 3], whenFull: "wait" });
 * for (let n = 0; n < 3; n++) {
 *   await camera.enqueue({ frameNumber: n, frame: new Uint8Array(320 * 240 * 3).fill(n) });
 * }
 *
 * // Another process:
 * await using depot = await FramesDepot.open("doc-camera", { timeoutMs: 1000 });
 * let sum = 0;
 * for await (const frame of depot.frames({ timeoutMs: 10 })) sum += frame.data[0]!;
 * assertEquals(sum, 0 + 1 + 2);
 * ```
 *
 * @module
 */
export { FramesDepot } from "./depot/depot.ts";
export type { OpenDepot } from "./depot/open_depot.ts";
export type { ReadableDepot } from "./depot/readable_depot.ts";
export { DepotError, type DepotErrorCode, type DepotErrorDetails } from "./errors.ts";
export { COLOR_NAMES } from "./depot/colors.ts";
export type { ByteReader, ByteSource } from "./depot/byte_source.ts";
export type { DepotInfo, DepotInspection, UnlinkOptions } from "./depot/finding.ts";
export { FrameFollower } from "./depot/follow.ts";
export { Frame } from "./depot/frame.ts";
export type { DepotLimit } from "./depot/limits.ts";
export type { FrameStatus } from "./depot/lookup.ts";
export type {
  BackpressureEvent,
  DepotOptions,
  ElementType,
  ElementTypeOf,
  EnqueueResult,
  FollowOptions,
  FrameData,
  FrameDetails,
  FrameInput,
  FramesOptions,
  OnBackpressure,
  OpenOptions,
  PeekAtOptions,
  PublishDetails,
  ReaderEnd,
  ReadMode,
  WhenFull,
} from "./depot/options.ts";
export { PIXEL_FORMATS, type PixelFormat, type PlaneFormat, type PlaneLayout } from "./depot/pixel_formats.ts";
export type { Plane } from "./depot/planes.ts";
export { type FillOptions, FrameSlot } from "./depot/slot.ts";
export { DEPOT_BOUNDS, type DepotBound } from "./depot/shape.ts";
export { FrameReader } from "./depot/stream.ts";
export type { WriteFromOptions } from "./depot/writing.ts";
export type { From } from "./ring/from.ts";
export type { Color, ColorMatrix, ColorPrimaries, ColorRange, ColorTransfer, FieldOrder } from "./ring/color.ts";
export type { GroupStats } from "./ring/group_counters.ts";
export type { DepotStats, PeerStats, ReaderStats } from "./ring/counters.ts";
export type { WaitLimits, WaitOptions } from "./ring/lane.ts";
export type { Waiting } from "./ring/pace.ts";
