/* An independent peer of a depot, for tests: written from docs/internals/protocol.md and docs/internals/layout.md, not
 * from ring/. The names and numbers of the bytes are those of shim/layout.h.
 *
 * What the protocol calls plain is plain here, so that a thread sanitizer judges the protocol itself; everything else
 * is a C11 atomic with sequentially consistent order. Functions are named after what they do and say which steps. */
#ifndef C_PEER_RING_H
#define C_PEER_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../shim/frames_depot.h"
#include "../../shim/layout.h"

#define ATOMIC(word) ((_Atomic(__typeof__(*(word))) *)(word))
#define LOAD(word) atomic_load(ATOMIC(word))
#define STORE(word, value) atomic_store(ATOMIC(word), (value))
#define ADD(word, value) atomic_fetch_add(ATOMIC(word), (value))

static inline bool cas32(uint32_t *word, uint32_t expected, uint32_t desired) {
  return atomic_compare_exchange_strong(ATOMIC(word), &expected, desired);
}

static inline bool cas64(uint64_t *word, uint64_t expected, uint64_t desired) {
  return atomic_compare_exchange_strong(ATOMIC(word), &expected, desired);
}

static inline void raise64(uint64_t *word, uint64_t value) {
  uint64_t seen = LOAD(word);
  while (seen < value && !atomic_compare_exchange_strong(ATOMIC(word), &seen, value)) continue;
}

/* The bits of an id that hold a peer's index plus one. */
enum { INDEX_MASK = (1 << FD_PEER_INDEX_BITS) - 1 };
/* A sleep ends with each tick. */
enum { TICK_MS = 250 };
/* No slot for a frame; the end of all sequences; no number is claimed any more, and why. */
enum { FULL = -1, EXHAUSTED = -2, ENDED = -3, REPLACED = -4 };
/* Values of `replaced` in the header. */
enum { TAKEN_SOON = 1, TAKEN = 2 };

/* A mapped segment. Peers of one process may share it. */
struct depot {
  char name[FD_NAME_BYTES + 1];
  fd_segment *segment;
  uint8_t *base;
  struct fd_header *header;
  uint64_t total_bytes, frame_bytes, payload_offset, payload_stride, slots_offset, readers_offset;
  uint64_t groups_offset, takes_offset;
  uint32_t max_peers, max_readers, max_size, pin_words, slot_stride, metadata_bytes, when_full, max_groups;
  bool variable_length;
  /* The threads of this process that join and leave; the kernel's lock is unknown to a thread sanitizer. */
  pthread_mutex_t members;
};

/* One peer: an open file description for its locks, an id, the largest gate that it computed. */
struct peer {
  struct depot *depot;
  fd_segment *segment;
  uint32_t index, id;
  uint64_t gate;
  double recovered_ms;
  /* F2 is done. */
  bool produces;
};

struct reader {
  struct peer *peer;
  struct fd_reader *entry;
  uint32_t index;
  bool gating;
  /* Ends when producers are gone. */
  bool needs_producers;
  uint64_t cursor;
  /* Why there is no more: a word; NULL while there may be. */
  const char *end;
  /* Sequences passed without a look and one by one; what their frames' producers had counted at the start. */
  uint64_t jumped, burned, reported;
  uint32_t base;
  /* Since it joined, for the report. */
  uint64_t read, lost;
};

/* segment.c */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
double now_ms(void);
void depot_open(struct depot *depot, const char *name);
void depot_close(struct depot *depot);

/* members.c */
void peer_join(struct peer *peer, struct depot *depot);
void peer_leave(struct peer *peer);
bool peer_is_dead(struct peer *peer, uint32_t id);
/* D2: frees a slot whose writer is dead, and counts the number that is lost with it. */
void recover_slot(struct peer *peer, struct fd_slot *slot, uint32_t writer);
void recover_dead(struct peer *peer);
void lock_members(struct peer *peer);
void unlock_members(struct peer *peer);
/* N1 and N2. */
void end_depot(struct peer *peer);
/* T7. */
void finish_replacing(struct peer *peer);
/* F3 and F4, for a reader at `cursor`. */
bool producers_are_gone(struct peer *peer, uint64_t cursor);
void wake(struct peer *peer, int lane);
void wake_both(struct peer *peer);
/* Sleeps in a lane while `word` is its wake word; at a tick without news it looks for dead peers. */
void lane_sleep(struct peer *peer, int lane, uint32_t word);
/* S1 and S2; returns the word to sleep on. The caller looks once more and then calls lane_sleep. */
uint32_t lane_announce(struct peer *peer, int lane);

/* room.c */
uint64_t cleared(const struct depot *depot);
bool has_room(struct peer *peer, uint64_t head);
/* J2 to J4. */
void start_gating(struct peer *peer, struct reader *reader, uint64_t wish);
/* L1 and L2. */
void reader_entry_stop(struct peer *peer, uint32_t index);
/* L1 to L3. */
void reader_entry_leave(struct peer *peer, uint32_t index);

/* producer.c: claim returns a sequence or one of FULL ... REPLACED; claim_by_policy waits where the depot waits. */
int64_t claim(struct peer *peer);
int64_t claim_by_policy(struct peer *peer);
uint8_t *payload_of(const struct depot *depot, uint64_t sequence);
/* C9 to C12: false when the name is another segment's: then it is not there, or was too late to be seen by all. */
bool publish(struct peer *peer, uint64_t sequence, int64_t frame_number, uint32_t metadata_length,
             uint64_t byte_length);
void give_back(struct peer *peer, uint64_t sequence);
/* K1 to K3, and K4. */
void keep_back(struct peer *peer, uint64_t sequence);
void let_go(struct peer *peer, uint64_t sequence);
void count_dropped(struct peer *peer);

/* reader.c */
enum fate { THERE, NOT_YET, BEING_WRITTEN, GONE, OVER };
enum fate decide(struct peer *peer, uint64_t sequence, bool recover);
/* J1; false when all entries are taken. */
bool reader_enter(struct reader *reader, struct peer *peer, int mode, uint32_t owner);
/* What had been burned before the cursor. */
void begin_counting(struct reader *reader);
/* R0 to R4. */
bool pin(struct reader *reader, uint64_t sequence);
void reader_join(struct reader *reader, struct peer *peer, int mode);
/* Waits for the next frame and pins it: its sequence is the cursor until reader_release. False at the end. */
bool reader_next(struct reader *reader);
void reader_release(struct reader *reader);
void reader_leave(struct reader *reader);

static inline struct fd_peer *peer_entry(const struct depot *depot, uint32_t index) {
  return (struct fd_peer *)(void *)(depot->base + sizeof(struct fd_header)) + index;
}

static inline struct fd_reader *reader_entry(const struct depot *depot, uint32_t index) {
  return (struct fd_reader *)(void *)(depot->base + depot->readers_offset) + index;
}

static inline struct fd_slot *slot_at(const struct depot *depot, uint64_t index) {
  return (struct fd_slot *)(void *)(depot->base + depot->slots_offset + index * depot->slot_stride);
}

static inline struct fd_slot *slot_of(const struct depot *depot, uint64_t sequence) {
  return slot_at(depot, sequence % depot->max_size);
}

static inline uint32_t *pins_of(struct fd_slot *slot) {
  return (uint32_t *)(void *)((uint8_t *)slot + offsetof(struct fd_slot, pins));
}

/* The number in `head`, whether a number will be claimed after it or not. */
static inline uint64_t number_of(uint64_t head) { return head & ~FD_CLOSED; }
static inline bool is_closed(uint64_t head) { return (head & FD_CLOSED) != 0; }
static inline bool is_replaced(const struct depot *depot) { return LOAD(&depot->header->replaced) == TAKEN; }
/* Why a closed segment is closed, as a reader says it. */
static inline const char *end_of_segment(const struct depot *depot) {
  return is_replaced(depot) && LOAD(&depot->header->ended_before) == 0 ? "replaced" : "ended";
}

static inline uint64_t round_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

#endif
