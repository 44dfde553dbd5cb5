/* macOS's two ways of waiting on an address, over futex. The newer one is only there with -DWITH_OS_SYNC, as on 14.4
 * and later. See darwin.h. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int wait_on(void *address, uint64_t value, uint64_t ns) {
  const struct timespec timeout = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
  if (syscall(SYS_futex, address, FUTEX_WAIT, (uint32_t)value, &timeout, NULL, 0) == 0) return 0;
  return errno == EAGAIN ? 0 : -1; /* another value is no error there */
}

static int wake_all(void *address) {
  const long woken = syscall(SYS_futex, address, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
  if (woken > 0) return 0;
  errno = ENOENT;
  return -1;
}

#if defined(WITH_OS_SYNC)
int os_sync_wait_on_address_with_timeout(void *address, uint64_t value, size_t size, uint32_t flags, uint32_t clock,
                                         uint64_t timeout_ns) {
  if (size != 4 || flags != 1 || clock != 32 || timeout_ns == 0 || value > UINT32_MAX) abort();
  return wait_on(address, value, timeout_ns);
}

int os_sync_wake_by_address_all(void *address, size_t size, uint32_t flags) {
  if (size != 4 || flags != 1) abort();
  return wake_all(address);
}
#endif

int __ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t timeout_us) {
  if (operation != 0x1000003 || timeout_us == 0 || value > UINT32_MAX) abort();
  return wait_on(address, value, (uint64_t)timeout_us * 1000) == 0 ? 0 : -errno;
}

int __ulock_wake(uint32_t operation, void *address, uint64_t value) {
  if (operation != 0x1000103 || value != 0) abort();
  return wake_all(address) == 0 ? 0 : -errno;
}
