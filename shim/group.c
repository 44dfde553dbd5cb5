/* Sharing work: what members, and the recoverers of dead ones, do to the take words, each verb in one call. The steps
 * are those of docs/internals/protocol.md. A take word says which frame of its slot it is about, and which member has
 * it; it needs all of its 64 bits and never travels as a double. */
#include "group.h"
#include "internal.h"
#include "words.h"

#include <stddef.h>

#define HOLDERS ((UINT64_C(1) << FD_HOLDER_BITS) - 1)
/* In place of a holder: no member has the frame, and none will. */
#define DONE 0

/* The frame that a word is about, as a sequence plus one. */
static uint64_t frame_of(uint64_t take) { return take >> FD_HOLDER_BITS; }
static uint32_t holder_of(uint64_t take) { return (uint32_t)(take & HOLDERS); }
static uint64_t take_of(uint64_t frame, uint32_t holder) { return frame << FD_HOLDER_BITS | holder; }

int32_t fd_take(void *base, int32_t take_at, int32_t slot, int32_t pins, uint32_t bit, double sequence,
                uint32_t member) {
  uint64_t *take = word(base, take_at);
  const uint64_t frame = (uint64_t)sequence + 1;
  const uint64_t seen = load64(take); /* M1: before the pin, so that the CAS covers the time of the pin */
  const int is_again = seen == take_of(frame, FD_AGAIN);
  if (frame_of(seen) >= frame && !is_again) return FD_OTHERS;
  const int32_t pinned = fd_pin(base, slot, pins, bit, sequence);
  if (pinned != 1) return pinned;
  FD_STEP(M1);
  if (!cas64(take, seen, take_of(frame, member))) return FD_OTHERS | fd_unpin(base, pins, bit, 0, 0); /* M2 */
  FD_STEP(M2);
  return is_again ? FD_GOT_AGAIN : FD_GOT;
}

int32_t fd_complete(void *base, int32_t take_at, double sequence, uint32_t member) {
  const uint64_t frame = (uint64_t)sequence + 1;
  /* The group may have been dissolved, and the next one have begun before this frame: then the word is not ours. */
  cas64(word(base, take_at), take_of(frame, member), take_of(frame, DONE)); /* M5 */
  FD_STEP(M5);
  return load32(&((struct fd_header *)base)->published_sleepers) != 0 ? FD_SLEEPERS : 0;
}

double fd_pass(void *base, int32_t takes_at, int32_t max_size, int32_t cursor_at) {
  const struct fd_header *header = base;
  const uint64_t *takes = word(base, takes_at);
  uint64_t *cursor = word(base, cursor_at);
  const uint64_t head = load64(&header->head) & ~(uint64_t)FD_CLOSED;
  uint64_t c = load64(cursor);
  int is_moved = 0;
  for (int32_t left = max_size; left > 0 && c < head && head - c <= (uint64_t)max_size; left--) {
    if (frame_of(load64(takes + c % (uint64_t)max_size)) <= c) break;
    if (cas64(cursor, c, c + 1)) { /* M4 */
      FD_STEP(M4);
      is_moved = 1;
      c++;
    } else {
      c = load64(cursor);
    }
  }
  return is_moved && load32(&header->consumed_sleepers) != 0 ? -1 - (double)c : (double)c;
}

double fd_again(const void *base, int32_t takes_at, int32_t max_size, double from) {
  const uint64_t *takes = word(base, takes_at);
  const uint64_t least = (uint64_t)from + 1;
  uint64_t first = UINT64_MAX;
  for (int32_t index = 0; index < max_size; index++) {
    const uint64_t take = load64(takes + index);
    const uint64_t frame = frame_of(take);
    if (holder_of(take) != FD_AGAIN || frame < least || frame >= first) continue;
    if ((frame - 1) % (uint64_t)max_size == (uint64_t)index) first = frame; /* another slot's: overwritten */
  }
  return first == UINT64_MAX ? -1 : (double)(first - 1);
}

int32_t fd_is_held(const void *base, int32_t takes_at, int32_t max_size, uint32_t member) {
  const uint64_t *takes = word(base, takes_at);
  int is_keeping = 0, is_any = 0, is_lower = 0;
  for (int32_t index = 0; index < max_size; index++) {
    const uint32_t holder = holder_of(load64(takes + index));
    if (holder == DONE) continue;
    is_keeping |= holder == member;
    is_any |= holder != member;
    is_lower |= holder < member || holder == FD_AGAIN;
  }
  return is_keeping ? is_lower : is_any;
}

int32_t fd_taken(const void *base, int32_t takes_at, int32_t max_size, double from, double to) {
  const uint64_t *takes = word(base, takes_at);
  const uint64_t first = (uint64_t)from + 1;
  const uint64_t end = (uint64_t)to + 1;
  int32_t taken = 0;
  for (int32_t index = 0; index < max_size; index++) {
    const uint64_t frame = frame_of(load64(takes + index));
    taken += frame >= first && frame < end;
  }
  return taken;
}

static int is_in(const uint32_t *masks, int32_t pin_words, uint32_t holder) {
  if (holder == DONE || holder > (uint32_t)pin_words * 32) return 0; /* FD_AGAIN is larger than any */
  return (masks[(holder - 1) / 32] >> (holder - 1) % 32 & 1) != 0;
}

int fd_give_again(void *base, struct fd_slot *slot, int32_t index, const uint32_t *masks, int32_t pin_words,
                  const uint32_t *groups, int32_t count, int is_dead) {
  int changed = 0;
  for (const uint32_t *taking = groups; taking < groups + 3 * count; taking += 3) {
    struct fd_group *group = at(base, (int32_t)taking[0]);
    uint64_t *take = word(base, (int32_t)taking[1]) + index;
    const uint32_t reader = taking[2];
    const uint64_t seen = load64(take);
    if (!is_in(masks, pin_words, holder_of(seen))) continue;
    if (is_dead) { /* P0: the group's bit first, because the member that takes the frame clears it */
      uint32_t *pins = (uint32_t *)at(slot, offsetof(struct fd_slot, pins)) + reader / 32;
      __atomic_fetch_or(pins, UINT32_C(1) << reader % 32, __ATOMIC_SEQ_CST);
      FD_STEP(P0);
    }
    changed += cas64(take, seen, take_of(frame_of(seen), is_dead ? FD_AGAIN : DONE));
    FD_STEP(P0);
    if (is_dead) group->redelivered += 1;
  }
  return changed;
}
