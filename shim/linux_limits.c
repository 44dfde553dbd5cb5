/* Linux: what can limit a new segment, as far as it can be read. */
#define _GNU_SOURCE
#include "linux_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Since Linux 5.14; the number is the same on every machine. Version 1 writes "no limit" as the most pages there are.
 */
enum { CALL_QUOTACTL_FD = 443, PATH_BYTES = 1024, TEXT_BYTES = 8192 };
#define NO_LIMIT 1152921504606846976.0

ssize_t fd_read_text(const char *path, char *out, size_t capacity) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = 0;
  for (ssize_t more; (size_t)length < capacity - 1; length += more) {
    more = read(file, out + length, capacity - 1 - (size_t)length);
    if (more < 0) length = -1;
    if (more <= 0) break;
  }
  const int code = errno;
  close(file);
  errno = code;
  out[length > 0 ? length : 0] = 0;
  return length;
}

/* The number behind a word at the beginning of a line; -1 without one. */
static double number_after(const char *text, const char *word) {
  const size_t length = strlen(word);
  for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
    if (*at == '\n') at++;
    if (strncmp(at, word, length) == 0) return strtod(at + length, NULL);
  }
  return -1;
}

static double number_in(const char *folder, const char *file) {
  char path[PATH_BYTES + 64], text[64];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  if (fd_read_text(path, text, sizeof text) <= 0 || text[0] < '0' || text[0] > '9') return -1;
  return strtod(text, NULL);
}

/* The names of the files of each version of control groups. */
struct version {
  const char *base, *limit, *used, *inactive, *active;
};
static const struct version FIRST = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                     "total_inactive_file ", "total_active_file "};
static const struct version SECOND = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file ",
                                      "active_file "};

/* One group: pages of files that are on a disk are dropped before anything is refused, so they count as left. */
static void look_at_group(const char *folder, const struct version *version, double *out) {
  const double limit = number_in(folder, version->limit), used = number_in(folder, version->used);
  if (limit < 0 || limit >= NO_LIMIT || used < 0) return;
  char path[PATH_BYTES + 64], text[TEXT_BYTES];
  snprintf(path, sizeof path, "%s/memory.stat", folder);
  double files = 0;
  if (fd_read_text(path, text, sizeof text) > 0) {
    const double inactive = number_after(text, version->inactive), active = number_after(text, version->active);
    files = (inactive > 0 ? inactive : 0) + (active > 0 ? active : 0);
  }
  const double left = limit - used + files;
  if (out[1] >= 0 && out[0] <= left) return;
  out[0] = left > 0 ? left : 0;
  out[1] = limit;
}

/* The group of a line of /proc/self/cgroup, and those above it. Inside a container the path may lead out of what is
 * mounted: then the limits are at the top. */
static void look_upwards(const char *root, const struct version *version, const char *group, double *out) {
  char folder[PATH_BYTES];
  const size_t base = (size_t)snprintf(folder, sizeof folder, "%s%s", root, version->base);
  if (base >= sizeof folder) return;
  if (strstr(group, "/..") == NULL) snprintf(folder + base, sizeof folder - base, "%s", group);
  for (;;) {
    look_at_group(folder, version, out);
    char *last = strlen(folder) > base ? strrchr(folder + base, '/') : NULL;
    if (last == NULL) return;
    *last = 0;
  }
}

static int has_memory(const char *controllers) {
  const char *at = strstr(controllers, "memory");
  return at != NULL && (at == controllers || at[-1] == ',') && (at[6] == 0 || at[6] == ',');
}

void fd_group_limit(const char *root, double *out) {
  char path[PATH_BYTES], text[TEXT_BYTES], *rest = NULL;
  out[0] = out[1] = -1;
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  if (fd_read_text(path, text, sizeof text) <= 0) return;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    char *controllers = strchr(line, ':'), *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL) continue;
    *group++ = 0;
    controllers++;
    if (controllers[0] == 0) look_upwards(root, &SECOND, group, out);
    else if (has_memory(controllers)) look_upwards(root, &FIRST, group, out);
  }
}

static void file_system(double *bytes, double *inodes) {
  struct statvfs space;
  if (statvfs(FD_DIRECTORY, &space) != 0) return;
  if (space.f_blocks > 0) { /* a tmpfs of size 0, and a ramfs, have no limit */
    bytes[0] = (double)space.f_bavail * (double)space.f_frsize;
    bytes[1] = (double)space.f_blocks * (double)space.f_frsize;
  }
  if (space.f_files > 0) {
    inodes[0] = (double)space.f_favail;
    inodes[1] = (double)space.f_files;
  }
}

/* Hard limits of this user; they bind no process that may exceed them. */
static void quota(double *out) {
  if (geteuid() == 0) return;
  const int folder = open(FD_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  struct dqblk block;
  memset(&block, 0, sizeof block);
  const long answer = syscall(CALL_QUOTACTL_FD, folder, QCMD(Q_GETQUOTA, USRQUOTA), geteuid(), &block);
  close(folder);
  if (answer != 0 || block.dqb_bhardlimit == 0) return;
  out[1] = (double)block.dqb_bhardlimit * 1024;
  const double left = out[1] - (double)block.dqb_curspace;
  out[0] = left > 0 ? left : 0;
}

static void resources(double *file, double *addresses) {
  struct rlimit most;
  if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY) file[0] = file[1] = (double)most.rlim_cur;
  char text[128];
  if (getrlimit(RLIMIT_AS, &most) != 0 || most.rlim_cur == RLIM_INFINITY) return;
  addresses[1] = (double)most.rlim_cur;
  const double pages = fd_read_text("/proc/self/statm", text, sizeof text) > 0 ? strtod(text, NULL) : 0;
  const double left = addresses[1] - pages * (double)sysconf(_SC_PAGESIZE);
  addresses[0] = left > 0 ? left : 0;
}

static void memory(double *out) {
  char text[TEXT_BYTES];
  if (fd_read_text("/proc/meminfo", text, sizeof text) <= 0) return;
  const double available = number_after(text, "MemAvailable:"), total = number_after(text, "MemTotal:");
  if (available < 0 || total < 0) return;
  out[0] = available * 1024;
  out[1] = total * 1024;
}

int32_t fd_limits(double *out) {
  for (int at = 0; at < 2 * FD_LIMITS; at++) out[at] = -1;
  file_system(out + 2 * FD_LIMIT_FILE_SYSTEM, out + 2 * FD_LIMIT_INODES);
  quota(out + 2 * FD_LIMIT_QUOTA);
  fd_group_limit("", out + 2 * FD_LIMIT_GROUP);
  resources(out + 2 * FD_LIMIT_FILE, out + 2 * FD_LIMIT_ADDRESSES);
  memory(out + 2 * FD_LIMIT_MEMORY);
  return 0;
}
