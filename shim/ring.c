/* The words of the ring: 64-bit words that JavaScript has no fast way to, and the steps of a hand-off, each verb in one
 * call. The steps are those of docs/internals/protocol.md. Where a step cannot be done, TypeScript (ring/) decides
 * what follows: nothing here waits or is tried twice. */
#include "group.h"
#include "internal.h"
#include "layout.h"
#include "words.h"

#include <math.h>
#include <stddef.h>

/* A store that the protocol calls plain: the steps around it keep every other peer away. Relaxed costs the same. */
#define PUT(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)

/* Keeps the store before all that follows in the program. For a process that dies (docs/internals/protocol.md) it is
 * enough that the compiler keeps this order. */
static void store64_before(uint64_t *to, uint64_t value) {
#if defined(__x86_64__)
  __atomic_store_n(to, value, __ATOMIC_RELEASE);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
  store64(to, value);
  __atomic_thread_fence(__ATOMIC_RELEASE); /* fd_look reads what follows without a pin */
#endif
}

double fd_load(const void *base, int32_t offset) { return (double)load64(word(base, offset)); }

void fd_store(void *base, int32_t offset, double value) { store64(word(base, offset), (uint64_t)value); }

int32_t fd_cas(void *base, int32_t offset, double expected, double desired) {
  return cas64(word(base, offset), (uint64_t)expected, (uint64_t)desired);
}

int32_t fd_raise(void *base, int32_t offset, double value) {
  uint64_t seen = load64(word(base, offset));
  while (seen < (uint64_t)value) {
    if (__atomic_compare_exchange_n(word(base, offset), &seen, (uint64_t)value, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
      return 1;
    }
  }
  return 0;
}

double fd_head(const void *base) {
  const uint64_t head = load64(&((const struct fd_header *)base)->head);
  return (head & FD_CLOSED) == 0 ? (double)head : -1 - (double)(head & ~FD_CLOSED);
}

int32_t fd_end(void *base) {
  const uint64_t head = __atomic_fetch_or(&((struct fd_header *)base)->head, FD_CLOSED, __ATOMIC_SEQ_CST); /* N1, T5 */
  FD_STEP(N1);
  return (head & FD_CLOSED) == 0;
}

/* What may sleep on a slot that has just been left: readers for its frame or its end, producers for room. */
static int32_t sleepers(const struct fd_header *header) {
  return (load32(&header->published_sleepers) != 0 ? FD_SLEEPERS : 0) |
         (load32(&header->consumed_sleepers) != 0 ? FD_PRODUCERS : 0);
}

static const uint32_t *pins_of(const struct fd_slot *slot) { return at(slot, offsetof(struct fd_slot, pins)); }

static int is_pinned(const struct fd_slot *slot, int32_t pin_words) {
  for (int32_t index = 0; index < pin_words; index++) {
    if (load32(pins_of(slot) + index) != 0) return 1;
  }
  return 0;
}

int32_t fd_claim(void *base, int32_t slot_offset, int32_t pin_words, double sequence, uint32_t me) {
  struct fd_header *header = base;
  struct fd_slot *slot = at(base, slot_offset);
  const uint64_t h = (uint64_t)sequence;
  if (load64(&header->head) != h) return FD_MOVED; /* C1 */
  if (!cas32(&slot->writer, 0, me)) return FD_TAKEN; /* C3 */
  FD_STEP(C3);
  int32_t barred = FD_MOVED;
  if (load64(&header->head) == h) { /* C4 */
    if (is_pinned(slot, pin_words)) { /* C5 */
      barred = FD_LEASED;
    } else {
      PUT(slot->claimed, h + 1); /* C6 */
      FD_STEP(C6);
      if (cas64(&header->head, h, h + 1)) { /* C7 */
        FD_STEP(C7);
        store64_before(&slot->sequence, ~h); /* C8 */
        PUT(slot->skipped, load32(&header->skipped));
        FD_STEP(C8);
        return load32(&header->published_sleepers) == FD_SLEEPS_LIGHTLY ? FD_AWAITED : FD_CLAIMED;
      }
    }
  }
  store32(&slot->writer, 0);
  const int32_t told = sleepers(header);
  /* R5 wakes for a pin. A producer that is woken for a slot that it cannot have would retreat and wake itself again. */
  return barred | (barred == FD_LEASED && is_pinned(slot, pin_words) ? told & ~FD_PRODUCERS : told);
}

int32_t fd_publish(void *base, int32_t slot_offset, double sequence, double frame_number, double timestamp_ns,
                   uint32_t metadata_length, double byte_length) {
  struct fd_header *header = base;
  struct fd_slot *slot = at(base, slot_offset);
  PUT(slot->frame_number, (int64_t)frame_number); /* C9 */
  if (timestamp_ns >= 0) PUT(slot->timestamp_ns, (uint64_t)timestamp_ns);
  else if (timestamp_ns == FD_TIME_NOW) PUT(slot->timestamp_ns, (uint64_t)fd_now());
  PUT(slot->metadata_length, metadata_length);
  PUT(slot->byte_length, (uint64_t)byte_length);
  FD_STEP(C9);
  if (load32(&header->replaced) == FD_IS_REPLACED) return FD_REPLACED; /* C9a */
  __atomic_store_n(&slot->sequence, (uint64_t)sequence + 1, __ATOMIC_RELEASE); /* C10 */
  FD_STEP(C10);
  store32(&slot->writer, 0); /* C11 */
  FD_STEP(C11);
  const int32_t late = load32(&header->replaced) == FD_IS_REPLACED ? FD_LATE : 0; /* C11a */
  return late | sleepers(header); /* C12 */
}

int32_t fd_pin(void *base, int32_t slot_offset, int32_t pins_offset, uint32_t bit, double sequence) {
  struct fd_header *header = base;
  struct fd_slot *slot = at(base, slot_offset);
  uint32_t *pins = at(base, pins_offset);
  const uint64_t wanted = (uint64_t)sequence + 1;
  if (load32(&slot->writer) != 0 || load64(&slot->sequence) != wanted) return 0;
  __atomic_fetch_or(pins, bit, __ATOMIC_SEQ_CST); /* R1 */
  FD_STEP(R1);
  if (load32(&slot->writer) == 0 && load64(&slot->sequence) == wanted) { /* R2, R3 */
    FD_STEP(R4);
    return 1;
  }
  __atomic_fetch_and(pins, ~bit, __ATOMIC_SEQ_CST);
  return load32(&header->consumed_sleepers) != 0 ? FD_SLEEPERS : 0;
}

int32_t fd_unpin(void *base, int32_t pins_offset, uint32_t bit, int32_t cursor_offset, double cursor) {
  const struct fd_header *header = base;
  __atomic_fetch_and((uint32_t *)at(base, pins_offset), ~bit, __ATOMIC_SEQ_CST); /* R5 */
  FD_STEP(R5);
  if (cursor_offset != 0) {
    store64(word(base, cursor_offset), (uint64_t)cursor); /* R6 */
    FD_STEP(R6);
  }
  return load32(&header->consumed_sleepers) != 0 ? FD_SLEEPERS : 0;
}

/* D2. A number that its writer took (C8) and whose frame never came is burned, and the peer that puts 0 in its place
 * counts it. The inverted number is in one slot, once: a recoverer that comes late finds another value. It is read
 * before the writer: a dead id leaves a slot once and never returns, so it was there during both reads. */
static int free_slot(struct fd_header *header, struct fd_slot *slot, uint32_t writer) {
  const uint64_t sequence = load64(&slot->sequence);
  if (load32(&slot->writer) != writer) return 0;
  if (sequence >> 63 != 0 && cas64(&slot->sequence, sequence, 0)) {
    __atomic_fetch_add(&header->skipped, 1, __ATOMIC_SEQ_CST);
  }
  const int is_freed = cas32(&slot->writer, writer, 0);
  if (is_freed) FD_STEP(D2);
  return is_freed;
}

int32_t fd_recover_slot(void *base, int32_t slot_offset, uint32_t dead) {
  return free_slot(base, at(base, slot_offset), dead);
}

int32_t fd_give_back(void *base, int32_t slots_offset, int32_t slot_stride, int32_t pin_words, int32_t from, int32_t to,
                     const uint32_t *masks, uint32_t id, const uint32_t *groups, int32_t group_count, int32_t is_dead) {
  int32_t changed = 0;
  for (int32_t index = from; index < to; index++) {
    struct fd_slot *slot = at(base, slots_offset + index * slot_stride);
    uint32_t *pins = at(slot, offsetof(struct fd_slot, pins));
    int differs = fd_give_again(base, slot, index, masks, pin_words, groups, group_count, is_dead);
    for (int32_t part = 0; part < pin_words; part++) {
      if ((load32(pins + part) & masks[part]) == 0) continue; /* a clean line stays clean */
      __atomic_fetch_and(pins + part, ~masks[part], __ATOMIC_SEQ_CST);
      differs = 1;
    }
    differs |= free_slot(base, slot, id);
    FD_STEP(P1);
    changed += differs;
  }
  return changed;
}

/* The number is read between two looks at the sequence: an acquire keeps the second look behind it, and the fence after
 * C8 keeps a new number behind the sequence that says so. */
double fd_look(const void *base, int32_t slot_offset, double sequence) {
  const struct fd_slot *slot = at(base, slot_offset);
  const uint64_t wanted = (uint64_t)sequence + 1;
  if (load32(&slot->writer) != 0 || load64(&slot->sequence) != wanted) return NAN;
  const int64_t number = __atomic_load_n(&slot->frame_number, __ATOMIC_ACQUIRE);
  return load64(&slot->sequence) == wanted && load32(&slot->writer) == 0 ? (double)number : NAN;
}

double fd_smallest_cursor(const void *base, int32_t readers_offset, int32_t count, int32_t except) {
  const struct fd_reader *readers = at(base, readers_offset);
  uint64_t smallest = UINT64_MAX;
  int is_attached = 0;
  for (int32_t index = 0; index < count; index++) {
    if (index == except) continue;
    const uint32_t gating = load32(&readers[index].gating);
    is_attached |= gating == FD_GATING_ATTACHED;
    if (gating != FD_GATING_GATES) continue;
    const uint64_t cursor = load64(&readers[index].cursor);
    if (load32(&readers[index].gating) != FD_GATING_GATES) {
      index--; /* the cursor may be the next owner's: the entry is looked at anew */
      continue;
    }
    if (cursor < smallest) smallest = cursor;
  }
  if (smallest != UINT64_MAX) return (double)smallest;
  return is_attached ? FD_ATTACHED_ONLY : FD_NOT_ATTACHED;
}
