/* macOS: waiting on an address, in the way of 14.4 and later, or in that of before. The locks are in posix.c. */
#include "macos_internal.h"
#include "sleep.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/sysctl.h>
#include <unistd.h>

/* From os/os_sync_wait_on_address.h, and from the kernel's ulock.h, which is private but what C++ libraries use. */
enum { SYNC_SHARED = 1, SYNC_MACH_TIME = 32 };
enum { ULOCK_COMPARE_SHARED = 3, ULOCK_WAKE_ALL = 0x100, ULOCK_NO_ERRNO = 0x1000000 };
extern int __ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t timeout_us);
extern int __ulock_wake(uint32_t operation, void *address, uint64_t value);

typedef int (*wait_on)(void *address, uint64_t value, size_t size, uint32_t flags, uint32_t clock, uint64_t timeout_ns);
typedef int (*wake_all)(void *address, size_t size, uint32_t flags);

/* Of the newer way; NULL before 14.4. Both families would have to be there or neither: sleepers of one are not woken by
 * the other. */
static struct {
  wait_on wait;
  wake_all wake;
} newer;
static pthread_once_t once = PTHREAD_ONCE_INIT;

int32_t fd_failure(int code) {
  switch (code) {
    case EAGAIN: return -FD_EAGAIN;
    case EDEADLK: return -FD_EDEADLK;
    case ENAMETOOLONG: return -FD_ENAMETOOLONG;
    case ENOSYS: return -FD_ENOSYS;
    case ELOOP: return -FD_ELOOP;
    case EOVERFLOW: return -FD_EOVERFLOW;
    case EOPNOTSUPP:
#if EOPNOTSUPP != ENOTSUP
    case ENOTSUP:
#endif
      return -FD_ENOTSUP;
    case ETIMEDOUT: return -FD_ETIMEDOUT;
    case ENOLCK: return -FD_ENOLCK;
    case EDQUOT: return -FD_EDQUOT;
    default: return code <= 34 ? -code : -FD_EIO; /* the first 34 are the same everywhere but for EDEADLK */
  }
}

/* A runtime lets go of the library while its threads are still inside. */
void fd_stay_loaded(void) {
  Dl_info info;
  if (dladdr((const void *)fd_stay_loaded, &info) != 0) dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* There is one space of process ids: the id is proof enough. */
double fd_started(double pid) {
  (void)pid;
  return -1;
}

int32_t fd_identity(double *out) {
  out[0] = (double)getpid();
  out[1] = 0;
  struct kinfo_proc process;
  size_t length = sizeof process;
  int query[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid()};
  if (sysctl(query, 4, &process, &length, NULL, 0) != 0 || length < sizeof process) return 0;
  const struct timeval started = process.kp_proc.p_starttime;
  out[1] = (double)started.tv_sec * 1e6 + (double)started.tv_usec;
  return 0;
}

static void find_newer(void) {
  const wait_on wait = (wait_on)dlsym(RTLD_DEFAULT, "os_sync_wait_on_address_with_timeout");
  const wake_all wake = (wake_all)dlsym(RTLD_DEFAULT, "os_sync_wake_by_address_all");
  if (wait == NULL || wake == NULL) return;
  newer.wait = wait;
  newer.wake = wake;
}

int32_t fd_wait(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t expected,
                double timeout_ms) {
  (void)segment, (void)lane, (void)peer;
  const uint64_t value = (uint32_t)expected, ns = (uint64_t)fd_timeout_ns(timeout_ms);
  if (ns < 1000) return __atomic_load_n(word, __ATOMIC_SEQ_CST) == expected;
  pthread_once(&once, find_newer);
  /* Errors other than the time's end mean look again. */
  if (newer.wait != NULL) {
    if (newer.wait(word, value, sizeof *word, SYNC_SHARED, SYNC_MACH_TIME, ns) >= 0) return 0;
    return errno == ETIMEDOUT;
  }
  const uint32_t us = ns / 1000 < UINT32_MAX ? (uint32_t)(ns / 1000) : UINT32_MAX;
  return __ulock_wait(ULOCK_COMPARE_SHARED | ULOCK_NO_ERRNO, word, value, us) == -ETIMEDOUT;
}

int32_t fd_wake(fd_segment *segment, int32_t *word, int32_t lane) {
  (void)segment, (void)lane;
  pthread_once(&once, find_newer);
  int failed;
  if (newer.wake != NULL) {
    failed = newer.wake(word, sizeof *word, SYNC_SHARED) >= 0 ? 0 : errno;
  } else {
    const int answer = __ulock_wake(ULOCK_COMPARE_SHARED | ULOCK_WAKE_ALL | ULOCK_NO_ERRNO, word, 0);
    failed = answer >= 0 ? 0 : -answer;
  }
  return failed == 0 || failed == ENOENT ? 0 : fd_failure(failed); /* ENOENT: no sleeper */
}

int32_t fd_system_places(void) { return 1; }

int fd_bell_is_there(void) { return 0; }

int fd_bell_arm(struct fd_bell *bell, const struct fd_sought *sought) {
  (void)bell, (void)sought;
  return 1;
}

void fd_bell_disarm(struct fd_bell *bell) { (void)bell; }

int32_t fd_bell_sleep(struct fd_bell *bell, const struct fd_sought *sought, int32_t count, int64_t deadline_ns) {
  (void)bell, (void)count;
  return fd_word_sleep(sought, deadline_ns);
}

void fd_bell_change(struct fd_bell *bell, const struct fd_sought *inside) {
  (void)bell;
  fd_word_change(inside);
}

void fd_bell_wake(struct fd_bell *bell, const struct fd_sought *inside) {
  (void)bell;
  fd_word_wake(inside);
}
