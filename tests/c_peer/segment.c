/* Opening a segment: docs/internals/layout.md and the section on hostile segments in docs/internals/protocol.md. */
#define _GNU_SOURCE
#include "ring.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("c_peer: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void same(const char *what, uint64_t stored, uint64_t computed) {
  if (stored != computed) {
    die("%s is %llu where the geometry gives %llu", what, (unsigned long long)stored, (unsigned long long)computed);
  }
}

/* Everything from a copy; every offset is computed, and the stored one only compared. */
static void check(struct depot *depot, const struct fd_header *header, uint64_t file_bytes) {
  if (memcmp(header->magic, FD_MAGIC, sizeof header->magic) != 0) die("no depot: another magic");
  same("byteOrder", header->byte_order, FD_BYTE_ORDER);
  same("version", header->version, FD_LAYOUT_VERSION);
  same("ready", header->ready, FD_READY);
  same("headerBytes", header->header_bytes, sizeof *header);
  same("peerStride", header->peer_stride, sizeof(struct fd_peer));
  same("readerStride", header->reader_stride, sizeof(struct fd_reader));
  /* Bounds first, so that no product below can overflow: an index plus one has 12 bits, nothing exceeds the file. */
  if (header->max_groups > 64) die("maxGroups out of bounds");
  if (header->max_readers < 1 || header->max_readers > INDEX_MASK - FD_EXTRA_PEERS) die("maxReaders out of bounds");
  if (header->max_size < 1 || header->max_size > file_bytes) die("maxSize out of bounds");
  if (header->frame_bytes < 1 || header->frame_bytes > file_bytes) die("frameBytes out of bounds");
  if (header->metadata_bytes > file_bytes || file_bytes > 1ull << 47) die("metadataBytes or the file out of bounds");
  if (header->when_full > FD_WHEN_FULL_OVERWRITE) die("whenFull out of bounds");
  if (header->element_type > FD_ELEMENT_TYPE_FLOAT32) die("elementType out of bounds");
  if (header->variable_length > 1) die("variableLength out of bounds");
  if (header->id == 0) die("no id");
  if (header->matrix > FD_MATRIX_ICTCP || header->range > FD_RANGE_FULL) die("a colour out of bounds");
  if (header->primaries > FD_PRIMARY_EBU3213 || header->transfer > FD_TRANSFER_ARIB_STD_B67) die("a colour out of bounds");
  if ((header->aspect_width == 0) != (header->aspect_height == 0)) die("half an aspect ratio");
  if (header->field_order > FD_FIELD_ORDER_BT) die("fieldOrder out of bounds");

  depot->max_readers = header->max_readers;
  depot->max_peers = header->max_readers + FD_EXTRA_PEERS;
  depot->max_size = header->max_size;
  depot->frame_bytes = header->frame_bytes;
  depot->metadata_bytes = header->metadata_bytes;
  depot->when_full = header->when_full;
  depot->max_groups = header->max_groups;
  depot->variable_length = header->variable_length;
  depot->pin_words = (depot->max_readers + 31) / 32;
  depot->slot_stride = (uint32_t)round_up(offsetof(struct fd_slot, pins) + depot->pin_words * 4, 64);
  depot->readers_offset = sizeof *header + depot->max_peers * sizeof(struct fd_peer);
  depot->slots_offset = depot->readers_offset + depot->max_readers * sizeof(struct fd_reader);
  const uint64_t slots_end = depot->slots_offset + (uint64_t)depot->max_size * depot->slot_stride;
  const uint64_t takes_offset = slots_end + header->max_groups * sizeof(struct fd_group);
  const uint64_t takes = header->max_groups * round_up(depot->max_size * 8, 64);
  depot->groups_offset = slots_end;
  depot->takes_offset = takes_offset;
  depot->payload_offset = round_up(takes_offset + takes, 16384);
  const uint64_t payload = round_up(depot->frame_bytes, 8) + depot->metadata_bytes;
  depot->payload_stride = round_up(payload, payload >= 512 * 1024 ? 4096 : 64);
  if (depot->payload_stride > file_bytes / depot->max_size) die("the payload is larger than the file");
  depot->total_bytes = depot->payload_offset + depot->max_size * depot->payload_stride;

  same("peersOffset", header->peers_offset, sizeof *header);
  same("readersOffset", header->readers_offset, depot->readers_offset);
  same("slotsOffset", header->slots_offset, depot->slots_offset);
  same("payloadOffset", header->payload_offset, depot->payload_offset);
  same("payloadStride", header->payload_stride, depot->payload_stride);
  same("slotStride", header->slot_stride, depot->slot_stride);
  same("maxPeers", header->max_peers, depot->max_peers);
  same("pinWords", header->pin_words, depot->pin_words);
  same("totalBytes", header->total_bytes, depot->total_bytes);
  same("groupStride", header->group_stride, header->max_groups == 0 ? 0 : sizeof(struct fd_group));
  same("groupsOffset", header->groups_offset, header->max_groups == 0 ? 0 : slots_end);
  same("takesOffset", header->takes_offset, header->max_groups == 0 ? 0 : takes_offset);
  if (file_bytes < depot->total_bytes) die("the file is shorter than totalBytes");
}

void depot_open(struct depot *depot, const char *name) {
  memset(depot, 0, sizeof *depot);
  if (strlen(name) > FD_NAME_BYTES) die("name too long");
  strcpy(depot->name, name);
  pthread_mutex_init(&depot->members, NULL);
  int32_t answer = fd_segment_open(name, &depot->segment);
  if (answer < 0) die("cannot open %s: %d", name, answer);
  double info[FD_INFO_COUNT];
  answer = fd_segment_info(depot->segment, info);
  if (answer < 0 || info[FD_INFO_BYTES] < sizeof(struct fd_header)) die("%s is no depot", name);
  void *page;
  answer = fd_segment_map(depot->segment, sizeof(struct fd_header), &page);
  if (answer < 0) die("cannot map %s: %d", name, answer);
  struct fd_header copy;
  memcpy(&copy, page, sizeof copy);
  fd_segment_unmap(depot->segment);
  check(depot, &copy, (uint64_t)info[FD_INFO_BYTES]);
  void *base;
  answer = fd_segment_map(depot->segment, (double)depot->total_bytes, &base);
  if (answer < 0) die("cannot map %s: %d", name, answer);
  depot->base = base;
  depot->header = base;
}

void depot_close(struct depot *depot) {
  fd_segment_unmap(depot->segment);
  fd_segment_close(depot->segment);
  pthread_mutex_destroy(&depot->members);
}
