/* Room, tail, joining and leaving of readers: steps G, J and L. */
#include "ring.h"

/* Scans that joins may disturb in a row before the gate stays what it was. */
enum { SCANS = 1000 };
uint64_t cleared(const struct depot *depot) { return LOAD(&depot->header->cleared); }

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* What G2 finds in the reader table. */
struct table {
  bool is_gated, is_attached;
  uint64_t smallest; /* cursor of the gating readers */
};

static struct table look(const struct depot *depot) {
  struct table found = {false, false, 0};
  for (uint32_t index = 0; index < depot->max_readers; index++) {
    struct fd_reader *entry = reader_entry(depot, index);
    for (uint32_t gating; (gating = LOAD(&entry->gating)) != FD_GATING_NONE;) {
      found.is_attached = true;
      if (gating != FD_GATING_GATES) break;
      const uint64_t cursor = LOAD(&entry->cursor);
      if (LOAD(&entry->gating) != FD_GATING_GATES) continue; /* the cursor may be the next owner's */
      if (!found.is_gated || cursor < found.smallest) found.smallest = cursor;
      found.is_gated = true;
      break;
    }
  }
  return found;
}

/* Under "drop", a frame is given up for the sequence `head` where readers are attached and none gates. */
static uint64_t compute_gate(const struct depot *depot, uint64_t before, uint64_t head, bool *gated) {
  struct fd_header *header = depot->header;
  for (int scan = 0; scan < SCANS; scan++) {
    const uint32_t joins = LOAD(&header->joins); /* G1 */
    const struct table readers = look(depot);    /* G2 */
    *gated = readers.is_gated;
    if (readers.is_gated) raise64(&header->tail, readers.smallest); /* G3 */
    else if (readers.is_attached && depot->when_full == FD_WHEN_FULL_DROP && head >= depot->max_size)
      raise64(&header->tail, head - depot->max_size + 1);
    uint64_t gate = readers.is_gated ? readers.smallest : LOAD(&header->tail);
    /* The larger one: a reader between J3 and J4 may stand below what has been given up. */
    gate = larger(before, larger(gate, cleared(depot)));
    if (LOAD(&header->joins) == joins) return gate; /* G4 */
  }
  *gated = true;
  return before;
}

bool has_room(struct peer *peer, uint64_t head) {
  const struct depot *depot = peer->depot;
  if (head < peer->gate + depot->max_size) return true;
  bool gated;
  peer->gate = compute_gate(depot, peer->gate, head, &gated);
  if (head < peer->gate + depot->max_size) return true;
  if (gated) return false;
  uint64_t first = peer->gate; /* G5 */
  while (first < head && decide(peer, first, false) == GONE) first++;
  if (first == peer->gate) return false;
  raise64(&depot->header->tail, first);
  peer->gate = compute_gate(depot, peer->gate, head, &gated);
  return head < peer->gate + depot->max_size;
}

void start_gating(struct peer *peer, struct reader *reader, uint64_t wish) {
  const struct depot *depot = peer->depot;
  uint64_t place = look(depot).smallest; /* J2 */
  place = larger(larger(place, wish), larger(LOAD(&depot->header->tail), cleared(depot)));
  STORE(&reader->entry->cursor, place); /* J3 */
  STORE(&reader->entry->gating, FD_GATING_GATES);
  ADD(&depot->header->joins, 1);
  reader->cursor = larger(place, LOAD(&depot->header->tail)); /* J4 */
  STORE(&reader->entry->cursor, reader->cursor);
  wake(peer, FD_LANE_CONSUMED);
}

void reader_entry_stop(struct peer *peer, uint32_t index) {
  struct fd_reader *entry = reader_entry(peer->depot, index);
  if (LOAD(&entry->gating) == FD_GATING_GATES) {
    raise64(&peer->depot->header->tail, look(peer->depot).smallest); /* L1 */
    STORE(&entry->gating, FD_GATING_NONE);                           /* L2 */
    wake(peer, FD_LANE_CONSUMED);
  }
  STORE(&entry->gating, FD_GATING_NONE);
}

void reader_entry_leave(struct peer *peer, uint32_t index) {
  reader_entry_stop(peer, index);
  STORE(&reader_entry(peer->depot, index)->owner, 0); /* L3 */
}
