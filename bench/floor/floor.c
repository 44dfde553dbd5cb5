/* The floor: the same work in C, on the same machine, with the shim's own functions where they are what is measured.
 *
 *     floor handoff           nanoseconds for claim, publish, pin and release, one process, no timestamp
 *     floor copy BYTES SLOTS  GB/s of memcpy into a shared ring
 *     floor stream            million frames a second from one process to another, both spinning, each verified
 *     floor pingpong spin     nanoseconds one way between two processes and one word each way, the median of rounds
 *     floor pingpong futex    the same, asleep in the kernel
 *
 * Each prints one number, of one run of about a third of a second. */
#include "measure.h"
#include "../../shim/internal.h"
#include "../../shim/layout.h"

#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 16, STRIDE = sizeof(struct fd_slot), PINS = offsetof(struct fd_slot, pins), ROUNDS = 100000, TRIES = 30 };

/* The quickest of several tries, as the runtimes have it. */
static double handoff(void) {
  char *base = shared(1 << 20);
  struct fd_reader *reader = (void *)(base + 8192);
  const int32_t slots = 16384, cursor_at = 8192 + (int32_t)offsetof(struct fd_reader, cursor);
  reader->gating = 1;
  double best = 1e9, started = now_s();
  int64_t sum = 0;
  for (int64_t sequence = 0; sequence < ROUNDS * TRIES; sequence++) {
    if (sequence % ROUNDS == 0 && sequence > 0) {
      const double now = now_s();
      if (now - started < best) best = now - started;
      started = now;
    }
    const int32_t slot = slots + (int32_t)(sequence % SLOTS) * STRIDE;
    if (fd_claim(base, slot, 1, (double)sequence, 0x1001) != FD_CLAIMED) exit(1);
    fd_publish(base, slot, (double)sequence, (double)sequence, (double)sequence, 0, 65536);
    if (fd_pin(base, slot, slot + PINS, 1, (double)sequence) != 1) exit(1);
    sum += ((struct fd_slot *)(base + slot))->frame_number;
    fd_unpin(base, slot + PINS, 1, cursor_at, (double)(sequence + 1));
  }
  const int64_t rounds = (int64_t)ROUNDS * TRIES;
  if (sum != rounds * (rounds - 1) / 2 || reader->cursor != (uint64_t)rounds) exit(1);
  return best * 1e9 / ROUNDS;
}

static double copy(size_t bytes, int slots) {
  char *ring = shared(bytes * (size_t)slots), *frame = malloc(bytes);
  memset(frame, 7, bytes);
  double best = 0;
  for (int window = 0; window < 5; window++) {
    const double started = now_s();
    int64_t copied = 0;
    double elapsed;
    do {
      memcpy(ring + (size_t)(copied++ % slots) * bytes, frame, bytes);
      elapsed = now_s() - started;
    } while (elapsed < 0.1);
    const double found = (double)copied * (double)bytes / elapsed / 1e9;
    if (found > best) best = found;
  }
  return best;
}

enum { RING = 1024, FRAMES = 5000000, WARM_UP = 500000 };

/* The producer keeps the reader's cursor that it last saw, as the library keeps its gate. */
static void produce(char *base, const struct fd_reader *reader, int32_t slots) {
  uint64_t gate = 0;
  for (uint64_t sequence = 0; sequence < WARM_UP + FRAMES; sequence++) {
    while (sequence >= gate + RING) gate = __atomic_load_n(&reader->cursor, __ATOMIC_SEQ_CST);
    const int32_t slot = slots + (int32_t)(sequence % RING) * STRIDE;
    if (fd_claim(base, slot, 1, (double)sequence, 0x1001) != FD_CLAIMED) exit(1);
    fd_publish(base, slot, (double)sequence, (double)sequence, (double)(sequence * 3), 0, 4096);
  }
}

static double stream(void) {
  char *base = shared(1 << 20);
  struct fd_reader *reader = (void *)(base + 8192);
  const int32_t slots = 16384, cursor_at = 8192 + (int32_t)offsetof(struct fd_reader, cursor);
  reader->gating = 1;
  const pid_t child = fork();
  if (child < 0) exit(1);
  if (child == 0) {
    produce(base, reader, slots);
    _exit(0);
  }
  double started = 0;
  for (int64_t sequence = 0; sequence < WARM_UP + FRAMES; sequence++) {
    const int32_t slot = slots + (int32_t)(sequence % RING) * STRIDE, pins = slot + PINS;
    while (fd_pin(base, slot, pins, 1, (double)sequence) != 1) continue;
    if (((struct fd_slot *)(base + slot))->frame_number != sequence) exit(1);
    fd_unpin(base, pins, 1, cursor_at, (double)(sequence + 1));
    if (sequence == WARM_UP) started = now_s();
  }
  const double elapsed = now_s() - started;
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) exit(1);
  return FRAMES / elapsed / 1e6;
}

enum { SPIN_ROUNDS = 1000, SPIN_BATCH = 300, FUTEX_ROUNDS = 5000 };

static void hit(uint32_t *ball, uint32_t number, int asleep) {
  __atomic_store_n(ball, number, __ATOMIC_SEQ_CST);
  if (asleep) syscall(SYS_futex, ball, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await_ball(uint32_t *ball, uint32_t number, int asleep) {
  for (uint32_t seen; (seen = __atomic_load_n(ball, __ATOMIC_SEQ_CST)) != number;) {
    if (asleep) syscall(SYS_futex, ball, FUTEX_WAIT, seen, NULL, NULL, 0);
  }
}

static double pingpong(int asleep) {
  char *base = shared(4096);
  uint32_t *there = (void *)base, *back = (void *)(base + 1024);
  const uint32_t rounds = asleep ? FUTEX_ROUNDS : SPIN_ROUNDS, batch = asleep ? 1 : SPIN_BATCH;
  const pid_t child = fork();
  if (child < 0) exit(1);
  stay_on(child == 0);
  if (child == 0) {
    for (uint32_t number = 1; number <= rounds * batch; number++) {
      await_ball(there, number, asleep);
      hit(back, number, asleep);
    }
    _exit(0);
  }
  static double times[FUTEX_ROUNDS];
  for (uint32_t round = 0; round < rounds; round++) {
    const double started = now_s();
    for (uint32_t number = round * batch + 1; number <= (round + 1) * batch; number++) {
      hit(there, number, asleep);
      await_ball(back, number, asleep);
    }
    times[round] = (now_s() - started) * 1e9 / batch / 2;
  }
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) exit(1);
  qsort(times, rounds, sizeof *times, ascending);
  return times[rounds / 2];
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "handoff") == 0) printf("%.17g\n", handoff());
  else if (argc == 2 && strcmp(argv[1], "stream") == 0) printf("%.17g\n", stream());
  else if (argc == 3 && strcmp(argv[1], "pingpong") == 0) printf("%.17g\n", pingpong(strcmp(argv[2], "futex") == 0));
  else if (argc == 4 && strcmp(argv[1], "copy") == 0) printf("%.17g\n", copy(strtoull(argv[2], NULL, 10), atoi(argv[3])));
  else return 2;
  return 0;
}
