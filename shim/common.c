/* What is the same on every system: the layout's own account of itself, names, sizes, the clock, giving way. */
#include "internal.h"
#include "layout.h"

#include <string.h>
#include <time.h>
#if defined(_WIN32)
#include <windows.h>
#else
#include <sched.h>
#endif

#define FD_LINE(section, field, at, bytes) #section " " #field " " #at " " #bytes "\n"
#define FD_SIZE_LINE(section, bytes) #section " size 0 " #bytes "\n"
static const char table[] = FD_LAYOUT_FIELDS(FD_LINE) FD_LAYOUT_SECTIONS(FD_SIZE_LINE);

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

#if defined(_WIN32)
void fd_yield(void) { SwitchToThread(); }
#else
void fd_yield(void) { sched_yield(); }
#endif

double fd_now(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}
