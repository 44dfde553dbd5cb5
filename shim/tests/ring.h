/* A ring in the memory of one process, which the tests of its steps share. */
#ifndef FRAMES_DEPOT_TEST_RING_H
#define FRAMES_DEPOT_TEST_RING_H

#include "harness.h"

enum { SLOTS = 4, READERS = 3, ME = 0x1001, OTHER = 0x1002, WORDS = 32 };

/* A segment in ordinary memory: the functions need nothing but offsets into it. */
static struct segment {
  struct fd_header header;
  struct fd_reader readers[READERS];
  struct fd_slot slots[SLOTS];
  struct fd_group group;
  uint64_t takes[8]; /* rounded up to 64 bytes */
  uint32_t payload[SLOTS][WORDS];
} ring;

#define AT(place) ((int32_t)((uintptr_t)&(place) - (uintptr_t)&ring))
static inline int32_t slot_at(int index) { return AT(ring.slots[index]); }
static inline int32_t pins_at(int index) { return AT(ring.slots[index].pins); }

static inline void clear(void) { memset(&ring, 0, sizeof ring); }

#endif
