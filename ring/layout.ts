/**
 * The bytes of a segment: offsets as literal numbers, each with its type, its writers, its readers and how it
 * wraps. `deno task layout` makes shim/layout.h and the tables of docs/internals/layout.md from this file: it reads the
 * first word of each comment as the type, and the gate compares the copies.
 *
 * "u64+1" is a sequence plus one, so that zero means none. Counters are IEEE doubles with one writer each: they hold
 * whole numbers up to 2^53 and a plain aligned store of one is not torn on any supported machine.
 *
 * @module
 */

/** The first eight bytes. */
export const MAGIC = "FRMDEPOT";
/** `version`: raised when any offset or meaning below changes; another version is refused. */
export const LAYOUT_VERSION = 7;
/** `byteOrder`: reads as another number on a machine of the other byte order. */
export const BYTE_ORDER = 0x01020304;
/** `ready`, once everything else is in place. */
export const READY = 0x59444552;

/** One page at offset 0. Up to 255 written once by the creator before `ready`; each hot word has 128 bytes. */
export const HEADER = {
  /** Size of this section. */
  size: 4096,
  magic: 0, // u8[8]
  version: 8, // u32
  byteOrder: 12, // u32
  ready: 16, // u32; stored last
  headerBytes: 20, // u32
  totalBytes: 24, // u64; the file may be longer (rounded to pages), never shorter
  peersOffset: 32, // u64
  readersOffset: 40, // u64
  slotsOffset: 48, // u64
  payloadOffset: 56, // u64
  payloadStride: 64, // u64; bytes from one slot's payload to the next
  frameBytes: 72, // u64
  peerStride: 80, // u32
  readerStride: 84, // u32
  slotStride: 88, // u32
  maxPeers: 92, // u32
  maxReaders: 96, // u32
  pinWords: 100, // u32; 32-bit words of pins a slot
  maxSize: 104, // u32; slots
  whenFull: 108, // u32; index into WHEN_FULL
  width: 112, // u32
  height: 116, // u32
  channels: 120, // u32
  elementType: 124, // u32; index into ELEMENT_TYPES
  metadataBytes: 128, // u32
  pixelFormat: 132, // u8[16]; ASCII, ended by a zero
  variableLength: 148, // u32; 1: a frame has its slot's byteLength, of at most frameBytes
  createdNs: 152, // u64; nanoseconds since 1970
  firstSequence: 160, // u64; where head started
  id: 168, // u64; random, never 0: another for each segment of a name
  matrix: 176, // u32; index into MATRICES
  range: 180, // u32; index into RANGES
  primaries: 184, // u32; index into PRIMARIES
  transfer: 188, // u32; index into TRANSFERS
  aspectWidth: 192, // u32; sample aspect ratio: width of a pixel; both 0 where it is not known
  aspectHeight: 196, // u32; height of a pixel in the same unit
  maxGroups: 200, // u32; groups of readers that share frames
  groupStride: 204, // u32
  groupsOffset: 208, // u64
  replaced: 216, // u32; 1: another segment is about to take the name (T2), 2: it has (T4). By any process, never back
  endedBefore: 220, // u32; 1: it had ended when another segment took the name (before T2)
  takesOffset: 224, // u64; take words: maxSize for each group, rounded up to a multiple of 64 bytes
  fieldOrder: 232, // u32; index into FIELD_ORDERS
  head: 256, // u64; next sequence to claim (C7), at most 2^53 - 1; with CLOSED set none will be claimed (N1, T5)
  skipped: 264, // u32; burned sequences. Each burning adds one; wraps, only differences count
  tail: 384, // u64; oldest sequence kept for a lossless reader. Raised by producers (G3, G5) and leavers (L1)
  joins: 392, // u32; +1 when a lossless reader begins to gate (J2), read by producers (G1, G4); wraps
  published: 512, // u32; wake word of readers; wraps
  publishedSleepers: 516, // u32; 1 while a reader may sleep on it, 2: and wants to know of writing (C8)
  consumed: 640, // u32; wake word of producers; wraps
  consumedSleepers: 644, // u32
  cleared: 768, // u64; everything below is cleared. Raised by clearQueue; readers look at it before every frame
} as const;

/** An open depot object. Its own counters are written by it alone; the rest under the membership lock. */
export const PEER = {
  /** Size of this section. */
  size: 128,
  id: 0, // u32; 0 free, else generation << 12 | index + 1
  pid: 4, // u32; as its own pid namespace has it: for people, never proof of anything
  runtime: 8, // u32; index into RUNTIMES
  generation: 12, // u32; of the last id given out
  startTime: 16, // u64; system's unit
  joinedNs: 24, // u64
  stored: 32, // f64; frames published through this entry, ever
  dropped: 40, // f64; frames refused, ever
  storedBase: 48, // f64; where the present peer found them
  droppedBase: 56, // f64
  flags: 64, // u32; PEER_FLAGS: this peer has claimed, or is about to (F2); it has made the segment
} as const;

/** A place in the sequence. Written by the peer that owns it, or by the one that recovers that peer. */
export const READER = {
  /** Size of this section. */
  size: 128,
  owner: 0, // u32; id of the peer, 0 free. Its index is its bit in every slot's pins
  gating: 4, // u32; one of GATING
  cursor: 8, // u64; next sequence wanted
  read: 16, // f64; frames leased through this entry, ever
  lost: 24, // f64; frames missed, ever
  readBase: 32, // f64
  lostBase: 40, // f64
  ahead: 48, // u32; frames beyond the cursor that were consumed by number already
  mode: 52, // u32; index into READER_MODES
  group: 56, // u32; its group plus one; 0: it is not a member, or not any more. Under the membership lock
} as const;

/** A slot's words: one cache line, so that a hand-off moves one. More pins go on behind, up to a multiple of 64. */
export const SLOT = {
  /** Size of this section, for up to 96 readers. */
  size: 64,
  writer: 0, // u32; 0, or the id of the peer that owns the slot. CAS (C3)
  metadataLength: 4, // u32; the writer, read under a pin, as all below
  claimed: 8, // u64+1; the sequence its writer is after (C6), or 2^53: it is kept (K1); read by D1 at any time
  sequence: 16, // u64+1; what is published in it (C10). Taken and not there yet: all bits of its number inverted (C8)
  frameNumber: 24, // i64; the user's number
  timestampNs: 32, // u64; nanoseconds, the user's or since 1970
  byteLength: 40, // u64; frameBytes without variableLength
  skipped: 48, // u32; header.skipped as its writer saw it after C8
  pins: 52, // u32[3]; one bit a reader (R1, R5); producers look at them (C5)
} as const;

/** Readers that share their frames: each frame is for one of the members. */
export const GROUP = {
  /** Size of this section. */
  size: 128,
  formed: 0, // u32; one of FORMED: members may join, and the take words count. Under the membership lock (B4, V2)
  again: 4, // u32; counts recoveries that may have left frames to give again (P0a); wraps
  from: 8, // u32; index into GROUP_FROM: what the first member asked for (B2)
  nameLength: 12, // u32; bytes of the name
  fromNumber: 16, // i64
  redelivered: 24, // f64; frames given again, ever. Under the membership lock
  dropped: 32, // f64; frames that the group held when it was dissolved, ever (V3)
  lost: 40, // u64; frames missed, ever: never lowered. Members: CAS
  skipped: 48, // u32; header.skipped, counted before its place (B4)
  burned: 52, // u32; numbers that were passed one by one and were burned. Members: atomic adds (M4)
  jumped: 56, // u64; numbers jumped over and not taken, on top of `lost` as it was at B4. Members: CAS (M4)
  name: 64, // u8[64]; UTF-8
} as const;

/** Names of `whenFull`, by their number in the segment. */
export const WHEN_FULL = ["drop", "wait", "overwrite"] as const;
/** Names of `elementType`, by their number in the segment. */
export const ELEMENT_TYPES = ["uint8", "uint16", "float32"] as const;
/** Names of `peer.runtime`, by their number in the segment. */
export const RUNTIMES = ["other", "deno", "bun", "c", "python", "node", "rust"] as const;
/** Bits of `peer.flags`. */
export const PEER_FLAGS = { produces: 1, made: 2 } as const;
/** Names of `reader.mode`, by number; `lookup` serves getFrame and peekFrame, `group` is a group's own entry. */
export const READER_MODES = ["lookup", "lossless", "lossy", "latest", "group", "member"] as const;
/** Names of `group.from`, by their number in the segment. */
export const GROUP_FROM = ["oldest", "latest", "next", "number"] as const;
/** What `group.formed` says; it `skips` while frames numbered below `fromNumber` are passed over, until one is not. */
export const FORMED = { no: 0, yes: 1, skips: 2 } as const;
/** What `reader.gating` says: it is not attached, producers wait for its cursor, or it is attached and none waits. */
export const GATING = { none: 0, gates: 1, attached: 2 } as const;
/** Names of `matrix`, by their number in the segment; they are those of ffmpeg's `-colorspace`. */
export const MATRICES = [
  "unspecified",
  "rgb",
  "bt709",
  "fcc",
  "bt470bg",
  "smpte170m",
  "smpte240m",
  "ycgco",
  "bt2020nc",
  "bt2020c",
  "smpte2085",
  "chroma-derived-nc",
  "chroma-derived-c",
  "ictcp",
] as const;
/** Names of `range`, by their number in the segment; ffmpeg's `-color_range` calls them tv and pc. */
export const RANGES = ["unspecified", "limited", "full"] as const;
/** Names of `primaries`, by their number in the segment; they are those of ffmpeg's `-color_primaries`. */
export const PRIMARIES = [
  "unspecified",
  "bt709",
  "bt470m",
  "bt470bg",
  "smpte170m",
  "smpte240m",
  "film",
  "bt2020",
  "smpte428",
  "smpte431",
  "smpte432",
  "ebu3213",
] as const;
/** Names of `transfer`, by their number in the segment; they are those of ffmpeg's `-color_trc`. */
export const TRANSFERS = [
  "unspecified",
  "bt709",
  "gamma22",
  "gamma28",
  "smpte170m",
  "smpte240m",
  "linear",
  "log100",
  "log316",
  "iec61966-2-4",
  "bt1361e",
  "iec61966-2-1",
  "bt2020-10",
  "bt2020-12",
  "smpte2084",
  "smpte428",
  "arib-std-b67",
] as const;

/** Names of `fieldOrder`, by their number in the segment; they are those of ffmpeg's `-field_order`. */
export const FIELD_ORDERS = ["unspecified", "progressive", "tt", "bb", "tb", "bt"] as const;

/** How many of the low bits of a peer's id hold its index plus one. */
export const PEER_INDEX_BITS = 12;
/** Peers a segment has room for beyond its readers: producers, onlookers, lookups. */
export const EXTRA_PEERS = 32;
/** The last sequence that may be claimed: with one added it is still a safe integer. */
export const LAST_SEQUENCE: number = 2 ** 53 - 2;
/** In `slot.claimed`: the number does not come; its writer keeps the slot (K1). No sequence plus one is as large. */
export const KEPT: number = 2 ** 53;

/** In `head`: no number will be claimed any more. Above every sequence, below the bits that an inverted one sets. */
export const CLOSED: number = 2 ** 62;
/** Owner of the entry of group 0; the others follow. Its low bits are no peer's index. */
export const GROUP_OWNER = 0xf00;
/** Low bits of a take word: the member that has the frame, as its reader index plus one; 0: it is done. */
export const HOLDER_BITS = 11;
/** In their place: no member has it, and it is offered again. */
export const AGAIN = 2047;

/** Locks of a segment: one for changes of membership, then one for each peer, held as long as the peer lives. */
export const LOCK = { members: 0, peer: 1 } as const;
