/* Ideas that were tried and not taken, each beside the way it is: the steps of a hand-off (docs/internals/protocol.md)
 * without anything around them, and copies. One idea is one flag for the compiler:
 *
 *     -DPINS_APART     a slot's pins in a cache line of their own
 *     -DRELEASE        C8, C10 as release stores in place of sequentially consistent ones
 *     -DCLAIM_AHEAD=8  a producer claims eight slots with one change of head
 *     -DCURSOR_LATE=8  a reader stores its cursor for every eighth frame only
 *     -DPAUSE          a pause between two looks that find nothing
 *
 *     ideas handoff                     nanoseconds, one process
 *     ideas stream                      million frames a second between two processes, each verified
 *     ideas copy | copy-past | copy-huge
 *                                       GB/s into a ring of 1080p frames: memcpy; past the cache; into huge pages
 *     ideas read | read-past            GB/s of a copy and a sum over what was copied, by another thread
 *     ideas fill | fill-again           frames/s that one thread fills and another sums: slots in turn; the slot that
 *                                       was read last first, which keeps no frame after it has been read
 */
#include "../floor/measure.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef CLAIM_AHEAD
#define CLAIM_AHEAD 1
#endif
#ifndef CURSOR_LATE
#define CURSOR_LATE 1
#endif
#ifdef RELEASE
#define SOFT __ATOMIC_RELEASE
#else
#define SOFT __ATOMIC_SEQ_CST
#endif
#ifdef PAUSE
#define RELAX() __builtin_ia32_pause()
#else
#define RELAX() ((void)0)
#endif

enum { RING = 1024, ROUNDS = 4000000, FRAMES = 5000000, WARM_UP = 500000, FRAME_BYTES = 6220800, FRAMES_KEPT = 10 };

struct slot {
  uint32_t writer, metadata_length;
  uint64_t claimed, sequence;
  int64_t number;
  uint64_t time, bytes;
  uint32_t skipped;
#ifdef PINS_APART
  uint32_t unused[3];
#endif
  uint32_t pins;
} __attribute__((aligned(64)));

static struct {
  struct {
    uint64_t head;
  } __attribute__((aligned(128))) producer;
  struct {
    uint64_t cursor;
  } __attribute__((aligned(128))) reader;
  struct {
    uint32_t published_sleepers;
  } __attribute__((aligned(128))) published;
  struct {
    uint32_t consumed_sleepers;
  } __attribute__((aligned(128))) consumed;
  struct slot slots[RING];
} *ring;

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_SEQ_CST)
#define STORE(word, value, order) __atomic_store_n(&(word), (value), order)
#define PUT(word, value) STORE(word, value, __ATOMIC_RELAXED)

static void claim(uint64_t h) {
  for (uint64_t sequence = h; sequence < h + CLAIM_AHEAD; sequence++) {
    struct slot *slot = &ring->slots[sequence % RING];
    uint32_t nobody = 0;
    if (!__atomic_compare_exchange_n(&slot->writer, &nobody, 7, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) exit(1);
    if (LOAD(slot->pins) != 0) exit(1);
    PUT(slot->claimed, sequence + 1);
  }
  uint64_t expected = h;
  if (!__atomic_compare_exchange_n(&ring->producer.head, &expected, h + CLAIM_AHEAD, 0, __ATOMIC_SEQ_CST,
                                   __ATOMIC_SEQ_CST)) {
    exit(1);
  }
  for (uint64_t sequence = h; sequence < h + CLAIM_AHEAD; sequence++) {
    STORE(ring->slots[sequence % RING].sequence, 0, SOFT);
  }
}

static int publish(uint64_t sequence) {
  struct slot *slot = &ring->slots[sequence % RING];
  PUT(slot->number, (int64_t)sequence);
  PUT(slot->time, sequence);
  PUT(slot->metadata_length, 0);
  PUT(slot->bytes, 4096);
  STORE(slot->sequence, sequence + 1, SOFT);
  STORE(slot->writer, 0, __ATOMIC_SEQ_CST);
  return LOAD(ring->published.published_sleepers) != 0;
}

static int pin(uint64_t sequence) {
  struct slot *slot = &ring->slots[sequence % RING];
  if (LOAD(slot->sequence) != sequence + 1 || LOAD(slot->writer) != 0) return 0;
  __atomic_fetch_or(&slot->pins, 1, __ATOMIC_SEQ_CST);
  return LOAD(slot->writer) == 0 && LOAD(slot->sequence) == sequence + 1;
}

static int unpin(uint64_t sequence) {
  __atomic_fetch_and(&ring->slots[sequence % RING].pins, ~1u, __ATOMIC_SEQ_CST);
  if ((sequence + 1) % CURSOR_LATE == 0) STORE(ring->reader.cursor, sequence + 1, __ATOMIC_SEQ_CST);
  return LOAD(ring->consumed.consumed_sleepers) != 0;
}

static double handoff(void) {
  const double started = now_s();
  int64_t sum = 0;
  for (uint64_t h = 0; h < ROUNDS; h += CLAIM_AHEAD) {
    claim(h);
    for (uint64_t sequence = h; sequence < h + CLAIM_AHEAD; sequence++) {
      if (publish(sequence) || !pin(sequence)) exit(1);
      sum += ring->slots[sequence % RING].number;
      if (unpin(sequence)) exit(1);
    }
  }
  if (sum != (int64_t)ROUNDS * (ROUNDS - 1) / 2) exit(1);
  return (now_s() - started) * 1e9 / ROUNDS;
}

static double stream(void) {
  const pid_t child = fork();
  if (child < 0) exit(1);
  if (child == 0) {
    uint64_t gate = 0;
    for (uint64_t h = 0; h < WARM_UP + FRAMES; h += CLAIM_AHEAD) {
      while (h + CLAIM_AHEAD > gate + RING) {
        gate = LOAD(ring->reader.cursor);
        RELAX();
      }
      claim(h);
      for (uint64_t sequence = h; sequence < h + CLAIM_AHEAD; sequence++) publish(sequence);
    }
    _exit(0);
  }
  double started = 0;
  for (uint64_t sequence = 0; sequence < WARM_UP + FRAMES; sequence++) {
    while (!pin(sequence)) RELAX();
    if (ring->slots[sequence % RING].number != (int64_t)sequence) exit(1);
    unpin(sequence);
    if (sequence == WARM_UP) started = now_s();
  }
  const double elapsed = now_s() - started;
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) exit(1);
  return FRAMES / elapsed / 1e6;
}

static void copy_past(char *to, const char *from) {
#if defined(__x86_64__)
  for (size_t at = 0; at < FRAME_BYTES; at += 64) {
    const __m128i *source = (const void *)(from + at);
    __m128i *target = (void *)(to + at);
    const __m128i a = _mm_loadu_si128(source), b = _mm_loadu_si128(source + 1), c = _mm_loadu_si128(source + 2),
                  d = _mm_loadu_si128(source + 3);
    _mm_stream_si128(target, a);
    _mm_stream_si128(target + 1, b);
    _mm_stream_si128(target + 2, c);
    _mm_stream_si128(target + 3, d);
  }
  _mm_sfence();
#else
  memcpy(to, from, FRAME_BYTES);
#endif
}

static char *frames;
/* Where each of the last frames lies. */
static uint32_t slot_of[16];
static uint64_t published;
static uint64_t consumed;

static void *read_frames(void *unused) {
  (void)unused;
  for (uint64_t next = 0;; next++) {
    uint64_t seen;
    while ((seen = LOAD(published)) == next) continue;
    if (seen == UINT64_MAX) return NULL;
    const uint64_t *words = (const void *)(frames + (size_t)slot_of[next % 16] * FRAME_BYTES);
    uint64_t sum = 0;
    for (size_t at = 0; at < FRAME_BYTES / 8; at += 8) sum += words[at];
    if (sum != FRAME_BYTES / 64 * 0x0707070707070707u) exit(1);
    STORE(consumed, next + 1, __ATOMIC_SEQ_CST);
  }
}

static double copy(int past, int huge, int is_read) {
  const size_t bytes = (size_t)FRAME_BYTES * FRAMES_KEPT;
  frames = shared(bytes);
  if (huge) {
    frames = mmap(NULL, bytes + (2 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (frames == MAP_FAILED || madvise(frames, bytes + (2 << 20), MADV_HUGEPAGE) != 0) exit(3);
    frames = (char *)(((uintptr_t)frames + (2 << 20) - 1) & ~(uintptr_t)((2 << 20) - 1));
    memset(frames, 1, bytes);
  }
  char *source = malloc(FRAME_BYTES);
  memset(source, 7, FRAME_BYTES);
  pthread_t reader;
  if (is_read && pthread_create(&reader, NULL, read_frames, NULL) != 0) exit(1);
  double best = 0;
  uint64_t count = 0;
  for (int window = 0; window < 5; window++) {
    const uint64_t before = count;
    const double started = now_s();
    double elapsed;
    do {
      while (is_read && count >= LOAD(consumed) + 2) continue;
      char *target = frames + count % FRAMES_KEPT * FRAME_BYTES;
      slot_of[count % 16] = (uint32_t)(count % FRAMES_KEPT);
      if (past) copy_past(target, source);
      else memcpy(target, source, FRAME_BYTES);
      STORE(published, ++count, __ATOMIC_SEQ_CST);
      elapsed = now_s() - started;
    } while (elapsed < 0.1);
    const double found = (double)(count - before) * FRAME_BYTES / elapsed / 1e9;
    if (found > best) best = found;
  }
  if (is_read) {
    while (LOAD(consumed) < count) continue;
    STORE(published, UINT64_MAX, __ATOMIC_SEQ_CST);
    pthread_join(reader, NULL);
  }
  return best;
}

/* There are never more frames under way than slots: the two threads settle the number between them. */
static double fill(int again) {
  frames = shared((size_t)FRAME_BYTES * FRAMES_KEPT);
  uint32_t idle[FRAMES_KEPT], idles = FRAMES_KEPT;
  for (uint32_t slot = 0; slot < FRAMES_KEPT; slot++) idle[slot] = slot;
  pthread_t reader;
  if (pthread_create(&reader, NULL, read_frames, NULL) != 0) exit(1);
  double best = 0;
  uint64_t count = 0, taken_back = 0;
  for (int window = 0; window < 5; window++) {
    const uint64_t before = count;
    const double started = now_s();
    double elapsed;
    do {
      while (count >= LOAD(consumed) + FRAMES_KEPT) continue;
      for (const uint64_t done = LOAD(consumed); taken_back < done; taken_back++) idle[idles++] = slot_of[taken_back % 16];
      const uint32_t slot = again ? idle[idles - 1] : idle[0];
      if (!again) memmove(idle, idle + 1, (idles - 1) * sizeof *idle);
      idles--;
      memset(frames + (size_t)slot * FRAME_BYTES, 7, FRAME_BYTES);
      slot_of[count % 16] = slot;
      STORE(published, ++count, __ATOMIC_SEQ_CST);
      elapsed = now_s() - started;
    } while (elapsed < 0.1);
    const double found = (double)(count - before) / elapsed;
    if (found > best) best = found;
  }
  while (LOAD(consumed) < count) continue;
  STORE(published, UINT64_MAX, __ATOMIC_SEQ_CST);
  pthread_join(reader, NULL);
  return best;
}

int main(int argc, char **argv) {
  const char *what = argc == 2 ? argv[1] : "";
  ring = shared(sizeof *ring);
  double found;
  if (strcmp(what, "handoff") == 0) found = handoff();
  else if (strcmp(what, "stream") == 0) found = stream();
  else if (strncmp(what, "copy", 4) == 0) found = copy(strcmp(what, "copy-past") == 0, strcmp(what, "copy-huge") == 0, 0);
  else if (strncmp(what, "fill", 4) == 0) found = fill(strcmp(what, "fill-again") == 0);
  else if (strncmp(what, "read", 4) == 0) found = copy(strcmp(what, "read-past") == 0, 0, 1);
  else return 2;
  printf("%.17g\n", found);
  return 0;
}
