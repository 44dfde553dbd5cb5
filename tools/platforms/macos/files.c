/* Files, objects of shared memory, directories, locks and sockets. What is in /private/var/tmp of macOS is in a folder
 * that DARWIN_ROOT names; objects have names of their own in Linux's /dev/shm. */
#include "darwin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OBJECTS "/darwin."
enum { NAME_BYTES = 31 }; /* PSHMNAMLEN, with the slash */

/* Where a path of macOS is. */
static const char *placed(const char *path, char *out, size_t bytes) {
  static const char place[] = "/private/var/tmp";
  const char *const root = getenv("DARWIN_ROOT");
  if (strncmp(path, place, sizeof place - 1) != 0) return path;
  if (root == NULL) darwin_unforeseen("DARWIN_ROOT is not set", 0);
  snprintf(out, bytes, "%s%s", root, path + sizeof place - 1);
  return out;
}
#define PLACED(path) placed(path, (char[4096]){0}, 4096)

static int open_flags(int mac) {
  static const struct { int mac, linux; } bits[] = {
      {0x4, O_NONBLOCK}, {0x100, O_NOFOLLOW}, {0x200, O_CREAT}, {0x800, O_EXCL}, {0x1000000, O_CLOEXEC}};
  int out = mac & 3, known = 3;
  for (size_t at = 0; at < sizeof bits / sizeof *bits; at++) {
    if (mac & bits[at].mac) out |= bits[at].linux;
    known |= bits[at].mac;
  }
  if (mac & ~known) darwin_unforeseen("open with flags", mac);
  return out;
}

static int is_object(int file) {
  char link[64], path[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  static const char prefix[] = "/dev/shm" OBJECTS;
  return readlink(link, path, sizeof path) >= (ssize_t)sizeof prefix - 1 && memcmp(path, prefix, sizeof prefix - 1) == 0;
}

/* On aarch64 the last parameter of these is on the stack: variadic.S calls them. */
DARWIN int mac_open_(const char *path, int flags, int mode) { RETURN(int, open(PLACED(path), open_flags(flags), mode)); }

DARWIN int mac_shm_open_(const char *name, int flags, int mode) {
  char own[NAME_BYTES + sizeof OBJECTS];
  if (strlen(name) > NAME_BYTES) return darwin_fail_with(DARWIN_ENAMETOOLONG), -1;
  snprintf(own, sizeof own, OBJECTS "%s", name + 1);
  RETURN(int, shm_open(own, open_flags(flags), (mode_t)mode));
}

DARWIN int mac_shm_unlink(const char *name) {
  char own[NAME_BYTES + sizeof OBJECTS];
  snprintf(own, sizeof own, OBJECTS "%s", name + 1);
  RETURN(int, shm_unlink(own));
}

/* An object gets its size once, in whole pages. */
DARWIN int mac_ftruncate(int file, int64_t bytes) {
  struct stat status;
  if (!is_object(file)) RETURN(int, ftruncate(file, bytes));
  if (fstat(file, &status) != 0 || status.st_size != 0) return darwin_fail_with(DARWIN_EINVAL), -1;
  RETURN(int, ftruncate(file, (off_t)darwin_whole_pages((size_t)bytes)));
}

/* Objects are neither read nor written as files, and keep their mode. */
DARWIN ssize_t mac_pread(int file, void *out, size_t bytes, int64_t at) {
  if (is_object(file)) return darwin_fail_with(DARWIN_ENXIO), -1;
  RETURN(ssize_t, pread(file, out, bytes, at));
}
DARWIN ssize_t mac_pwrite(int file, const void *from, size_t bytes, int64_t at) {
  if (is_object(file)) return darwin_fail_with(DARWIN_ENXIO), -1;
  RETURN(ssize_t, pwrite(file, from, bytes, at));
}
DARWIN int mac_fchmod(int file, int mode) {
  if (is_object(file)) return darwin_fail_with(DARWIN_EINVAL), -1;
  RETURN(int, fchmod(file, (mode_t)mode & 07777));
}

DARWIN int mac_close(int file) { RETURN(int, close(file)); }
DARWIN int mac_unlink(const char *path) { RETURN(int, unlink(PLACED(path))); }
DARWIN int mac_rename(const char *from, const char *to) { RETURN(int, rename(PLACED(from), PLACED(to))); }
DARWIN int mac_renamex_np(const char *from, const char *to, unsigned flags) {
  if (flags != 4) darwin_unforeseen("renamex_np with flags", flags); /* RENAME_EXCL */
  RETURN(int, renameat2(AT_FDCWD, PLACED(from), AT_FDCWD, PLACED(to), RENAME_NOREPLACE));
}

struct mac_stat {
  int32_t device;
  uint16_t mode, links;
  uint64_t file;
  uint32_t user, group;
  int32_t special, gap;
  int64_t times[8];
  int64_t bytes, blocks;
  int32_t block_bytes;
  uint32_t flags, generation, spare[5];
};
_Static_assert(sizeof(struct mac_stat) == 144 && offsetof(struct mac_stat, bytes) == 96, "struct stat of Darwin");

/* What the library does not look at has bytes that would show. */
static int told(int answer, const struct stat *status, struct mac_stat *out) {
  if (answer != 0) return darwin_fail(), -1;
  memset(out, 0xaa, sizeof *out);
  out->device = (int32_t)status->st_dev;
  out->mode = (uint16_t)status->st_mode;
  out->links = (uint16_t)status->st_nlink;
  out->file = status->st_ino;
  out->user = status->st_uid;
  out->group = status->st_gid;
  out->bytes = status->st_size;
  return 0;
}

/* An object is no file: it has its mode's bits alone, and no number. */
DARWIN int mac_fstat(int file, struct mac_stat *out) {
  struct stat status;
  const int answer = told(fstat(file, &status), &status, out);
  if (answer != 0 || !is_object(file)) return answer;
  out->mode &= 07777;
  out->device = 0;
  out->file = 0;
  return 0;
}
DARWIN int mac_lstat(const char *path, struct mac_stat *out) {
  struct stat status;
  const int answer = lstat(PLACED(path), &status);
  return told(answer, &status, out);
}

struct mac_dirent {
  uint64_t file, offset;
  uint16_t record_bytes, name_bytes;
  uint8_t kind;
  char name[1024];
};
_Static_assert(offsetof(struct mac_dirent, name) == 21, "struct dirent of Darwin");

DARWIN DIR *mac_opendir(const char *path) {
  DIR *const directory = opendir(PLACED(path));
  if (directory == NULL) darwin_fail();
  return directory;
}
DARWIN int mac_closedir(DIR *directory) { RETURN(int, closedir(directory)); }
DARWIN struct mac_dirent *mac_readdir(DIR *directory) {
  static _Thread_local struct mac_dirent out;
  const struct dirent *const entry = readdir(directory);
  if (entry == NULL) return NULL;
  memset(&out, 0xaa, sizeof out);
  out.name_bytes = (uint16_t)strlen(entry->d_name);
  strcpy(out.name, entry->d_name);
  return &out;
}

struct mac_flock {
  int64_t start, bytes;
  int32_t process;
  int16_t type, from;
};
_Static_assert(sizeof(struct mac_flock) == 24, "struct flock of Darwin");
enum { MAC_SETFD = 2, MAC_SETFL = 4, MAC_OFD_SETLK = 90, MAC_OFD_GETLK = 92 };
enum { MAC_RDLCK = 1, MAC_UNLCK = 2, MAC_WRLCK = 3 };

static int lock(int file, int command, struct mac_flock *mac) {
  static const short types[] = {[MAC_RDLCK] = F_RDLCK, [MAC_UNLCK] = F_UNLCK, [MAC_WRLCK] = F_WRLCK};
  if (mac->type < MAC_RDLCK || mac->type > MAC_WRLCK || mac->from != 0) darwin_unforeseen("a lock of type", mac->type);
  struct flock own = {.l_type = types[mac->type], .l_start = mac->start, .l_len = mac->bytes};
  const int is_question = command == MAC_OFD_GETLK;
  if (fcntl(file, is_question ? F_OFD_GETLK : F_OFD_SETLK, &own) != 0) return darwin_fail(), -1;
  if (is_question) mac->type = own.l_type == F_UNLCK ? MAC_UNLCK : own.l_type == F_WRLCK ? MAC_WRLCK : MAC_RDLCK;
  return 0;
}

DARWIN int mac_fcntl_(int file, int command, long value) {
  switch (command) {
    case MAC_OFD_SETLK: case MAC_OFD_GETLK: return lock(file, command, (struct mac_flock *)value);
    case MAC_SETFD: RETURN(int, fcntl(file, F_SETFD, value & 1));
    case MAC_SETFL: RETURN(int, fcntl(file, F_SETFL, open_flags((int)value)));
    default: darwin_unforeseen("fcntl with command", command);
  }
}

enum { MAC_NOSIGNAL = 0x80000 };

/* Those to which a write must not raise a signal. */
static uint8_t is_quiet[1 << 16];

DARWIN int mac_socketpair(int family, int kind, int protocol, int *out) {
  if (family != 1 || kind != 1 || protocol != 0) darwin_unforeseen("socketpair of family", family);
  const int answer = socketpair(AF_UNIX, SOCK_STREAM, 0, out);
  if (answer != 0) return darwin_fail(), -1;
  is_quiet[out[0] & 0xffff] = is_quiet[out[1] & 0xffff] = 0;
  return 0;
}
DARWIN int mac_setsockopt(int file, int level, int option, const void *value, uint32_t bytes) {
  if (level != 0xffff || option != 0x1022 || bytes != 4) darwin_unforeseen("setsockopt", option); /* SO_NOSIGPIPE */
  is_quiet[file & 0xffff] = *(const int *)value != 0;
  return 0;
}
DARWIN ssize_t mac_send(int file, const void *from, size_t bytes, int flags) {
  if ((flags & ~MAC_NOSIGNAL) != 0) darwin_unforeseen("send with flags", flags);
  const int is_loud = flags == 0 && !is_quiet[file & 0xffff];
  RETURN(ssize_t, send(file, from, bytes, is_loud ? 0 : MSG_NOSIGNAL));
}
