/* The peer table, proof of death, recovery (P1 to P3, D2) and the lanes. */
#define _GNU_SOURCE
#include "ring.h"

#include <time.h>
#include <unistd.h>

/* How long to try for the membership lock: far longer than anybody may hold it. */
enum { LOCK_TRIES = 20000, LOCK_PAUSE_US = 250 };

static void lock_members(struct peer *peer) {
  pthread_mutex_lock(&peer->depot->members);
  for (int tries = 0; tries < LOCK_TRIES; tries++) {
    const int32_t answer = fd_lock(peer->segment, FD_LOCK_MEMBERS);
    if (answer == 1) return;
    if (answer < 0) die("cannot lock: %d", answer);
    usleep(LOCK_PAUSE_US);
  }
  die("somebody keeps the membership lock");
}

static void unlock_members(struct peer *peer) {
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

void recover_slot(struct peer *peer, struct fd_slot *slot, uint32_t writer) {
  cas32(&slot->writer, writer, 0); /* D2 */
  wake(peer, FD_LANE_PUBLISHED);
}

/* P1 to P3, also for a peer that leaves; under the membership lock. */
static void give_back_all(struct peer *peer, uint32_t index, uint32_t id) {
  struct depot *depot = peer->depot;
  for (uint32_t reader = 0; reader < depot->max_readers; reader++) {
    if (LOAD(&reader_entry(depot, reader)->owner) != id) continue;
    for (uint32_t slot = 0; slot < depot->max_size; slot++) {
      uint32_t *pins = &pins_of(slot_at(depot, slot))[reader / 32];
      if (LOAD(pins) & 1u << reader % 32) atomic_fetch_and(ATOMIC(pins), ~(1u << reader % 32));
    }
    reader_entry_leave(peer, reader);
  }
  for (uint32_t slot = 0; slot < depot->max_size; slot++) {
    struct fd_slot *words = slot_at(depot, slot);
    if (LOAD(&words->writer) == id) recover_slot(peer, words, id);
  }
  STORE(&peer_entry(depot, index)->id, 0);
  wake(peer, FD_LANE_PUBLISHED);
  wake(peer, FD_LANE_CONSUMED);
}

/* How many peers live; with `recover`, the dead give back what they held. */
static uint32_t survey(struct peer *peer, bool recover, uint32_t *dead) {
  uint32_t alive = 0;
  *dead = 0;
  for (uint32_t index = 0; index < peer->depot->max_peers; index++) {
    const uint32_t id = LOAD(&peer_entry(peer->depot, index)->id);
    if (id == 0) continue;
    if (!peer_is_dead(peer, id)) {
      alive++;
      continue;
    }
    ++*dead;
    if (recover) give_back_all(peer, index, id);
  }
  return alive;
}

void recover_dead(struct peer *peer) {
  uint32_t dead;
  survey(peer, false, &dead);
  if (dead == 0) return;
  lock_members(peer);
  survey(peer, true, &dead);
  unlock_members(peer);
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
    const uint32_t generation = (entry->generation + 1) & (UINT32_MAX >> INDEX_BITS);
    entry->generation = generation;
    entry->pid = (uint32_t)self[0];
    entry->runtime = RUNTIME_C;
    entry->start_time = (uint64_t)self[1];
    entry->joined_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    entry->stored_base = entry->stored;
    entry->dropped_base = entry->dropped;
    peer->index = index;
    peer->id = generation << INDEX_BITS | (index + 1);
    STORE(&entry->id, peer->id);
    return true;
  }
  return false;
}

void peer_join(struct peer *peer, struct depot *depot) {
  *peer = (struct peer){.depot = depot};
  const int32_t answer = fd_segment_open(depot->name, &peer->segment);
  if (answer < 0) die("cannot open %s: %d", depot->name, answer);
  lock_members(peer);
  /* The name must still lead to the mapping and to this description, so both are the same segment. */
  double mapped[FD_INFO_COUNT], mine[FD_INFO_COUNT];
  if (fd_segment_info(depot->segment, mapped) < 0 || fd_segment_info(peer->segment, mine) < 0 ||
      mapped[FD_INFO_LINKED] != 1 || mine[FD_INFO_LINKED] != 1) {
    die("%s has been removed", depot->name);
  }
  uint32_t dead;
  if (survey(peer, false, &dead) == 0) die("%s is stale", depot->name);
  if (!enter(peer)) {
    survey(peer, true, &dead);
    if (!enter(peer)) die("all %u entries are in use", depot->max_peers);
  }
  unlock_members(peer);
}

void peer_leave(struct peer *peer) {
  lock_members(peer);
  const uint32_t id = peer->id;
  give_back_all(peer, peer->index, id);
  peer->id = 0;
  fd_unlock(peer->segment, FD_LOCK_PEER + (int32_t)peer->index);
  uint32_t dead;
  if (survey(peer, false, &dead) == 0) fd_segment_unlink(peer->segment);
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

uint32_t lane_announce(struct peer *peer, int lane) {
  uint32_t *word = lane_word(peer, lane);
  const uint32_t seen = LOAD(word); /* S1 */
  STORE(word + 1, 1);               /* S2 */
  return seen;
}

void lane_sleep(struct peer *peer, int lane, uint32_t word) {
  const int32_t timed_out =
      fd_wait(peer->segment, (int32_t *)lane_word(peer, lane), lane, (int32_t)peer->index, (int32_t)word, SLICE_MS);
  if (timed_out == 1) recover_dead(peer);
}
