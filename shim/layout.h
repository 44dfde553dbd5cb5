/* The bytes of a segment, for C. Made from ring/layout.ts by `deno task layout`: do not edit. */
#ifndef FRAMES_DEPOT_LAYOUT_H
#define FRAMES_DEPOT_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* The first eight bytes. */
#define FD_MAGIC "FRMDEPOT"
/* `version`: raised when any offset or meaning below changes; another version is refused. */
#define FD_LAYOUT_VERSION 7u
/* `byteOrder`: reads as another number on a machine of the other byte order. */
#define FD_BYTE_ORDER 0x01020304u
/* `ready`, once everything else is in place. */
#define FD_READY 0x59444552u
/* How many of the low bits of a peer's id hold its index plus one. */
#define FD_PEER_INDEX_BITS 12u
/* Peers a segment has room for beyond its readers: producers, onlookers, lookups. */
#define FD_EXTRA_PEERS 32u
/* The last sequence that may be claimed: with one added it is still a safe integer. */
#define FD_LAST_SEQUENCE 9007199254740990ull
/* In `slot.claimed`: the number does not come; its writer keeps the slot (K1). No sequence plus one is as large. */
#define FD_KEPT 9007199254740992ull
/* In `head`: no number will be claimed any more. Above every sequence, below the bits that an inverted one sets. */
#define FD_CLOSED 4611686018427387904ull
/* Owner of the entry of group 0; the others follow. Its low bits are no peer's index. */
#define FD_GROUP_OWNER 0xf00u
/* Low bits of a take word: the member that has the frame, as its reader index plus one; 0: it is done. */
#define FD_HOLDER_BITS 11u
/* In their place: no member has it, and it is offered again. */
#define FD_AGAIN 2047u

/* Names of `whenFull`, by their number in the segment. */
enum {
  FD_WHEN_FULL_DROP = 0,
  FD_WHEN_FULL_WAIT = 1,
  FD_WHEN_FULL_OVERWRITE = 2
};

/* Names of `elementType`, by their number in the segment. */
enum {
  FD_ELEMENT_TYPE_UINT8 = 0,
  FD_ELEMENT_TYPE_UINT16 = 1,
  FD_ELEMENT_TYPE_FLOAT32 = 2
};

/* Names of `peer.runtime`, by their number in the segment. */
enum {
  FD_RUNTIME_OTHER = 0,
  FD_RUNTIME_DENO = 1,
  FD_RUNTIME_BUN = 2,
  FD_RUNTIME_C = 3,
  FD_RUNTIME_PYTHON = 4,
  FD_RUNTIME_NODE = 5,
  FD_RUNTIME_RUST = 6
};

/* Bits of `peer.flags`. */
enum {
  FD_PEER_FLAG_PRODUCES = 1,
  FD_PEER_FLAG_MADE = 2
};

/* Names of `reader.mode`, by number; `lookup` serves getFrame and peekFrame, `group` is a group's own entry. */
enum {
  FD_READER_MODE_LOOKUP = 0,
  FD_READER_MODE_LOSSLESS = 1,
  FD_READER_MODE_LOSSY = 2,
  FD_READER_MODE_LATEST = 3,
  FD_READER_MODE_GROUP = 4,
  FD_READER_MODE_MEMBER = 5
};

/* Names of `group.from`, by their number in the segment. */
enum {
  FD_GROUP_FROM_OLDEST = 0,
  FD_GROUP_FROM_LATEST = 1,
  FD_GROUP_FROM_NEXT = 2,
  FD_GROUP_FROM_NUMBER = 3
};

/* What `group.formed` says; it `skips` while frames numbered below `fromNumber` are passed over, until one is not. */
enum {
  FD_FORMED_NO = 0,
  FD_FORMED_YES = 1,
  FD_FORMED_SKIPS = 2
};

/* What `reader.gating` says: it is not attached, producers wait for its cursor, or it is attached and none waits. */
enum {
  FD_GATING_NONE = 0,
  FD_GATING_GATES = 1,
  FD_GATING_ATTACHED = 2
};

/* Names of `matrix`, by their number in the segment; they are those of ffmpeg's `-colorspace`. */
enum {
  FD_MATRIX_UNSPECIFIED = 0,
  FD_MATRIX_RGB = 1,
  FD_MATRIX_BT709 = 2,
  FD_MATRIX_FCC = 3,
  FD_MATRIX_BT470BG = 4,
  FD_MATRIX_SMPTE170M = 5,
  FD_MATRIX_SMPTE240M = 6,
  FD_MATRIX_YCGCO = 7,
  FD_MATRIX_BT2020NC = 8,
  FD_MATRIX_BT2020C = 9,
  FD_MATRIX_SMPTE2085 = 10,
  FD_MATRIX_CHROMA_DERIVED_NC = 11,
  FD_MATRIX_CHROMA_DERIVED_C = 12,
  FD_MATRIX_ICTCP = 13
};

/* Names of `range`, by their number in the segment; ffmpeg's `-color_range` calls them tv and pc. */
enum {
  FD_RANGE_UNSPECIFIED = 0,
  FD_RANGE_LIMITED = 1,
  FD_RANGE_FULL = 2
};

/* Names of `primaries`, by their number in the segment; they are those of ffmpeg's `-color_primaries`. */
enum {
  FD_PRIMARY_UNSPECIFIED = 0,
  FD_PRIMARY_BT709 = 1,
  FD_PRIMARY_BT470M = 2,
  FD_PRIMARY_BT470BG = 3,
  FD_PRIMARY_SMPTE170M = 4,
  FD_PRIMARY_SMPTE240M = 5,
  FD_PRIMARY_FILM = 6,
  FD_PRIMARY_BT2020 = 7,
  FD_PRIMARY_SMPTE428 = 8,
  FD_PRIMARY_SMPTE431 = 9,
  FD_PRIMARY_SMPTE432 = 10,
  FD_PRIMARY_EBU3213 = 11
};

/* Names of `transfer`, by their number in the segment; they are those of ffmpeg's `-color_trc`. */
enum {
  FD_TRANSFER_UNSPECIFIED = 0,
  FD_TRANSFER_BT709 = 1,
  FD_TRANSFER_GAMMA22 = 2,
  FD_TRANSFER_GAMMA28 = 3,
  FD_TRANSFER_SMPTE170M = 4,
  FD_TRANSFER_SMPTE240M = 5,
  FD_TRANSFER_LINEAR = 6,
  FD_TRANSFER_LOG100 = 7,
  FD_TRANSFER_LOG316 = 8,
  FD_TRANSFER_IEC61966_2_4 = 9,
  FD_TRANSFER_BT1361E = 10,
  FD_TRANSFER_IEC61966_2_1 = 11,
  FD_TRANSFER_BT2020_10 = 12,
  FD_TRANSFER_BT2020_12 = 13,
  FD_TRANSFER_SMPTE2084 = 14,
  FD_TRANSFER_SMPTE428 = 15,
  FD_TRANSFER_ARIB_STD_B67 = 16
};

/* Names of `fieldOrder`, by their number in the segment; they are those of ffmpeg's `-field_order`. */
enum {
  FD_FIELD_ORDER_UNSPECIFIED = 0,
  FD_FIELD_ORDER_PROGRESSIVE = 1,
  FD_FIELD_ORDER_TT = 2,
  FD_FIELD_ORDER_BB = 3,
  FD_FIELD_ORDER_TB = 4,
  FD_FIELD_ORDER_BT = 5
};

/* Locks of a segment: one for changes of membership, then one for each peer, held as long as the peer lives. */
enum {
  FD_LOCK_MEMBERS = 0,
  FD_LOCK_PEER = 1
};

/* One page at offset 0. Up to 255 written once by the creator before `ready`; each hot word has 128 bytes. */
struct fd_header {
  uint8_t magic[8];
  uint32_t version;
  uint32_t byte_order;
  uint32_t ready;
  uint32_t header_bytes;
  uint64_t total_bytes;
  uint64_t peers_offset;
  uint64_t readers_offset;
  uint64_t slots_offset;
  uint64_t payload_offset;
  uint64_t payload_stride;
  uint64_t frame_bytes;
  uint32_t peer_stride;
  uint32_t reader_stride;
  uint32_t slot_stride;
  uint32_t max_peers;
  uint32_t max_readers;
  uint32_t pin_words;
  uint32_t max_size;
  uint32_t when_full;
  uint32_t width;
  uint32_t height;
  uint32_t channels;
  uint32_t element_type;
  uint32_t metadata_bytes;
  uint8_t pixel_format[16];
  uint32_t variable_length;
  uint64_t created_ns;
  uint64_t first_sequence;
  uint64_t id;
  uint32_t matrix;
  uint32_t range;
  uint32_t primaries;
  uint32_t transfer;
  uint32_t aspect_width;
  uint32_t aspect_height;
  uint32_t max_groups;
  uint32_t group_stride;
  uint64_t groups_offset;
  uint32_t replaced;
  uint32_t ended_before;
  uint64_t takes_offset;
  uint32_t field_order;
  uint8_t reserved1[20];
  uint64_t head;
  uint32_t skipped;
  uint8_t reserved2[116];
  uint64_t tail;
  uint32_t joins;
  uint8_t reserved3[116];
  uint32_t published;
  uint32_t published_sleepers;
  uint8_t reserved4[120];
  uint32_t consumed;
  uint32_t consumed_sleepers;
  uint8_t reserved5[120];
  uint64_t cleared;
  uint8_t reserved6[3320];
};

/* An open depot object. Its own counters are written by it alone; the rest under the membership lock. */
struct fd_peer {
  uint32_t id;
  uint32_t pid;
  uint32_t runtime;
  uint32_t generation;
  uint64_t start_time;
  uint64_t joined_ns;
  double stored;
  double dropped;
  double stored_base;
  double dropped_base;
  uint32_t flags;
  uint8_t reserved1[60];
};

/* A place in the sequence. Written by the peer that owns it, or by the one that recovers that peer. */
struct fd_reader {
  uint32_t owner;
  uint32_t gating;
  uint64_t cursor;
  double read;
  double lost;
  double read_base;
  double lost_base;
  uint32_t ahead;
  uint32_t mode;
  uint32_t group;
  uint8_t reserved1[68];
};

/* A slot's words: one cache line, so that a hand-off moves one. More pins go on behind, up to a multiple of 64. */
struct fd_slot {
  uint32_t writer;
  uint32_t metadata_length;
  uint64_t claimed;
  uint64_t sequence;
  int64_t frame_number;
  uint64_t timestamp_ns;
  uint64_t byte_length;
  uint32_t skipped;
  uint32_t pins[3];
};

/* Readers that share their frames: each frame is for one of the members. */
struct fd_group {
  uint32_t formed;
  uint32_t again;
  uint32_t from;
  uint32_t name_length;
  int64_t from_number;
  double redelivered;
  double dropped;
  uint64_t lost;
  uint32_t skipped;
  uint32_t burned;
  uint64_t jumped;
  uint8_t name[64];
};

/* X(section, field, offset, bytes) */
#define FD_LAYOUT_FIELDS(X) \
  X(header, magic, 0, 8) \
  X(header, version, 8, 4) \
  X(header, byte_order, 12, 4) \
  X(header, ready, 16, 4) \
  X(header, header_bytes, 20, 4) \
  X(header, total_bytes, 24, 8) \
  X(header, peers_offset, 32, 8) \
  X(header, readers_offset, 40, 8) \
  X(header, slots_offset, 48, 8) \
  X(header, payload_offset, 56, 8) \
  X(header, payload_stride, 64, 8) \
  X(header, frame_bytes, 72, 8) \
  X(header, peer_stride, 80, 4) \
  X(header, reader_stride, 84, 4) \
  X(header, slot_stride, 88, 4) \
  X(header, max_peers, 92, 4) \
  X(header, max_readers, 96, 4) \
  X(header, pin_words, 100, 4) \
  X(header, max_size, 104, 4) \
  X(header, when_full, 108, 4) \
  X(header, width, 112, 4) \
  X(header, height, 116, 4) \
  X(header, channels, 120, 4) \
  X(header, element_type, 124, 4) \
  X(header, metadata_bytes, 128, 4) \
  X(header, pixel_format, 132, 16) \
  X(header, variable_length, 148, 4) \
  X(header, created_ns, 152, 8) \
  X(header, first_sequence, 160, 8) \
  X(header, id, 168, 8) \
  X(header, matrix, 176, 4) \
  X(header, range, 180, 4) \
  X(header, primaries, 184, 4) \
  X(header, transfer, 188, 4) \
  X(header, aspect_width, 192, 4) \
  X(header, aspect_height, 196, 4) \
  X(header, max_groups, 200, 4) \
  X(header, group_stride, 204, 4) \
  X(header, groups_offset, 208, 8) \
  X(header, replaced, 216, 4) \
  X(header, ended_before, 220, 4) \
  X(header, takes_offset, 224, 8) \
  X(header, field_order, 232, 4) \
  X(header, head, 256, 8) \
  X(header, skipped, 264, 4) \
  X(header, tail, 384, 8) \
  X(header, joins, 392, 4) \
  X(header, published, 512, 4) \
  X(header, published_sleepers, 516, 4) \
  X(header, consumed, 640, 4) \
  X(header, consumed_sleepers, 644, 4) \
  X(header, cleared, 768, 8) \
  X(peer, id, 0, 4) \
  X(peer, pid, 4, 4) \
  X(peer, runtime, 8, 4) \
  X(peer, generation, 12, 4) \
  X(peer, start_time, 16, 8) \
  X(peer, joined_ns, 24, 8) \
  X(peer, stored, 32, 8) \
  X(peer, dropped, 40, 8) \
  X(peer, stored_base, 48, 8) \
  X(peer, dropped_base, 56, 8) \
  X(peer, flags, 64, 4) \
  X(reader, owner, 0, 4) \
  X(reader, gating, 4, 4) \
  X(reader, cursor, 8, 8) \
  X(reader, read, 16, 8) \
  X(reader, lost, 24, 8) \
  X(reader, read_base, 32, 8) \
  X(reader, lost_base, 40, 8) \
  X(reader, ahead, 48, 4) \
  X(reader, mode, 52, 4) \
  X(reader, group, 56, 4) \
  X(slot, writer, 0, 4) \
  X(slot, metadata_length, 4, 4) \
  X(slot, claimed, 8, 8) \
  X(slot, sequence, 16, 8) \
  X(slot, frame_number, 24, 8) \
  X(slot, timestamp_ns, 32, 8) \
  X(slot, byte_length, 40, 8) \
  X(slot, skipped, 48, 4) \
  X(slot, pins, 52, 12) \
  X(group, formed, 0, 4) \
  X(group, again, 4, 4) \
  X(group, from, 8, 4) \
  X(group, name_length, 12, 4) \
  X(group, from_number, 16, 8) \
  X(group, redelivered, 24, 8) \
  X(group, dropped, 32, 8) \
  X(group, lost, 40, 8) \
  X(group, skipped, 48, 4) \
  X(group, burned, 52, 4) \
  X(group, jumped, 56, 8) \
  X(group, name, 64, 64)

/* X(section, bytes) */
#define FD_LAYOUT_SECTIONS(X) \
  X(header, 4096) \
  X(peer, 128) \
  X(reader, 128) \
  X(slot, 64) \
  X(group, 128)

#define FD_ASSERT_FIELD(section, field, at, bytes) \
  static_assert(offsetof(struct fd_##section, field) == (at), #section "." #field " has moved"); \
  static_assert(sizeof(((struct fd_##section *)0)->field) == (bytes), #section "." #field " has another size");
#define FD_ASSERT_SECTION(section, bytes) \
  static_assert(sizeof(struct fd_##section) == (bytes), #section " has another size");
FD_LAYOUT_FIELDS(FD_ASSERT_FIELD)
FD_LAYOUT_SECTIONS(FD_ASSERT_SECTION)

#endif
