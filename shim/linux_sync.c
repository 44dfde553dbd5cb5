/* Linux: waiting is a futex, several at once since 5.16. The locks are in posix.c. */
#define _GNU_SOURCE
#include "linux_internal.h"
#include "sleep.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* From linux/futex.h, which may be older than the kernel; the number is the same on every machine. */
enum { CALL_FUTEX_WAITV = 449, WAITV_32 = 2, WAITV_PRIVATE = 128 };
struct waitv {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};

/* The linker's -z nodelete has seen to it. */
void fd_stay_loaded(void) {}

/* The 22nd field of the file; the second is in parentheses and may hold anything, so count from the last. */
static double start_in(const char *path) {
  char text[1024];
  if (fd_read_text(path, text, sizeof text) < 0) return errno == ENOENT ? 0 : -1;
  const char *at = strrchr(text, ')');
  for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  return at == NULL ? -1 : strtod(at, NULL);
}

int32_t fd_identity(double *out) {
  out[0] = (double)getpid();
  const double started = start_in("/proc/self/stat");
  out[1] = started > 0 ? started : 0;
  return 0;
}

double fd_started(double pid) {
  if (!(pid >= 1 && pid <= INT32_MAX) || access("/proc/self/stat", F_OK) != 0) return -1;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  return start_in(path);
}

static struct timespec timespec_of(int64_t ns) {
  return (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

int32_t fd_wait(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t expected,
                double timeout_ms) {
  (void)segment, (void)lane, (void)peer;
  const struct timespec timeout = timespec_of(fd_timeout_ns(timeout_ms));
  /* Without FUTEX_PRIVATE_FLAG: the sleepers are in other processes. EAGAIN and EINTR mean look again, like a wake;
   * EFAULT, that the mapping went while we slept. */
  if (syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0) == 0) return 0;
  return errno == ETIMEDOUT;
}

int32_t fd_wake(fd_segment *segment, int32_t *word, int32_t lane) {
  (void)segment, (void)lane;
  const long woken = syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
  return woken < 0 ? -errno : (int32_t)woken;
}

/* Older kernels do not know the call, and filters of containers may refuse it. */
int32_t fd_system_places(void) {
#if defined(FD_TEST_NO_WAITV)
  return 1;
#else
  static int32_t places;
  int32_t known = __atomic_load_n(&places, __ATOMIC_RELAXED);
  if (known == 0) {
    known = syscall(CALL_FUTEX_WAITV, NULL, 0, 0, NULL, CLOCK_MONOTONIC) < 0 && errno == EINVAL ? FD_MOST_PLACES : 1;
    __atomic_store_n(&places, known, __ATOMIC_RELAXED);
  }
  return known;
#endif
}

int fd_bell_is_there(void) { return fd_system_places() > 1; }

int fd_bell_arm(struct fd_bell *bell, const struct fd_sought *sought) {
  (void)sought;
  bell->silent = bell->word;
  return 1;
}

void fd_bell_disarm(struct fd_bell *bell) { (void)bell; }

/* EAGAIN, EINTR and ETIMEDOUT mean look again; so does EFAULT: a word may be forgotten and unmapped between the copy of
 * the table and the call, and then the bell differs. */
int32_t fd_bell_sleep(struct fd_bell *bell, const struct fd_sought *sought, int32_t count, int64_t deadline_ns) {
  if (!fd_bell_is_there()) return fd_word_sleep(sought, deadline_ns);
  struct waitv words[1 + FD_MOST_PLACES];
  words[0] = (struct waitv){(uint32_t)bell->silent, (uintptr_t)&bell->word, WAITV_32 | WAITV_PRIVATE, 0};
  for (int32_t at = 0; at < count; at++) {
    words[1 + at] = (struct waitv){(uint32_t)sought[at].expected, (uintptr_t)sought[at].word, WAITV_32, 0};
  }
  const struct timespec deadline = timespec_of(deadline_ns);
  const struct timespec *until = deadline_ns == FD_NEVER ? NULL : &deadline;
  const long woken = syscall(CALL_FUTEX_WAITV, words, 1 + count, 0, until, CLOCK_MONOTONIC);
  return woken > 0 ? (int32_t)woken - 1 : -1;
}

void fd_bell_change(struct fd_bell *bell, const struct fd_sought *inside) {
  if (fd_bell_is_there()) __atomic_fetch_add(&bell->word, 1, __ATOMIC_SEQ_CST);
  else fd_word_change(inside);
}

void fd_bell_wake(struct fd_bell *bell, const struct fd_sought *inside) {
  if (fd_bell_is_there()) syscall(SYS_futex, &bell->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  else fd_word_wake(inside);
}
