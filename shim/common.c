/* What is the same on every system: the layout's own account of itself and the 64-bit words. */
#include "internal.h"
#include "layout.h"

#include <string.h>
#include <time.h>

#define FD_LINE(section, field, at, bytes) #section " " #field " " #at " " #bytes "\n"
static const char table[] = FD_LAYOUT_FIELDS(FD_LINE)
    "header size 0 4096\npeer size 0 128\nreader size 0 128\nslot size 0 64\n";

/* Every loader asks this first, and that is the moment to make sure that the library stays. */
int32_t fd_abi(void) {
  fd_stay_loaded();
  return FD_ABI;
}

int32_t fd_layout(char *out, int32_t capacity) {
  const int32_t needed = (int32_t)sizeof table - 1;
  if (out != NULL && capacity >= needed) memcpy(out, table, (size_t)needed);
  return needed;
}

static uint64_t *word(const void *base, int32_t offset) { return (uint64_t *)((uintptr_t)base + (uintptr_t)offset); }

double fd_load(const void *base, int32_t offset) {
  return (double)__atomic_load_n(word(base, offset), __ATOMIC_SEQ_CST);
}

void fd_store(void *base, int32_t offset, double value) {
  __atomic_store_n(word(base, offset), (uint64_t)value, __ATOMIC_SEQ_CST);
}

int32_t fd_cas(void *base, int32_t offset, double expected, double desired) {
  uint64_t seen = (uint64_t)expected;
  return __atomic_compare_exchange_n(word(base, offset), &seen, (uint64_t)desired, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

int32_t fd_raise(void *base, int32_t offset, double value) {
  uint64_t seen = __atomic_load_n(word(base, offset), __ATOMIC_SEQ_CST);
  while (seen < (uint64_t)value) {
    if (__atomic_compare_exchange_n(word(base, offset), &seen, (uint64_t)value, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
      return 1;
    }
  }
  return 0;
}

int32_t fd_check_name(const char *name) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  const size_t length = strlen(name);
  if (length > FD_NAME_BYTES) return -FD_ENAMETOOLONG;
  return length > 0 && name[0] != '.' && strspn(name, allowed) == length ? 0 : -FD_EINVAL;
}

int32_t fd_check_bytes(double bytes) { return bytes >= 1 && bytes <= 9007199254740991.0 ? 0 : -FD_EINVAL; }

void fd_add_name(struct fd_names *names, const char *name) {
  if (fd_check_name(name) != 0) return;
  const int32_t length = (int32_t)strlen(name);
  if (names->out != NULL && names->capacity - names->needed > length) {
    memcpy(names->out + names->needed, name, (size_t)length);
    names->out[names->needed + length] = '\n';
  }
  names->needed += length + 1;
}

double fd_now(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}
