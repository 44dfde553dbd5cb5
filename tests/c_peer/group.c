/* Sharing work: forming and joining (B), taking and passing (M), offering again (P0), leaving and dissolving (V). */
#define _GNU_SOURCE
#include "group.h"

#include <string.h>

enum { NOT_FORMED = FD_FORMED_NO, HOLDERS = (1 << FD_HOLDER_BITS) - 1, DONE = 0 };

static struct fd_group *group_at(const struct depot *depot, uint32_t group) {
  return (struct fd_group *)(void *)(depot->base + depot->groups_offset) + group;
}

static uint64_t *take_at(const struct depot *depot, uint32_t group, uint64_t slot) {
  const uint64_t words = round_up(depot->max_size * 8, 64) / 8;
  return (uint64_t *)(void *)(depot->base + depot->takes_offset) + group * words + slot;
}

static uint64_t take_word(uint64_t sequence, uint32_t holder) { return (sequence + 1) << FD_HOLDER_BITS | holder; }
static uint64_t frame_in(uint64_t take) { return take >> FD_HOLDER_BITS; }
static uint32_t holder_in(uint64_t take) { return (uint32_t)(take & HOLDERS); }

static void set_bit(struct fd_slot *slot, uint32_t reader) {
  atomic_fetch_or(ATOMIC(&pins_of(slot)[reader / 32]), 1u << reader % 32);
}

static void clear_bit(struct peer *peer, struct fd_slot *slot, uint32_t reader) {
  atomic_fetch_and(ATOMIC(&pins_of(slot)[reader / 32]), ~(1u << reader % 32));
  wake(peer, FD_LANE_CONSUMED);
}

/* The group's own entry in the reader table; NULL where it has none. */
static struct fd_reader *own_entry(const struct depot *depot, uint32_t group, uint32_t *index) {
  for (*index = 0; *index < depot->max_readers; (*index)++) {
    struct fd_reader *entry = reader_entry(depot, *index);
    if (LOAD(&entry->owner) == FD_GROUP_OWNER + group) return entry;
  }
  return NULL;
}

static bool has_members(const struct depot *depot, uint32_t group) {
  for (uint32_t index = 0; index < depot->max_readers; index++) {
    struct fd_reader *entry = reader_entry(depot, index);
    if (LOAD(&entry->group) == group + 1 && LOAD(&entry->owner) != 0) return true;
  }
  return false;
}

/* M4: returns where the cursor is then. */
static uint64_t pass(struct peer *peer, uint32_t group, struct fd_reader *own) {
  const struct depot *depot = peer->depot;
  struct fd_group *words = group_at(depot, group);
  for (;;) {
    const uint64_t cursor = LOAD(&own->cursor);
    const uint64_t head = number_of(LOAD(&depot->header->head));
    if (cursor >= head) return cursor;
    uint64_t to = cursor + 1, jumped = 0;
    if (cleared(depot) > cursor) to = cleared(depot);
    if (head - cursor > depot->max_size && head - depot->max_size + 1 > to) to = head - depot->max_size + 1;
    const bool taken = frame_in(LOAD(take_at(depot, group, cursor % depot->max_size))) > cursor;
    if (to == cursor + 1 && !taken && decide(peer, cursor, false) != GONE) return cursor;
    if (!cas64(&own->cursor, cursor, to)) continue;
    wake(peer, FD_LANE_CONSUMED);
    if (to == cursor + 1 && !taken && cleared(depot) <= cursor) ADD(&words->burned, 1);
    if (to == cursor + 1 && cleared(depot) <= cursor) continue;
    jumped = to - cursor;
    for (uint64_t slot = 0; slot < depot->max_size; slot++) {
      const uint64_t frame = frame_in(LOAD(take_at(depot, group, slot)));
      if (frame > cursor && frame <= to) jumped--;
    }
    ADD(&words->jumped, jumped);
  }
}

static void dissolve(struct peer *peer, uint32_t group) {
  const struct depot *depot = peer->depot;
  struct fd_group *words = group_at(depot, group);
  uint32_t index;
  struct fd_reader *own = own_entry(depot, group, &index);
  if (own != NULL && LOAD(&words->formed) != NOT_FORMED) pass(peer, group, own); /* V1 */
  STORE(&words->formed, NOT_FORMED);                                            /* V2 */
  if (own == NULL) return;
  reader_entry_stop(peer, index);                                               /* V3 */
  for (uint32_t slot = 0; slot < depot->max_size; slot++) {                      /* V4 */
    uint64_t *take = take_at(depot, group, slot);
    const uint64_t seen = LOAD(take);
    if (holder_in(seen) == FD_AGAIN && cas64(take, seen, seen & ~(uint64_t)HOLDERS)) words->dropped += 1;
    if ((LOAD(&pins_of(slot_at(depot, slot))[index / 32]) >> index % 32 & 1) != 0) {
      clear_bit(peer, slot_at(depot, slot), index);
    }
  }
  STORE(&own->owner, 0); /* V5 */
}

void dissolve_empty_groups(struct peer *peer) {
  uint32_t index;
  for (uint32_t group = 0; group < peer->depot->max_groups; group++) {
    const bool is_there = LOAD(&group_at(peer->depot, group)->formed) != NOT_FORMED ||
                          own_entry(peer->depot, group, &index) != NULL;
    if (is_there && !has_members(peer->depot, group)) dissolve(peer, group);
  }
}

bool give_again(struct peer *peer, uint32_t id, uint32_t slot, bool is_dead) {
  const struct depot *depot = peer->depot;
  bool changed = false;
  for (uint32_t group = 0; group < depot->max_groups; group++) {
    struct fd_group *words = group_at(depot, group);
    uint32_t own;
    if (LOAD(&words->formed) == NOT_FORMED || own_entry(depot, group, &own) == NULL) continue;
    uint64_t *take = take_at(depot, group, slot);
    const uint64_t seen = LOAD(take);
    const uint32_t holder = holder_in(seen);
    if (holder == DONE || holder > depot->max_readers) continue;
    if (LOAD(&reader_entry(depot, holder - 1)->owner) != id) continue;
    if (is_dead) set_bit(slot_at(depot, slot), own);
    STORE(take, take_word(frame_in(seen) - 1, is_dead ? FD_AGAIN : DONE));
    if (is_dead) words->redelivered += 1;
    changed = true;
  }
  return changed;
}

void count_again(const struct depot *depot) {
  for (uint32_t group = 0; group < depot->max_groups; group++) {
    if (LOAD(&group_at(depot, group)->formed) != NOT_FORMED) ADD(&group_at(depot, group)->again, 1);
  }
}

static bool is_named(const struct fd_group *group, const char *name) {
  return group->name_length == strlen(name) && memcmp(group->name, name, strlen(name)) == 0;
}

static uint32_t find(const struct depot *depot, const char *name) {
  uint32_t group = 0;
  while (group < depot->max_groups &&
         (LOAD(&group_at(depot, group)->formed) == NOT_FORMED || !is_named(group_at(depot, group), name))) {
    group++;
  }
  return group;
}

/* B2 to B4, from the oldest frame. */
static uint32_t form(struct member *member, const char *name) {
  struct peer *peer = member->reader.peer;
  const struct depot *depot = peer->depot;
  uint32_t group = 0, index;
  for (; group < depot->max_groups; group++) {
    if (LOAD(&group_at(depot, group)->formed) != NOT_FORMED) continue;
    if (own_entry(depot, group, &index) != NULL) dissolve(peer, group);
    break;
  }
  if (group == depot->max_groups) die("all %u groups are in use", depot->max_groups);
  struct fd_group *words = group_at(depot, group);
  for (uint32_t slot = 0; slot < depot->max_size; slot++) STORE(take_at(depot, group, slot), 0); /* B2 */
  if (!is_named(words, name)) words->redelivered = words->dropped = (double)(words->lost = 0);
  words->again = 0;
  words->from = FD_GROUP_FROM_OLDEST;
  words->from_number = 0;
  words->name_length = (uint32_t)strlen(name);
  memcpy(words->name, name, strlen(name));
  struct reader own;
  if (!reader_enter(&own, peer, FD_READER_MODE_GROUP, FD_GROUP_OWNER + group)) die("all readers are in use"); /* B3 */
  const uint64_t head = number_of(LOAD(&depot->header->head));
  start_gating(peer, &own, head > depot->max_size ? head - depot->max_size : 0);
  begin_counting(&own);
  words->skipped = own.base;
  words->burned = 0;
  words->jumped = words->lost;
  STORE(&words->formed, FD_FORMED_YES); /* B4 */
  return group;
}

void member_join(struct member *member, struct peer *peer, const char *name) {
  struct depot *depot = peer->depot;
  memset(member, 0, sizeof *member);
  if (strlen(name) < 1 || strlen(name) > sizeof ((struct fd_group *)NULL)->name) die("the group's name: %s", name);
  lock_members(peer);
  if (!reader_enter(&member->reader, peer, FD_READER_MODE_MEMBER, peer->id)) die("all readers are in use"); /* B1 */
  member->group = find(depot, name);
  if (member->group == depot->max_groups) member->group = form(member, name);
  if (LOAD(&group_at(depot, member->group)->formed) != FD_FORMED_YES) die("a group that passes low numbers over");
  member->own = own_entry(depot, member->group, &member->own_index);
  if (member->own == NULL) die("the group has no entry");
  STORE(&member->reader.entry->group, member->group + 1); /* B5 */
  unlock_members(peer);
  member->again = group_at(depot, member->group)->again - 1; /* a new member has seen none */
}

/* M1 to M3 for one sequence. */
static bool take(struct member *member, uint64_t sequence) {
  struct peer *peer = member->reader.peer;
  struct fd_slot *slot = slot_of(peer->depot, sequence);
  uint64_t *word = take_at(peer->depot, member->group, sequence % peer->depot->max_size);
  const uint64_t seen = LOAD(word);
  const bool again = seen == take_word(sequence, FD_AGAIN);
  if (frame_in(seen) > sequence && !again) return false;
  if (!pin(&member->reader, sequence)) return false; /* M1 */
  if (!cas64(word, seen, take_word(sequence, member->reader.index + 1))) { /* M2 */
    clear_bit(peer, slot, member->reader.index);
    return false;
  }
  if (again) clear_bit(peer, slot, member->own_index); /* M3 */
  member->sequence = sequence;
  member->redelivered = again;
  return true;
}

/* M0. */
static bool take_again(struct member *member) {
  const struct depot *depot = member->reader.peer->depot;
  const uint32_t again = LOAD(&group_at(depot, member->group)->again);
  if (again == member->again) return false;
  bool refused = false;
  for (uint64_t slot = 0; slot < depot->max_size; slot++) {
    const uint64_t seen = LOAD(take_at(depot, member->group, slot));
    if (holder_in(seen) != FD_AGAIN) continue;
    if (take(member, frame_in(seen) - 1)) return true;
    refused |= LOAD(take_at(depot, member->group, slot)) == seen;
  }
  if (!refused) member->again = again;
  return false;
}

static bool others_hold(const struct member *member) {
  const struct depot *depot = member->reader.peer->depot;
  for (uint64_t slot = 0; slot < depot->max_size; slot++) {
    const uint32_t holder = holder_in(LOAD(take_at(depot, member->group, slot)));
    if (holder != DONE && holder != member->reader.index + 1) return true;
  }
  return false;
}

static bool attempt(struct member *member) {
  struct peer *peer = member->reader.peer;
  if (take_again(member)) return true;
  for (;;) {
    const uint64_t cursor = pass(peer, member->group, member->own);
    if (take(member, cursor)) {
      pass(peer, member->group, member->own);
      return true;
    }
    const enum fate fate = decide(peer, cursor, false);
    if (fate == OVER && !others_hold(member)) member->reader.end = end_of_segment(peer->depot);
    if (fate != GONE && pass(peer, member->group, member->own) == cursor) return false;
  }
}

bool member_next(struct member *member) {
  struct peer *peer = member->reader.peer;
  for (;;) {
    if (attempt(member)) return true;
    if (member->reader.end != NULL) return false;
    const uint32_t word = lane_announce(peer, FD_LANE_PUBLISHED);
    if (attempt(member)) return true;
    if (member->reader.end != NULL) return false;
    lane_sleep(peer, FD_LANE_PUBLISHED, word);
  }
}

void member_complete(struct member *member) {
  struct peer *peer = member->reader.peer;
  const uint64_t sequence = member->sequence;
  cas64(take_at(peer->depot, member->group, sequence % peer->depot->max_size),
        take_word(sequence, member->reader.index + 1), take_word(sequence, DONE)); /* M5 */
  clear_bit(peer, slot_of(peer->depot, sequence), member->reader.index);
  if (is_closed(LOAD(&peer->depot->header->head))) wake(peer, FD_LANE_PUBLISHED);
}

void member_leave(struct member *member) {
  struct peer *peer = member->reader.peer;
  lock_members(peer);
  STORE(&member->reader.entry->group, 0); /* V0 */
  if (!has_members(peer->depot, member->group)) dissolve(peer, member->group);
  unlock_members(peer);
  reader_leave(&member->reader);
}
