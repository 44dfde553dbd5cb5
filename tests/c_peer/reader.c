/* Pin, read, unpin, decide: steps R and D. */
#define _GNU_SOURCE
#include "ring.h"

#include <sched.h>

/* Looks before a reader goes to sleep; the last of them let others run. */
enum { LOOKS = 200, BUSY_LOOKS = 100 };

enum fate decide(struct peer *peer, uint64_t sequence, bool recover) {
  struct fd_slot *slot = slot_of(peer->depot, sequence);
  for (;;) {
    const uint64_t head = LOAD(&peer->depot->header->head);
    if (number_of(head) <= sequence) return is_closed(head) ? OVER : NOT_YET; /* D0, N3 */
    const bool replaced = is_replaced(peer->depot);                           /* D1a */
    const uint32_t writer = LOAD(&slot->writer);                              /* D1 */
    const uint64_t claimed = LOAD(&slot->claimed);
    const uint64_t published = LOAD(&slot->sequence);
    if (recover && writer != 0 && peer_is_dead(peer, writer)) { /* D2 */
      recover_slot(peer, slot, writer);
      continue;
    }
    if (published == sequence + 1) return THERE;                            /* D3 */
    return writer != 0 && claimed == sequence + 1 && !replaced ? BEING_WRITTEN : GONE; /* D4, D5 */
  }
}

static void unpin(struct reader *reader, struct fd_slot *slot) {
  atomic_fetch_and(ATOMIC(&pins_of(slot)[reader->index / 32]), ~(1u << reader->index % 32));
  wake(reader->peer, FD_LANE_CONSUMED);
}

bool pin(struct reader *reader, uint64_t sequence) {
  struct fd_slot *slot = slot_of(reader->peer->depot, sequence);
  if (LOAD(&slot->writer) != 0 || LOAD(&slot->sequence) != sequence + 1) return false;   /* R0 */
  atomic_fetch_or(ATOMIC(&pins_of(slot)[reader->index / 32]), 1u << reader->index % 32); /* R1 */
  if (LOAD(&slot->writer) == 0 && LOAD(&slot->sequence) == sequence + 1) return true;    /* R2, R3, R4 */
  unpin(reader, slot);
  return false;
}

static void advance(struct reader *reader, uint64_t cursor) {
  reader->cursor = cursor;
  STORE(&reader->entry->cursor, cursor); /* R6 */
  if (reader->gating) wake(reader->peer, FD_LANE_CONSUMED);
}

static void jump(struct reader *reader, uint64_t to) {
  reader->jumped += to - reader->cursor;
  advance(reader, to);
}

/* What the producers had burned before the cursor: as the first frame there says, or the header. */
void begin_counting(struct reader *reader) {
  const struct depot *depot = reader->peer->depot;
  uint32_t gone = 0;
  const uint64_t head = number_of(LOAD(&depot->header->head));
  for (uint64_t sequence = reader->cursor; sequence < head; sequence++) {
    if (pin(reader, sequence)) {
      struct fd_slot *slot = slot_of(depot, sequence);
      reader->base = slot->skipped - gone;
      unpin(reader, slot);
      return;
    }
    if (decide(reader->peer, sequence, false) == GONE) gone++;
  }
  reader->base = LOAD(&depot->header->skipped) - gone;
}

/* Of what was jumped over, the burned numbers are no loss. A count may run ahead of its place: made up for later. */
static uint64_t losses(struct reader *reader, uint32_t skipped) {
  const int64_t burned = (int64_t)(int32_t)(skipped - reader->base) - (int64_t)reader->burned;
  const int64_t total = (int64_t)reader->jumped - (burned > 0 ? burned : 0);
  if (total <= (int64_t)reader->reported) return 0;
  const uint64_t lost = (uint64_t)total - reader->reported;
  reader->reported = (uint64_t)total;
  return lost;
}

bool reader_enter(struct reader *reader, struct peer *peer, int mode, uint32_t owner) {
  for (uint32_t index = 0; index < peer->depot->max_readers; index++) {
    struct fd_reader *entry = reader_entry(peer->depot, index);
    if (!cas32(&entry->owner, 0, owner)) continue; /* J1 */
    entry->read_base = entry->read;
    entry->lost_base = entry->lost;
    entry->ahead = 0;
    entry->group = 0;
    entry->mode = (uint32_t)mode;
    *reader = (struct reader){.peer = peer, .entry = entry, .index = index, .gating = mode == FD_READER_MODE_LOSSLESS};
    return true;
  }
  return false;
}

void reader_join(struct reader *reader, struct peer *peer, int mode) {
  struct depot *depot = peer->depot;
  if (!reader_enter(reader, peer, mode, peer->id)) {
    recover_dead(peer);
    if (!reader_enter(reader, peer, mode, peer->id)) die("all %u readers are in use", depot->max_readers);
  }
  const uint64_t head = number_of(LOAD(&depot->header->head));
  uint64_t oldest = head > depot->max_size ? head - depot->max_size : 0;
  if (oldest < cleared(depot)) oldest = cleared(depot);
  if (reader->gating) start_gating(peer, reader, oldest);
  else {
    advance(reader, oldest);
    STORE(&reader->entry->gating, FD_GATING_ATTACHED);
  }
  begin_counting(reader);
}

/* One look: true with the frame at the cursor pinned. */
static bool attempt(struct reader *reader, bool recover) {
  const struct depot *depot = reader->peer->depot;
  for (;;) {
    if (cleared(depot) > reader->cursor) jump(reader, cleared(depot));
    const uint64_t cursor = reader->cursor;
    if (pin(reader, cursor)) return true;
    enum fate fate = decide(reader->peer, cursor, recover);
    if (fate == OVER) reader->end = end_of_segment(depot);
    if (fate == NOT_YET && reader->needs_producers && producers_are_gone(reader->peer, cursor)) {
      reader->end = "producers-gone";
    }
    /* It is there, and no pin succeeds for the length of a tick: a producer of a replaced segment stands still. */
    if (fate == THERE && recover && is_replaced(depot)) fate = GONE;
    const uint64_t head = number_of(LOAD(&depot->header->head));
    const bool behind = head > cursor && head - cursor > depot->max_size;
    /* A lossy reader that is so far behind does not wait. */
    if (fate != GONE && (reader->gating || !behind)) return false;
    if (behind) {
      const uint64_t to = head - depot->max_size + 1;
      jump(reader, to > cursor ? to : cursor + 1);
    } else {
      reader->burned++;
      advance(reader, cursor + 1);
    }
  }
}

bool reader_next(struct reader *reader) {
  for (bool recover = false, pinned = false; !pinned;) {
    for (int look = 0; look < LOOKS && !pinned && reader->end == NULL; look++) {
      pinned = attempt(reader, recover && look == 0);
      if (!pinned && look >= BUSY_LOOKS) sched_yield();
    }
    if (pinned) break;
    if (reader->end != NULL) return false;
    const uint32_t word = lane_announce(reader->peer, FD_LANE_PUBLISHED);
    pinned = attempt(reader, false);
    if (pinned) break;
    if (reader->end != NULL) return false;
    const double before = now_ms();
    lane_sleep(reader->peer, FD_LANE_PUBLISHED, word);
    recover = now_ms() - before >= TICK_MS * 0.9;
  }
  const uint64_t lost = losses(reader, slot_of(reader->peer->depot, reader->cursor)->skipped);
  reader->read++;
  reader->lost += lost;
  reader->entry->read += 1;
  reader->entry->lost += (double)lost;
  return true;
}

void reader_release(struct reader *reader) {
  unpin(reader, slot_of(reader->peer->depot, reader->cursor)); /* R5 */
  advance(reader, reader->cursor + 1);
}

void reader_leave(struct reader *reader) { reader_entry_leave(reader->peer, reader->index); }
