/* Errors, clocks, text, and what the system tells of itself. */
#include "darwin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static _Thread_local int mac_errno;

_Noreturn void darwin_unforeseen(const char *call, long value) {
  fprintf(stderr, "macOS layer: %s (%#lx) is not foreseen\n", call, value);
  abort();
}

int darwin_error(int code) {
  switch (code) {
    case EDEADLK: return 11;
    case EAGAIN: return 35;
    case ENOTSOCK: return 38;
    case EMSGSIZE: return 40;
    case ECONNRESET: return 54;
    case ENOBUFS: return 55;
    case ENOTCONN: return 57;
    case ETIMEDOUT: return 60;
    case ELOOP: return 62;
    case ENAMETOOLONG: return DARWIN_ENAMETOOLONG;
    case ENOTEMPTY: return 66;
    case EDQUOT: return 69;
    case ENOLCK: return 77;
    case ENOSYS: return 78;
    case EOVERFLOW: return 84;
    case EOPNOTSUPP: return 102;
    default:
      if (code > 34) darwin_unforeseen("an error with Linux's number", code);
      return code; /* the same on both */
  }
}

void darwin_fail_with(int code) { mac_errno = code; }
void darwin_fail(void) { mac_errno = darwin_error(errno); }
DARWIN int *mac___error(void) { return &mac_errno; }

int darwin_is_old(void) { return getenv("DARWIN_OLD") != NULL; }

/* CLOCK_REALTIME and CLOCK_MONOTONIC. */
DARWIN int mac_clock_gettime(int clock, struct timespec *out) {
  if (clock != 0 && clock != 6) darwin_unforeseen("clock_gettime of clock", clock);
  RETURN(int, clock_gettime(clock == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, out));
}
DARWIN int mac_timespec_get(struct timespec *out, int base) { return timespec_get(out, base); }
DARWIN int mac_nanosleep(const struct timespec *time, struct timespec *left) { RETURN(int, nanosleep(time, left)); }

DARWIN int mac_getpid(void) { return getpid(); }
DARWIN unsigned mac_geteuid(void) { return geteuid(); }
DARWIN void mac_arc4random_buf(void *out, size_t bytes) {
  if (getrandom(out, bytes, 0) != (ssize_t)bytes) darwin_unforeseen("arc4random_buf of bytes", (long)bytes);
}
DARWIN long mac_sysconf(int name) {
  if (name != 29) darwin_unforeseen("sysconf of", name); /* _SC_PAGESIZE */
  return (long)darwin_page();
}

DARWIN size_t mac_strlen(const char *text) { return strlen(text); }
DARWIN size_t mac_strspn(const char *text, const char *among) { return strspn(text, among); }
DARWIN int mac_strncmp(const char *a, const char *b, size_t bytes) { return strncmp(a, b, bytes); }

#if defined(__aarch64__)
/* Darwin passes what is variadic on the stack, eight bytes each: variadic.S calls this. */
DARWIN int mac_snprintf_(char *out, size_t bytes, const char *format, const uint64_t *values) {
  size_t at = 0;
  while (*format != 0) {
    char text[32] = {*format};
    const char *add = text;
    if (strncmp(format, "%s", 2) == 0) {
      add = (const char *)*values++;
      format += 2;
    } else if (strncmp(format, "%016llx", 7) == 0) {
      snprintf(text, sizeof text, "%016llx", (unsigned long long)*values++);
      format += 7;
    } else if (*format == '%') {
      darwin_unforeseen(format, 0);
    } else {
      format++;
    }
    for (; *add != 0; add++, at++) {
      if (at + 1 < bytes) out[at] = *add;
    }
  }
  if (bytes > 0) out[at < bytes ? at : bytes - 1] = 0;
  return (int)at;
}
#else
DARWIN int mac_snprintf(char *out, size_t bytes, const char *format, ...) {
  va_list values;
  va_start(values, format);
  const int length = vsnprintf(out, bytes, format, values);
  va_end(values);
  return length;
}
#endif

struct mac_dl_info {
  const char *path;
  void *base;
  const char *symbol;
  void *address;
};

DARWIN int mac_dladdr(const void *address, struct mac_dl_info *out) {
  *out = (struct mac_dl_info){0};
  return darwin_image_of(address, &out->path, &out->base);
}
/* RTLD_LAZY, RTLD_NOLOAD and RTLD_NODELETE. No image is ever removed. */
DARWIN void *mac_dlopen(const char *path, int mode) {
  if (mode != (0x1 | 0x10 | 0x80)) darwin_unforeseen("dlopen with mode", mode);
  return darwin_loaded(path);
}
/* All imports are bound when the image is loaded. */
DARWIN void mac_dyld_stub_binder(void) { darwin_unforeseen("binding at the first call", 0); }

/* A field of /proc/PID/stat, counted from 1. */
static unsigned long long stat_field(int process, int field) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", process);
  FILE *const file = fopen(path, "r");
  const size_t got = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
  if (file != NULL) fclose(file);
  text[got] = 0;
  const char *at = strrchr(text, ')');
  for (int now = 2; at != NULL && now < field; now++) at = strchr(at + 1, ' ');
  return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* CTL_KERN, KERN_PROC, KERN_PROC_PID: struct kinfo_proc, which begins with the time of the start. */
DARWIN int mac_sysctl(const int *query, unsigned count, void *out, size_t *bytes, const void *in, size_t in_bytes) {
  if (count != 4 || query[0] != 1 || query[1] != 14 || query[2] != 1 || *bytes != 648 || in != NULL || in_bytes != 0) {
    darwin_unforeseen("sysctl for bytes", (long)*bytes);
  }
  const unsigned long long ticks = stat_field(query[3], 22);
  memset(out, 0xaa, *bytes);
  const int64_t seconds = (int64_t)(ticks / 100);
  const int32_t microseconds = (int32_t)(ticks % 100 * 10000);
  memcpy(out, &seconds, sizeof seconds);
  memcpy((char *)out + 8, &microseconds, sizeof microseconds);
  return 0;
}

static uint64_t memory_of(const char *kind) {
  char line[128], format[64];
  unsigned long long kilobytes = 0;
  snprintf(format, sizeof format, "%s: %%llu", kind);
  FILE *const file = fopen("/proc/meminfo", "r");
  while (file != NULL && kilobytes == 0 && fgets(line, sizeof line, file) != NULL) sscanf(line, format, &kilobytes);
  if (file != NULL) fclose(file);
  return kilobytes * 1024;
}

DARWIN int mac_sysctlbyname(const char *name, void *out, size_t *bytes, const void *in, size_t in_bytes) {
  if (*bytes != 8 || in != NULL || in_bytes != 0) darwin_unforeseen(name, (long)*bytes);
  uint64_t value;
  if (strcmp(name, "hw.memsize") == 0) value = memory_of("MemTotal");
  else if (strcmp(name, "hw.l3cachesize") == 0) value = 32 << 20;
  else return darwin_fail_with(DARWIN_ENOENT), -1;
  memcpy(out, &value, sizeof value);
  return 0;
}

enum { TASK = 0x103, HOST = 0x207 };
DARWIN uint32_t mac_mach_task_self_ = TASK;
DARWIN uint32_t mac_mach_host_self(void) { return HOST; }
DARWIN int mac_mach_port_deallocate(uint32_t task, uint32_t port) {
  if (task != TASK || port != HOST) darwin_unforeseen("mach_port_deallocate of", port);
  return 0;
}
DARWIN int mac_host_page_size(uint32_t host, unsigned long *out) {
  if (host != HOST) darwin_unforeseen("host_page_size of", host);
  *out = darwin_page();
  return 0;
}

/* In words of four bytes: vm_statistics64. */
enum { WIRED = 3, PURGEABLE = 22, COMPRESSOR = 32, INTERNAL = 35, STATISTICS = 38 };
DARWIN int mac_host_statistics64(uint32_t host, int kind, uint32_t *out, uint32_t *count) {
  if (host != HOST || kind != 4 || *count < STATISTICS) darwin_unforeseen("host_statistics64 of", kind);
  memset(out, 0, STATISTICS * sizeof *out);
  out[WIRED] = 1000;
  out[PURGEABLE] = out[COMPRESSOR] = 500;
  out[INTERNAL] = (uint32_t)((memory_of("MemTotal") - memory_of("MemAvailable")) / darwin_page()) - 1000;
  *count = STATISTICS;
  return 0;
}
