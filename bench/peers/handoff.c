/* The bare hand-off in C, with the shim's own functions: what ours would cost without a runtime. Prints what
 * frames_depot_handoff.ts prints; the two processes are its own.
 *
 *     handoff alone|between TASK */
#include "../floor/measure.h"
#include "../../shim/internal.h"
#include "../../shim/layout.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 10, STRIDE = sizeof(struct fd_slot), READER_AT = 8192, SLOTS_AT = 16384, BYTES = 1 << 20, BATCHES = 10, FRAME_BYTES = 1920 * 1080 * 3 };

static char *channel(void) {
  char *memory = shared(BYTES);
  ((struct fd_reader *)(memory + READER_AT))->gating = 1;
  return memory;
}

static long value_of(const char *json, const char *key) {
  const char *found = strstr(json, key);
  if (found == NULL) exit(2);
  return atol(found + strlen(key));
}

/* A round later each slot is free again: the side that hands over has taken the answer to the frame before. */
static void hand_over(char *base, int64_t sequence) {
  const int32_t slot = SLOTS_AT + (int32_t)(sequence % SLOTS) * STRIDE;
  if (fd_claim(base, slot, 1, (double)sequence, 0x1001) != FD_CLAIMED) exit(1);
  fd_publish(base, slot, (double)sequence, (double)sequence, 0, 0, FRAME_BYTES);
}

static void take(char *base, int64_t sequence) {
  const int32_t slot = SLOTS_AT + (int32_t)(sequence % SLOTS) * STRIDE, pins = slot + (int32_t)offsetof(struct fd_slot, pins);
  const int32_t cursor_at = READER_AT + (int32_t)offsetof(struct fd_reader, cursor);
  while (fd_pin(base, slot, pins, 1, (double)sequence) != 1) continue;
  if (((struct fd_slot *)(base + slot))->frame_number != sequence) exit(1);
  fd_unpin(base, pins, 1, cursor_at, (double)(sequence + 1));
}

struct pair {
  char *out, *in;
};

/* Says how long the quickest of some batches took: what disturbs a spinning pair only ever makes it slower. */
static void measure(struct pair pair, long warmup, long frames, long hand_offs) {
  double best = 1e9;
  long round = 0;
  for (int batch = -1; batch < BATCHES; batch++) {
    const double started = now_s();
    for (const long end = round + (batch < 0 ? warmup : frames / BATCHES); round < end; round++) {
      hand_over(pair.out, round);
      take(pair.in, round);
    }
    const double elapsed = now_s() - started;
    if (batch >= 0 && elapsed < best) best = elapsed;
  }
  printf("{\"frames\":%ld,\"seconds\":%.9f}\n", hand_offs * (frames / BATCHES), best);
}

static void between(long warmup, long frames) {
  const struct pair pair = {channel(), channel()};
  const pid_t child = fork();
  if (child < 0) exit(1);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (long round = 0; round < warmup + frames / BATCHES * BATCHES; round++) {
      take(pair.out, round);
      hand_over(pair.in, round);
    }
    _exit(0);
  }
  measure(pair, warmup, frames, 2);
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) exit(1);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const long warmup = value_of(argv[2], "\"warmup\":"), frames = value_of(argv[2], "\"frames\":");
  char *both = channel();
  if (strcmp(argv[1], "alone") == 0) measure((struct pair){both, both}, warmup, frames, 1);
  else if (strcmp(argv[1], "between") == 0) between(warmup, frames);
  else return 2;
  return 0;
}
