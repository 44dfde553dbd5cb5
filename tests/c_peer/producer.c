/* Claim, write, publish: steps C and K. */
#define _GNU_SOURCE
#include "ring.h"

#include <time.h>

/* Looks at a slot that another producer holds before its number is skipped. */
enum { LOOKS = 200 };
/* The shortest time between two questions after the dead of a producer that is full. */
static const double RECOVER_EVERY_MS = 100;

static void skip(struct peer *peer, uint64_t head) {
  if (!cas64(&peer->depot->header->head, head, head + 1)) return;
  ADD(&peer->depot->header->skipped, 1);
  wake(peer, FD_LANE_PUBLISHED);
}

static bool is_pinned(const struct depot *depot, struct fd_slot *slot) {
  for (uint32_t word = 0; word < depot->pin_words; word++) {
    if (LOAD(&pins_of(slot)[word]) != 0) return true;
  }
  return false;
}

/* After C4 and C7. A reader or a producer may have seen us in the slot and gone to sleep. */
static void retreat(struct peer *peer, struct fd_slot *slot) {
  STORE(&slot->writer, 0);
  wake_both(peer);
}

/* After C5: while there is a pin, R5 is still to come and wakes those that wait for room, ourselves among them. */
static void retreat_from_pins(struct peer *peer, struct fd_slot *slot) {
  STORE(&slot->writer, 0);
  wake(peer, FD_LANE_PUBLISHED);
  if (!is_pinned(peer->depot, slot)) wake(peer, FD_LANE_CONSUMED);
}

static bool is_kept(struct fd_slot *slot) { return LOAD(&slot->claimed) == FD_KEPT && LOAD(&slot->writer) != 0; }

static bool all_held(const struct depot *depot) {
  for (uint32_t index = 0; index < depot->max_size; index++) {
    struct fd_slot *slot = slot_at(depot, index);
    if (!is_pinned(depot, slot) && !is_kept(slot)) return false;
  }
  return true;
}

/* C8 comes before C9, also as other machines than x86 see it. A thread sanitizer knows no fences. */
static void before_all_that_follows(void) {
#if !defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
  atomic_thread_fence(memory_order_release);
#endif
}

int64_t claim(struct peer *peer) {
  const struct depot *depot = peer->depot;
  struct fd_header *header = depot->header;
  uint32_t looks = 0, skips = 0;
  if (!peer->produces) atomic_fetch_or(ATOMIC(&peer_entry(depot, peer->index)->flags), FD_PEER_FLAG_PRODUCES); /* F2 */
  peer->produces = true;
  for (;;) {
    const uint64_t head = LOAD(&header->head); /* C1 */
    if (is_closed(head)) return is_replaced(depot) ? REPLACED : ENDED;
    if (head > FD_LAST_SEQUENCE) return EXHAUSTED;
    struct fd_slot *slot = slot_of(depot, head);
    if (depot->when_full != FD_WHEN_FULL_OVERWRITE && !has_room(peer, head)) return FULL; /* C2 */
    if (!cas32(&slot->writer, 0, peer->id)) {                                          /* C3 */
      if (LOAD(&header->head) != head) continue;
      if (!is_kept(slot) && ++looks < LOOKS) continue;
      looks = 0;
      const uint32_t owner = LOAD(&slot->writer);
      if (owner == 0) continue;
      if (peer_is_dead(peer, owner)) recover_slot(peer, slot, owner);
      else if (++skips > depot->max_size || all_held(depot)) return FULL;
      else skip(peer, head);
      continue;
    }
    if (LOAD(&header->head) != head) { /* C4 */
      retreat(peer, slot);
      continue;
    }
    if (is_pinned(depot, slot)) { /* C5 */
      retreat_from_pins(peer, slot);
      if (++skips > depot->max_size || all_held(depot)) return FULL;
      skip(peer, head);
      continue;
    }
    /* C6: relaxed where the protocol says plain, because D1 may read the word at this moment. */
    atomic_store_explicit(ATOMIC(&slot->claimed), head + 1, memory_order_relaxed);
    if (!cas64(&header->head, head, head + 1)) { /* C7 */
      retreat(peer, slot);
      continue;
    }
    STORE(&slot->sequence, ~head); /* C8 */
    before_all_that_follows();
    slot->skipped = LOAD(&header->skipped);
    if (LOAD(&header->published_sleepers) == 2) /* a reader sleeps lightly */
      wake(peer, FD_LANE_PUBLISHED);
    return (int64_t)head;
  }
}

int64_t claim_by_policy(struct peer *peer) {
  for (;;) {
    int64_t sequence = claim(peer);
    if (sequence != FULL) return sequence;
    if (now_ms() - peer->recovered_ms > RECOVER_EVERY_MS) {
      peer->recovered_ms = now_ms();
      recover_dead(peer);
    }
    if (peer->depot->when_full != FD_WHEN_FULL_WAIT) return claim(peer);
    const uint32_t word = lane_announce(peer, FD_LANE_CONSUMED);
    sequence = claim(peer);
    if (sequence != FULL) return sequence;
    lane_sleep(peer, FD_LANE_CONSUMED, word);
  }
}

uint8_t *payload_of(const struct depot *depot, uint64_t sequence) {
  return depot->base + depot->payload_offset + sequence % depot->max_size * depot->payload_stride;
}

bool publish(struct peer *peer, uint64_t sequence, int64_t frame_number, uint32_t metadata_length,
             uint64_t byte_length) {
  struct fd_slot *slot = slot_of(peer->depot, sequence);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  slot->frame_number = frame_number; /* C9 */
  slot->timestamp_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  slot->metadata_length = metadata_length;
  slot->byte_length = byte_length;
  if (is_replaced(peer->depot)) { /* C9a */
    give_back(peer, sequence);
    return false;
  }
  STORE(&slot->sequence, sequence + 1);          /* C10 */
  STORE(&slot->writer, 0);                       /* C11 */
  const bool is_late = is_replaced(peer->depot); /* C11a */
  peer_entry(peer->depot, peer->index)->stored += 1;
  wake_both(peer); /* C12 */
  return !is_late;
}

/* The number does not come, and is counted once, wherever we die: D2 counts while ~h is there. */
static void burn(struct peer *peer, struct fd_slot *slot) {
  STORE(&slot->sequence, 0);
  ADD(&peer->depot->header->skipped, 1);
}

void give_back(struct peer *peer, uint64_t sequence) {
  struct fd_slot *slot = slot_of(peer->depot, sequence);
  burn(peer, slot);
  STORE(&slot->writer, 0);
  wake_both(peer);
}

void keep_back(struct peer *peer, uint64_t sequence) {
  struct fd_slot *slot = slot_of(peer->depot, sequence);
  STORE(&slot->claimed, FD_KEPT); /* K1 */
  burn(peer, slot);            /* K1, K2 */
  wake_both(peer);             /* K3 */
}

void let_go(struct peer *peer, uint64_t sequence) {
  struct fd_slot *slot = slot_of(peer->depot, sequence);
  STORE(&slot->claimed, 0); /* K4 */
  STORE(&slot->writer, 0);
  wake_both(peer);
}

void count_dropped(struct peer *peer) { peer_entry(peer->depot, peer->index)->dropped += 1; }
