/* See darwin.h. */
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

enum { CTL_KERN, KERN_PROC, KERN_PROC_PID };
struct kinfo_proc {
  struct {
    struct timeval p_starttime;
  } kp_proc;
};
static inline int sysctl(int *query, unsigned count, void *out, size_t *length, void *in, size_t in_length) {
  (void)query, (void)count, (void)in, (void)in_length;
  struct kinfo_proc process = {.kp_proc = {.p_starttime = {.tv_sec = 1700000000, .tv_usec = 5}}};
  memcpy(out, &process, *length);
  return 0;
}
static inline int sysctlbyname(const char *name, void *out, size_t *length, void *in, size_t in_length) {
  (void)name, (void)in, (void)in_length;
  const uint64_t memory = (uint64_t)1 << 34;
  memcpy(out, &memory, *length);
  return 0;
}
