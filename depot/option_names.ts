/**
 * The names of all options, so that one that does not exist is refused and not passed over in silence.
 *
 * @module
 */
import type { WaitOptions } from "../ring/lane.ts";
import type {
  DepotOptions,
  FollowOptions,
  FrameDetails,
  FrameInput,
  FramesOptions,
  OpenOptions,
  PeekAtOptions,
  PublishDetails,
} from "./options.ts";
import { meant } from "./spelling.ts";

/** Every name of some options. */
export type Names<Options> = { readonly [Name in keyof Options]-?: true };

/** Names of what ends a wait, and how it is spent. */
export const WAIT_NAMES: Names<WaitOptions> = { signal: true, timeoutMs: true, waiting: true };
/** Names of what is said when a depot is opened. */
export const OPEN_NAMES: Names<OpenOptions> = {
  signal: true,
  timeoutMs: true,
  elementType: true,
  onBackpressure: true,
  stale: true,
  trustedOwners: true,
};
/** Names of what is said when a depot is made. */
export const CREATE_NAMES: Names<DepotOptions> = {
  frameSize: true,
  elementType: true,
  pixelFormat: true,
  frameBytes: true,
  variableLength: true,
  color: true,
  sampleAspectRatio: true,
  fieldOrder: true,
  maxSize: true,
  whenFull: true,
  onBackpressure: true,
  metadataBytes: true,
  maxReaders: true,
  maxGroups: true,
  mode: true,
  replace: true,
};
/** Names of how a frame is looked for by its time. */
export const PEEK_NAMES: Names<PeekAtOptions> = { within: true };
/** Names of how a depot is followed. */
export const FRAMES_NAMES: Names<FramesOptions> = {
  ...WAIT_NAMES,
  from: true,
  mode: true,
  group: true,
  whenProducersGone: true,
};
/** Names of how a name is followed. */
export const FOLLOW_NAMES: Names<FollowOptions> = {
  ...FRAMES_NAMES,
  elementType: true,
  trustedOwners: true,
  whenEnded: true,
};
/** Names of what may be said of a frame when it is claimed. */
export const DETAIL_NAMES: Names<FrameDetails> = { frameNumber: true, timestampNs: true, metadata: true };
/** Names of what may be said of a frame when it is published. */
export const PUBLISH_NAMES: Names<PublishDetails> = { ...DETAIL_NAMES, byteLength: true };
/** Names of what a frame is put in with. */
export const INPUT_NAMES: Names<FrameInput> = { ...DETAIL_NAMES, frame: true };

/** Refuses names that do not exist. @param what has the options, as `"create"` @throws {TypeError} */
export function checkNames(what: string, given: object, names: object): void {
  for (const name in given) if (!Object.hasOwn(names, name)) throw unknownName(what, name, Object.keys(names));
}

/** The error for a name that does not exist, with the one that was meant. */
export function unknownName(what: string, name: string, names: readonly string[]): TypeError {
  const word = name.toLowerCase();
  const right = meant(name, names) ?? names.find((name) => word.length > 3 && name.toLowerCase().includes(word));
  const end = right === undefined ? `it has ${names.join(", ")}` : `did you mean ${right}?`;
  return new TypeError(`${what} has no option "${name}": ${end}`);
}
