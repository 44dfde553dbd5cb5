/**
 * Making, opening and listing depots: what happens around a name.
 *
 * @module
 */
import { loadShim } from "../ffi/load.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Shim } from "../ffi/shim.ts";
import type { Color, FieldOrder } from "../ring/color.ts";
import type { Geometry } from "../ring/geometry.ts";
import type { WaitOptions } from "../ring/lane.ts";
import { fail, failToList, failure } from "../ring/failures.ts";
import { Attachment } from "../ring/attachment.ts";
import { type DepotStats, depotStats, queueLength } from "../ring/counters.ts";
import type { PeerEntry } from "../ring/peers.ts";
import { createSegment, removeName as removeNow, removeStale } from "../ring/naming.ts";
import { isAbandoned } from "../ring/replacing.ts";
import {
  busy,
  inspect,
  isForeign,
  type Objection,
  openSegment,
  type OpenSegmentOptions,
  type Outcome,
  type Refusal,
} from "../ring/segment.ts";
import { DepotError } from "../errors.ts";
import type { Names } from "./option_names.ts";
import type { ElementType, WhenFull } from "./options.ts";

/** How long making or opening waits while other processes change the same depot's membership. */
const BUSY_MS = 2000;
/** Pause between two looks while a name is waited for. */
const POLL_MS = 5;

/** What {@linkcode FramesDepot.list} says of a depot. */
export interface DepotInfo {
  /** The depot's name. */
  name: string;
  /** False when something of that name is there but is not a depot that can be opened; `reason` says why. */
  usable: boolean;
  /** True when no live process has it open; `create` takes such a name over. */
  stale: boolean;
  /** Why it is stale or not usable; otherwise which processes hold it. */
  reason: string;
  /** Bytes of the segment. */
  bytes: number;
  /** The user id of its owner; undefined where the system has none. Those of other users need `trustedOwners`. */
  owner?: number;
  /** `[width, height, channels]`. Undefined where it cannot be read, as all that follows. */
  frameSize?: [width: number, height: number, channels: number];
  /** What an element of a frame is. */
  elementType?: ElementType;
  /** The label, empty if there is none. */
  pixelFormat?: string;
  /** Bytes of a frame. */
  frameBytes?: number;
  /** Slots. */
  maxSize?: number;
  /** What happens to a frame for which there is no room. */
  whenFull?: WhenFull;
  /** Frames that wait for the slowest lossless reader. */
  length?: number;
  /** Depot objects that are alive. */
  peers?: number;
  /** Whether it takes no more frames. */
  ended?: boolean;
}

/** What {@linkcode FramesDepot.inspect} says of a depot. */
export interface DepotInspection extends DepotInfo {
  /** 16 hexadecimal digits: the same in every process, and another for the next depot of that name. */
  id?: string;
  /** Whether each frame has a length of its own, up to `frameBytes`. */
  variableLength?: boolean;
  /** How numbers become colours, as far as it was said. */
  color?: Color;
  /** Width and height of a pixel; undefined where it was not said. */
  sampleAspectRatio?: readonly [width: number, height: number] | undefined;
  /** Whether a frame is two fields, and which is the first; undefined where it was not said. */
  fieldOrder?: FieldOrder | undefined;
  /** Bytes that each frame has for metadata. */
  metadataBytes?: number;
  /** Readers that may be attached at one time, in all processes together. */
  maxReaders?: number;
  /** Groups of readers that may share frames at one time. */
  maxGroups?: number;
  /** Counters and peers, with dead peers that have not been removed yet. Undefined where the depot is not usable. */
  stats?: DepotStats;
}

/** How a name is removed. */
export interface UnlinkOptions {
  /** Only if the kernel says that no live process has it open, whatever state it is in. Default false. */
  onlyStale?: boolean | undefined;
}

/** Names of how a name is removed. */
export const UNLINK_NAMES: Names<UnlinkOptions> = { onlyStale: true };

/** Tries until there is an attachment, the time is up, or an error says that trying again is useless. */
async function retry(
  attempt: () => Outcome,
  waits: readonly Refusal["refused"][],
  wait: WaitOptions,
): Promise<Attachment> {
  const started = performance.now();
  for (;;) {
    wait.signal?.throwIfAborted();
    const outcome = attempt();
    if (outcome instanceof Attachment) return outcome;
    const limit = waits.includes(outcome.refused) ? wait.timeoutMs ?? 0 : 0;
    // Over in microseconds, unless the process that changes it is stopped.
    const busyMs = outcome.refused === "busy" ? BUSY_MS : 0;
    const left = started + Math.max(limit, busyMs) - performance.now();
    if (left <= 0) throw limit > 0 ? inVain(outcome.error, limit) : outcome.error;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(wake, Math.min(POLL_MS, left));
      function wake() {
        clearTimeout(timer);
        wait.signal?.removeEventListener("abort", wake);
        resolve();
      }
      wait.signal?.addEventListener("abort", wake);
    });
  }
}

/** The error of an attempt that was repeated until its time was up. */
function inVain({ code, message, depot, errno, remedy }: DepotError, timeoutMs: number): DepotError {
  const wrong = remedy === undefined ? message : message.slice(0, -`; ${remedy}`.length);
  return new DepotError(code, `${wrong}, also after ${timeoutMs} ms`, {
    ...{ depot, errno },
    remedy: remedy?.replace("`timeoutMs` waits", "a longer `timeoutMs` waits"),
  });
}

/** Makes a depot's segment. @param always also if producers fill one of that name @throws {DepotError} */
export function make(name: string, geometry: Geometry, mode: number, always: boolean): Promise<Attachment> {
  const shim = loadShim();
  return retry(() => createSegment(shim, name, geometry, mode, always), [], {});
}

/** Opens a depot's segment. @param wanted what its geometry must be, as far as it is said @throws {DepotError} */
export function find(
  name: string,
  options: OpenSegmentOptions,
  wanted: Partial<Geometry>,
  wait: WaitOptions,
): Promise<Attachment> {
  const shim = loadShim();
  const remedy = "without this option it is opened as it is";
  const objection = ({ geometry }: Attachment) => difference(geometry, wanted, remedy);
  return retry(() => openSegment(shim, name, { ...options, objection }), ["missing", "unfinished", "busy"], wait);
}

/**
 * Opens a depot of the same geometry or makes one, whatever others do meanwhile. One of another geometry, or one that
 * has ended, is replaced if its producers are gone.
 *
 * @param always whether to replace one of another geometry also if producers fill it
 * @throws {DepotError}
 */
export function findOrMake(
  name: string,
  geometry: Geometry,
  mode: number,
  always: boolean,
  options: OpenSegmentOptions,
  wait: WaitOptions,
): Promise<Attachment> {
  const shim = loadShim();
  const remedy = "producers have it open: give the same options, close it there, or take its name with `replace: true`";
  const objection = (found: Attachment) =>
    difference(found.geometry, geometry, remedy) ??
      (found.room.end() !== undefined && (always || isAbandoned(found)) ? { why: "it has ended" } : undefined);
  const attempt = () => {
    const opened = openSegment(shim, name, { ...options, objection });
    if (opened instanceof Attachment) return opened;
    if (opened.refused !== "missing" && opened.refused !== "unsuitable") return opened;
    const created = createSegment(shim, name, geometry, mode, always);
    if (created instanceof Attachment || created.refused !== "exists") return created;
    // Another process was quicker: its depot is opened, which may be as wanted where the one before was not.
    if (opened.refused === "missing") return busy("open", name);
    const again = openSegment(shim, name, { ...options, objection });
    return again instanceof Attachment || again.refused !== "missing" ? again : busy("open", name);
  };
  return retry(attempt, ["unfinished", "busy"], wait);
}

/** A geometry by the names of the options of `create`. */
function asOptions({ width, height, channels, firstSequence: _, ...rest }: Partial<Geometry>): Record<string, unknown> {
  return { ...width === undefined ? {} : { frameSize: [width, height, channels] }, ...rest };
}

/** The first thing in which a geometry is not as wanted. */
function difference(found: Geometry, wanted: Partial<Geometry>, remedy: string): Objection | undefined {
  const all = asOptions(found);
  for (const [option, value] of Object.entries(asOptions(wanted))) {
    const [one, other] = [JSON.stringify(all[option]), JSON.stringify(value)];
    if (one !== other) return { why: `its ${option} is ${one}, not ${other}`, remedy };
  }
  return undefined;
}

/** Removes a name; processes that have the depot open keep it. @returns whether this call removed it */
export function removeName(name: string, { onlyStale = false }: UnlinkOptions): boolean {
  const shim = loadShim();
  if (!onlyStale) return removed(name, removeNow(shim, name));
  const segment = shim.open(name);
  if (typeof segment === "number") return removed(name, segment);
  try {
    const answer = removeStale(segment);
    // A process that changes the membership at this moment is alive.
    return typeof answer === "number" && removed(name, answer);
  } finally {
    segment.close();
  }
}

function removed(name: string, answer: number): boolean {
  return answer >= 0 ? answer === 1 : answer === -ERRNO.ENOENT ? false : fail("unlink", name, answer);
}

/** Every depot that this user may open, those of other users among them, and what is in the way of the others. */
export function listDepots(): DepotInfo[] {
  const shim = loadShim();
  const names = shim.list();
  if (typeof names === "number") return failToList(names);
  return names.sort().map((name) => describe(shim, name, infoOf)).filter((info) => info !== undefined);
}

/** One depot with its counters. @returns undefined when there is none, or this user may not open it */
export function inspectDepot(name: string): DepotInspection | undefined {
  return describe(loadShim(), name, (attachment) => {
    const { id, geometry } = attachment;
    const { variableLength, color, sampleAspectRatio, fieldOrder, metadataBytes, maxReaders, maxGroups } = geometry;
    const said = { id, variableLength, color, sampleAspectRatio, fieldOrder, metadataBytes, maxReaders, maxGroups };
    return { ...infoOf(attachment), ...said, stats: depotStats(attachment) };
  });
}

/** Looks at a segment without joining it. @param tell what is said of it while it is mapped */
function describe<Info extends DepotInfo>(
  shim: Shim,
  name: string,
  tell: (attachment: Attachment) => Info,
): Info | DepotInfo | undefined {
  const unusable = (reason: string): DepotInfo => ({ name, usable: false, stale: false, reason, bytes: 0 });
  const segment = shim.open(name);
  if (typeof segment === "number") {
    if (segment === -ERRNO.ENOENT) return undefined; // gone since it was listed
    const error = failure("open", name, segment);
    if (error.code === "UNSUPPORTED") throw error; // of this process or system, not of this depot
    return error.code === "PERMISSION" ? undefined : unusable(error.message);
  }
  let attachment: Attachment | undefined;
  const system = segment.info();
  const known = { bytes: system.bytes, ...(system.owner < 0 ? {} : { owner: system.owner }) };
  try {
    const copied = isForeign(system, []);
    const header = inspect(name, segment, [], copied);
    if (header instanceof DepotError) return { ...unusable(header.message), ...known };
    // What was checked is what is mapped: the size may have changed since it was asked for.
    const mapped = Attachment.over(name, header, segment, copied);
    if (typeof mapped === "number") return { ...unusable(failure("map", name, mapped).message), ...known };
    attachment = mapped;
    return { ...tell(attachment), ...known };
  } catch (error) {
    return { ...unusable(error instanceof Error ? error.message : String(error)), ...known };
  } finally {
    attachment === undefined ? segment.close() : attachment.unmap();
  }
}

function infoOf(attachment: Attachment): DepotInfo {
  const entries = attachment.peers.entries();
  const alive = entries.filter((entry) => entry.alive).length;
  const { width, height, channels, elementType, pixelFormat, frameBytes, maxSize, whenFull } = attachment.geometry;
  return {
    name: attachment.name,
    usable: true,
    stale: alive === 0,
    reason: alive > 0
      ? `${alive} open depot object${alive > 1 ? "s hold" : " holds"} it`
      : deadOwners(attachment, entries),
    bytes: attachment.layout.totalBytes,
    frameSize: [width, height, channels],
    elementType,
    pixelFormat,
    frameBytes,
    maxSize,
    whenFull,
    length: queueLength(attachment),
    peers: alive,
    ended: attachment.room.end() !== undefined,
  };
}

/** Why a depot is stale. */
function deadOwners({ peers }: Attachment, entries: readonly PeerEntry[]): string {
  const pids = entries.map(({ id }) => peers.pidOf(id));
  if (pids.length === 0) return "it has no owner";
  return pids.length === 1
    ? `its only owner (pid ${pids[0]}) is dead`
    : `its ${pids.length} owners (pids ${pids.join(", ")}) are dead`;
}
