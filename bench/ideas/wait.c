/* One sleep for many depots: a word each way between two processes, each asleep on several words until one changes.
 *
 *     wait 1         futex(FUTEX_WAIT), as the library has it: microseconds one way, the median
 *     wait many N    futex_waitv on N words, of which another one changes every time
 *
 * Ends with 3 where the kernel has no futex_waitv (before 5.16). */
#include "../floor/measure.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

enum { MOST = 128, ROUNDS = 5000, LINE = 16 }; /* words; a word has a cache line of its own */

/* As linux/futex.h has it since 5.16. */
struct waitv {
  uint64_t value, address;
  uint32_t flags, reserved;
};
enum { WORD_OF_32_BITS = 2 };

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void hit(uint32_t *words, int many, uint32_t number) {
  uint32_t *word = words + number % (uint32_t)many * LINE;
  __atomic_store_n(word, number, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Sleeps until that number has come, in whichever word. */
static void await_number(uint32_t *words, int many, int vector, uint32_t number) {
  uint32_t *word = words + number % (uint32_t)many * LINE;
  for (;;) {
    struct waitv all[MOST];
    for (int index = 0; index < many; index++) {
      uint32_t *each = words + index * LINE;
      all[index] = (struct waitv){__atomic_load_n(each, __ATOMIC_SEQ_CST), (uintptr_t)each, WORD_OF_32_BITS, 0};
    }
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == number) return;
    if (!vector) {
      syscall(SYS_futex, word, FUTEX_WAIT, all[0].value, NULL, NULL, 0);
    } else if (syscall(SYS_futex_waitv, all, many, 0, NULL, 0) < 0 && errno == ENOSYS) {
      exit(3);
    }
  }
}

int main(int argc, char **argv) {
  const int vector = argc == 3 && strcmp(argv[1], "many") == 0, many = vector ? atoi(argv[2]) : 1;
  if (argc < 2 || many < 1 || many > MOST) return 2;
  const size_t bytes = MOST * LINE * sizeof(uint32_t);
  uint32_t *there = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (there == MAP_FAILED) return 1;
  uint32_t *back = there + MOST * LINE;
  const pid_t child = fork();
  if (child < 0) return 1;
  stay_on(child == 0);
  if (child == 0) {
    for (uint32_t number = 1; number <= ROUNDS; number++) {
      await_number(there, many, vector, number);
      hit(back, many, number);
    }
    _exit(0);
  }
  static double times[ROUNDS];
  for (uint32_t number = 1; number <= ROUNDS; number++) {
    const double started = now_us();
    hit(there, many, number);
    await_number(back, many, vector, number);
    times[number - 1] = (now_us() - started) / 2;
  }
  int status = -1;
  if (waitpid(child, &status, 0) != child) return 1;
  if (status != 0) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  qsort(times, ROUNDS, sizeof *times, ascending);
  printf("%.17g\n", times[ROUNDS / 2]);
  return 0;
}
