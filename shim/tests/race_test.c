/* A hand-off while threads race for the slots: the thread sanitizer, which sees no second process, then watches the
 * payload. */
#define _GNU_SOURCE
#include "../thread.h"
#include "ring.h"

#include <math.h>

enum { PRODUCERS = 2, FRAMES = 4000 };

/* Threads: producers overwrite, readers pin the newest. The payload is plain memory, so a missing order is a race. */
static int32_t running;
static int32_t done;
static int32_t torn;
static int32_t seen;

static fd_thread_result FD_THREAD_CALL produce(void *me) {
  for (int stored = 0; stored < FRAMES || get(&seen) == 0;) {
    const double h = fd_load(&ring, AT(ring.header.head));
    const int index = (int)((uint64_t)h % SLOTS);
    const int32_t answer = fd_claim(&ring, slot_at(index), 1, h, (uint32_t)(uintptr_t)me);
    if (answer == FD_LEASED) fd_cas(&ring, AT(ring.header.head), h, h + 1);
    if (answer != FD_CLAIMED) continue;
    for (int word = 0; word < WORDS; word++) ring.payload[index][word] = (uint32_t)h;
    fd_publish(&ring, slot_at(index), h, h, 0, 0, 0);
    stored++;
  }
  add(&done, 1);
  return FD_THREAD_DONE;
}

static fd_thread_result FD_THREAD_CALL follow(void *bit) {
  const uint32_t mine = (uint32_t)(uintptr_t)bit;
  while (get(&running) != 0) {
    const double sequence = fd_load(&ring, AT(ring.header.head)) - 1;
    const int index = (int)((uint64_t)sequence % SLOTS);
    if (sequence >= 0) {
      const double number = fd_look(&ring, slot_at(index), sequence);
      if (!isnan(number) && number != sequence) add(&torn, 1);
    }
    if (sequence < 0 || fd_pin(&ring, slot_at(index), pins_at(index), mine, sequence) != 1) continue;
    for (int word = 0; word < WORDS; word++) {
      if (ring.payload[index][word] != (uint32_t)sequence) add(&torn, 1);
    }
    fd_unpin(&ring, pins_at(index), mine, 0, 0);
    add(&seen, 1);
  }
  add(&done, 1);
  return FD_THREAD_DONE;
}

static void racing_threads_tear_nothing(void) {
  clear();
  done = torn = seen = 0;
  set(&running, 1);
  for (uintptr_t reader = 0; reader < READERS; reader++) {
    EQUAL(fd_thread_start(follow, (void *)((uintptr_t)1 << reader)), 0);
  }
  for (uintptr_t producer = 0; producer < PRODUCERS; producer++) {
    EQUAL(fd_thread_start(produce, (void *)(ME + producer)), 0);
  }
  await(&done, PRODUCERS);
  set(&running, 0);
  await(&done, PRODUCERS + READERS);
  EQUAL(torn, 0);
  CHECK(get(&seen) > 0);
  for (int index = 0; index < SLOTS; index++) EQUAL(ring.slots[index].pins[0] + ring.slots[index].writer, 0);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"racing threads tear nothing", racing_threads_tear_nothing},
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
