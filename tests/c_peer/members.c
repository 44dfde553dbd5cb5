/* The peer table, proof of death, recovery (P1 to P3, D2) and the lanes. */
#define _GNU_SOURCE
#include "group.h"

#include <time.h>
#include <unistd.h>

/* How long to try for the membership lock: far longer than any peer may hold it. */
enum { LOCK_TRIES = 20000, LOCK_PAUSE_US = 250 };
/* Slots that P1 looks through under one hold of the membership lock: few, so that small depots have slices too. */
enum { SLICE_SLOTS = 2 };

void lock_members(struct peer *peer) {
  pthread_mutex_lock(&peer->depot->members);
  for (int tries = 0; tries < LOCK_TRIES; tries++) {
    const int32_t answer = fd_lock(peer->segment, FD_LOCK_MEMBERS);
    if (answer == 1) return;
    if (answer < 0) die("cannot lock: %d", answer);
    usleep(LOCK_PAUSE_US);
  }
  die("another peer keeps the membership lock");
}

void unlock_members(struct peer *peer) {
  fd_unlock(peer->segment, FD_LOCK_MEMBERS);
  pthread_mutex_unlock(&peer->depot->members);
}

bool peer_is_dead(struct peer *peer, uint32_t id) {
  const uint32_t place = id & INDEX_MASK;
  if (place == 0 || place > peer->depot->max_peers) return true;
  if (LOAD(&peer_entry(peer->depot, place - 1)->id) != id) return true;
  /* An open file description does not see its own locks. */
  return id != peer->id && fd_lock_held(peer->segment, FD_LOCK_PEER + (int32_t)place - 1) == 0;
}

static bool is_taken_number(uint64_t sequence) { return sequence >> 63 != 0; }

void recover_slot(struct peer *peer, struct fd_slot *slot, uint32_t writer) {
  const uint64_t sequence = LOAD(&slot->sequence);
  if (LOAD(&slot->writer) == writer) {
    /* ~h is in one slot once: the peer that takes it out counts h. */
    if (is_taken_number(sequence) && cas64(&slot->sequence, sequence, 0)) ADD(&peer->depot->header->skipped, 1);
    cas32(&slot->writer, writer, 0);
  }
  wake_both(peer);
}

/* P1 for the slots from .. to - 1: which readers the peer owns is read anew for each slice. */
static void sweep(struct peer *peer, uint32_t id, uint32_t from, uint32_t to, bool is_dead) {
  struct depot *depot = peer->depot;
  bool changed = false;
  for (uint32_t slot = from; slot < to; slot++) changed |= give_again(peer, id, slot, is_dead); /* P0 */
  for (uint32_t reader = 0; reader < depot->max_readers; reader++) {
    if (LOAD(&reader_entry(depot, reader)->owner) != id) continue;
    const uint32_t bit = 1u << reader % 32;
    for (uint32_t slot = from; slot < to; slot++) {
      uint32_t *pins = &pins_of(slot_at(depot, slot))[reader / 32];
      if ((LOAD(pins) & bit) == 0) continue;
      atomic_fetch_and(ATOMIC(pins), ~bit);
      changed = true;
    }
  }
  for (uint32_t slot = from; slot < to; slot++) {
    struct fd_slot *words = slot_at(depot, slot);
    if (LOAD(&words->writer) == id) recover_slot(peer, words, id);
  }
  if (changed) wake_both(peer);
}

/* P2 and P3; under the membership lock. */
static void vacate(struct peer *peer, uint32_t index, uint32_t id) {
  struct depot *depot = peer->depot;
  for (uint32_t reader = 0; reader < depot->max_readers; reader++) {
    if (LOAD(&reader_entry(depot, reader)->owner) != id) continue;
    STORE(&reader_entry(depot, reader)->group, 0);
    reader_entry_leave(peer, reader); /* P2 */
  }
  dissolve_empty_groups(peer);
  STORE(&peer_entry(depot, index)->id, 0); /* P3 */
  wake_both(peer);
}

/* P1 to P3, the membership lock released between two slices: each looks whether another recoverer has finished. */
static void recover(struct peer *peer, uint32_t index, uint32_t id) {
  const uint32_t slots = peer->depot->max_size;
  for (uint32_t from = 0; from < slots; from += SLICE_SLOTS) {
    const uint32_t to = from + SLICE_SLOTS < slots ? from + SLICE_SLOTS : slots;
    lock_members(peer);
    const bool is_there = LOAD(&peer_entry(peer->depot, index)->id) == id;
    if (is_there) sweep(peer, id, from, to, true);
    if (is_there && to == slots) count_again(peer->depot); /* P0a */
    if (is_there && to == slots) vacate(peer, index, id);
    unlock_members(peer);
    if (!is_there) return;
  }
}

static uint32_t count_living(struct peer *peer) {
  uint32_t living = 0;
  for (uint32_t index = 0; index < peer->depot->max_peers; index++) {
    const uint32_t id = LOAD(&peer_entry(peer->depot, index)->id);
    if (id != 0 && !peer_is_dead(peer, id)) living++;
  }
  return living;
}

void recover_dead(struct peer *peer) {
  for (uint32_t index = 0; index < peer->depot->max_peers; index++) {
    const uint32_t id = LOAD(&peer_entry(peer->depot, index)->id);
    if (id != 0 && peer_is_dead(peer, id)) recover(peer, index, id);
  }
}

/* Lock first, then the id. */
static bool enter(struct peer *peer) {
  for (uint32_t index = 0; index < peer->depot->max_peers; index++) {
    struct fd_peer *entry = peer_entry(peer->depot, index);
    if (LOAD(&entry->id) != 0 || fd_lock(peer->segment, FD_LOCK_PEER + (int32_t)index) != 1) continue;
    double self[2];
    struct timespec now;
    fd_identity(self);
    clock_gettime(CLOCK_REALTIME, &now);
    const uint32_t generation = (entry->generation + 1) & (UINT32_MAX >> FD_PEER_INDEX_BITS);
    entry->generation = generation;
    entry->pid = (uint32_t)self[0];
    entry->runtime = FD_RUNTIME_C;
    entry->flags = 0; /* F1 */
    entry->start_time = (uint64_t)self[1];
    entry->joined_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    entry->stored_base = entry->stored;
    entry->dropped_base = entry->dropped;
    peer->index = index;
    peer->id = generation << FD_PEER_INDEX_BITS | (index + 1);
    STORE(&entry->id, peer->id);
    return true;
  }
  return false;
}

/* Under the membership lock; false when the table is full. */
static bool try_to_enter(struct peer *peer) {
  struct depot *depot = peer->depot;
  lock_members(peer);
  /* The name must still lead to the mapping and to this description, so both are the same segment. */
  double mapped[FD_INFO_COUNT], mine[FD_INFO_COUNT];
  if (fd_segment_info(depot->segment, mapped) < 0 || fd_segment_info(peer->segment, mine) < 0 ||
      mapped[FD_INFO_LINKED] != 1 || mine[FD_INFO_LINKED] != 1) {
    finish_replacing(peer);
    die("%s has been removed", depot->name);
  }
  if (count_living(peer) == 0) die("%s is stale", depot->name);
  const bool entered = enter(peer);
  unlock_members(peer);
  return entered;
}

void peer_join(struct peer *peer, struct depot *depot) {
  *peer = (struct peer){.depot = depot};
  const int32_t answer = fd_segment_open(depot->name, &peer->segment);
  if (answer < 0) die("cannot open %s: %d", depot->name, answer);
  if (!try_to_enter(peer)) {
    recover_dead(peer);
    if (!try_to_enter(peer)) die("all %u entries are in use", depot->max_peers);
  }
}

static bool is_linked(struct peer *peer) {
  double info[FD_INFO_COUNT];
  return fd_segment_info(peer->segment, info) >= 0 && info[FD_INFO_LINKED] == 1;
}

/* U1 to U3; under the membership lock. */
static void remove_name(struct peer *peer) {
  if (is_linked(peer)) STORE(&peer->depot->header->replaced, 0);
  fd_segment_unlink(peer->segment);
}

void end_depot(struct peer *peer) {
  const uint64_t head = atomic_fetch_or(ATOMIC(&peer->depot->header->head), FD_CLOSED); /* N1 */
  if (!is_closed(head)) wake_both(peer);                                               /* N2 */
}

void finish_replacing(struct peer *peer) {
  struct fd_header *header = peer->depot->header;
  if (is_linked(peer)) return;
  const uint32_t replaced = LOAD(&header->replaced); /* after the link: now it is final */
  if (replaced == 0 || (replaced == TAKEN && is_closed(LOAD(&header->head)))) return;
  STORE(&header->replaced, TAKEN);                     /* T4 */
  atomic_fetch_or(ATOMIC(&header->head), FD_CLOSED); /* T5 */
  wake_both(peer);                                     /* T6 */
}

bool producers_are_gone(struct peer *peer, uint64_t cursor) {
  const struct depot *depot = peer->depot;
  for (uint32_t index = 0; index < depot->max_peers; index++) { /* F3 */
    struct fd_peer *entry = peer_entry(depot, index);
    if (LOAD(&entry->id) != 0 && (LOAD(&entry->flags) & FD_PEER_FLAG_PRODUCES) != 0) return false;
  }
  const uint64_t head = number_of(LOAD(&depot->header->head)); /* F4 */
  return head <= cursor && head != LOAD(&depot->header->first_sequence);
}

void peer_leave(struct peer *peer) {
  const uint32_t id = peer->id;
  sweep(peer, id, 0, peer->depot->max_size, false); /* P1: no other peer does it while this one lives */
  lock_members(peer);
  vacate(peer, peer->index, id);
  peer->id = 0;
  fd_unlock(peer->segment, FD_LOCK_PEER + (int32_t)peer->index);
  if (count_living(peer) == 0) remove_name(peer);
  unlock_members(peer);
  fd_segment_close(peer->segment);
}

static uint32_t *lane_word(const struct peer *peer, int lane) {
  struct fd_header *header = peer->depot->header;
  return lane == FD_LANE_PUBLISHED ? &header->published : &header->consumed;
}

void wake(struct peer *peer, int lane) {
  uint32_t *word = lane_word(peer, lane);
  if (LOAD(word + 1) == 0) return;
  STORE(word + 1, 0);
  ADD(word, 1);
  fd_wake(peer->segment, (int32_t *)word, lane);
}

void wake_both(struct peer *peer) {
  wake(peer, FD_LANE_PUBLISHED);
  wake(peer, FD_LANE_CONSUMED);
}

uint32_t lane_announce(struct peer *peer, int lane) {
  uint32_t *word = lane_word(peer, lane);
  const uint32_t seen = LOAD(word); /* S1 */
  STORE(word + 1, 1);               /* S2 */
  return seen;
}

void lane_sleep(struct peer *peer, int lane, uint32_t word) {
  const int32_t timed_out =
      fd_wait(peer->segment, (int32_t *)lane_word(peer, lane), lane, (int32_t)peer->index, (int32_t)word, TICK_MS);
  if (timed_out != 1) return;
  recover_dead(peer);
  finish_replacing(peer);
}
