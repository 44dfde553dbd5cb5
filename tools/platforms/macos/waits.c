/* Waiting on an address in shared memory: the way of macOS 14.4, and that of before, which DARWIN_OLD leaves alone. */
#include "darwin.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* 0, or Darwin's error: another value is none. */
static int wait_on(void *address, uint64_t value, uint64_t ns) {
  const struct timespec time = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
  if (syscall(SYS_futex, address, FUTEX_WAIT, (uint32_t)value, &time, NULL, 0) == 0 || errno == EAGAIN) return 0;
  return darwin_error(errno);
}

static int wake_all(void *address) {
  return syscall(SYS_futex, address, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0) > 0 ? 0 : DARWIN_ENOENT;
}

static int answer(int failed) {
  if (failed != 0) darwin_fail_with(failed);
  return failed == 0 ? 0 : -1;
}

enum { SHARED = 1, MACH_TIME = 32 };

static int newer_wait(void *address, uint64_t value, size_t size, uint32_t flags, uint32_t clock, uint64_t ns) {
  if (size != 4 || flags != SHARED || clock != MACH_TIME || ns == 0 || value > UINT32_MAX) {
    darwin_unforeseen("os_sync_wait_on_address_with_timeout", flags);
  }
  return answer(wait_on(address, value, ns));
}

static int newer_wake(void *address, size_t size, uint32_t flags) {
  if (size != 4 || flags != SHARED) darwin_unforeseen("os_sync_wake_by_address_all", flags);
  return answer(wake_all(address));
}

/* Of the operation: compare and wait on a shared word, wake all, return the error. */
enum { COMPARE_SHARED = 3, WAKE_ALL = 0x100, NO_ERRNO = 0x1000000 };

DARWIN int mac___ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t us) {
  if (operation != (COMPARE_SHARED | NO_ERRNO) || us == 0 || value > UINT32_MAX) {
    darwin_unforeseen("__ulock_wait", operation);
  }
  return -wait_on(address, value, (uint64_t)us * 1000);
}

DARWIN int mac___ulock_wake(uint32_t operation, void *address, uint64_t value) {
  if (operation != (COMPARE_SHARED | WAKE_ALL | NO_ERRNO) || value != 0) darwin_unforeseen("__ulock_wake", operation);
  return -wake_all(address);
}

/* What the library looks up because not each macOS has it. RTLD_DEFAULT is -2. */
DARWIN void *mac_dlsym(void *handle, const char *name) {
  if (handle != (void *)-2) darwin_unforeseen("dlsym with handle", (long)handle);
  if (darwin_is_old()) return NULL;
  if (strcmp(name, "at_quick_exit") == 0) return (void *)at_quick_exit;
  if (strcmp(name, "os_sync_wait_on_address_with_timeout") == 0) return (void *)newer_wait;
  if (strcmp(name, "os_sync_wake_by_address_all") == 0) return (void *)newer_wake;
  darwin_unforeseen(name, 0);
}
