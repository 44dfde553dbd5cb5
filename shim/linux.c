/* Linux: segments are files of the tmpfs at /dev/shm, proof of life is an open-file-description lock. The calls are
 * plain open, link and mmap rather than shm_open, which is the same and lives in another library on older systems. */
#define _GNU_SOURCE
#include "segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14; an older one refuses it */
#endif
#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif

#define DIRECTORY "/dev/shm/"

/* In many kernels a signal undoes the fallocate call that it interrupts. So allocation goes in parts, which
 * get smaller until one fits between two signals: profilers send one every millisecond. */
enum { ALLOCATE_BYTES = 256 * 1024 * 1024, ALLOCATE_LEAST_BYTES = 64 * 1024 };
enum { PATH_BYTES = sizeof DIRECTORY + sizeof FD_PREFIX + FD_NAME_BYTES };

struct fd_segment {
  struct fd_common common;
  int file;
  char path[PATH_BYTES];
};

static int32_t path_of(const char *name, char *out) {
  const int32_t answer = fd_check_name(name);
  if (answer != 0) return answer;
  snprintf(out, PATH_BYTES, DIRECTORY FD_PREFIX "%s", name);
  return 0;
}

int32_t fd_identity(double *out) {
  out[0] = (double)getpid();
  out[1] = 0;
  /* The 22nd field of /proc/self/stat; the second is in parentheses and may hold anything, so count from the last. */
  char text[1024];
  const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return 0;
  text[length] = 0;
  const char *at = strrchr(text, ')');
  for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  if (at != NULL) out[1] = strtod(at, NULL);
  return 0;
}

/* The linker's -z nodelete has seen to it. */
void fd_stay_loaded(void) {}

static int32_t allocate(int file, double bytes) {
  /* What the tmpfs can never give is refused before the first part is taken. Its limit may be above the memory there
   * is: to ask fd_space first is the caller's part. */
  struct statvfs space;
  if (fstatvfs(file, &space) == 0 && space.f_blocks > 0 &&
      bytes > (double)space.f_bavail * (double)space.f_frsize) {
    return -ENOSPC;
  }
  const off_t end = (off_t)bytes;
  if (ftruncate(file, end) != 0) return -errno;
  off_t at = 0, most = ALLOCATE_BYTES;
  while (at < end) {
    const off_t part = end - at < most ? end - at : most;
    if (fallocate(file, 0, at, part) == 0) {
      at += part;
    } else if (errno != EINTR) {
      return -errno;
    } else if (most > ALLOCATE_LEAST_BYTES) {
      most /= 2;
    }
  }
  return 0;
}

static fd_segment *new_handle(const char *name, int32_t *answer) {
  fd_segment *segment = calloc(1, sizeof *segment);
  *answer = segment == NULL ? -ENOMEM : path_of(name, segment->path);
  if (segment != NULL) segment->file = -1;
  return segment;
}

int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out) {
  if (fd_check_bytes(bytes) != 0) return -EINVAL;
  int32_t answer;
  fd_segment *segment = new_handle(name, &answer);
  if (segment == NULL) return answer;
  if (answer == 0) {
    /* A file without a name: it appears complete or not at all, and a crash before that leaves nothing. */
    segment->file = open(DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (segment->file < 0) answer = -errno;
  }
  if (answer == 0) answer = allocate(segment->file, bytes);
  if (answer == 0 && fchmod(segment->file, (mode_t)mode) != 0) answer = -errno; /* whatever the umask is */
  return fd_segment_finish(segment, answer, out);
}

int32_t fd_segment_publish(fd_segment *segment) {
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", segment->file);
  return linkat(AT_FDCWD, self, AT_FDCWD, segment->path, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

int32_t fd_segment_open(const char *name, fd_segment **out) {
  int32_t answer;
  fd_segment *segment = new_handle(name, &answer);
  if (segment == NULL) return answer;
  if (answer == 0) {
    /* O_NONBLOCK: a named pipe put there must not hold us up. */
    segment->file = open(segment->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (segment->file < 0) answer = -errno;
  }
  struct stat status;
  if (answer == 0 && (fstat(segment->file, &status) != 0 || !S_ISREG(status.st_mode))) answer = -ENOTSUP;
  return fd_segment_finish(segment, answer, out);
}

static int is_linked(const fd_segment *segment, const struct stat *mine) {
  struct stat named;
  return lstat(segment->path, &named) == 0 && named.st_ino == mine->st_ino && named.st_dev == mine->st_dev;
}

int32_t fd_segment_info(fd_segment *segment, double *out) {
  struct stat status;
  if (fstat(segment->file, &status) != 0) return -errno;
  out[FD_INFO_BYTES] = (double)status.st_size;
  out[FD_INFO_MODE] = (double)(status.st_mode & 07777);
  out[FD_INFO_OWNER] = (double)status.st_uid;
  out[FD_INFO_SELF] = (double)geteuid();
  out[FD_INFO_LINKED] = is_linked(segment, &status);
  return 0;
}

int32_t fd_system_map(fd_segment *segment, size_t bytes, char **out) {
  void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment->file, 0);
  if (address == MAP_FAILED) return -errno;
  *out = address;
  return 0;
}

int32_t fd_system_unmap(fd_segment *segment, char *base, size_t bytes) {
  (void)segment;
  return munmap(base, bytes) == 0 ? 0 : -errno;
}

/* One call, so that there is no moment without a page. Where memory is never promised beyond what there is, pages that
 * may be written are refused, and the old ones may be gone by then: read-only ones are not counted. */
int32_t fd_system_retire(fd_segment *segment, char *base, size_t from, size_t bytes) {
  (void)segment;
  const int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (mmap(base + from, bytes - from, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED) return 0;
  return mmap(base + from, bytes - from, PROT_READ, flags, -1, 0) != MAP_FAILED ? 0 : -errno;
}

void fd_populate(void *base, double offset, double bytes) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)base + (uintptr_t)offset;
  const uintptr_t from = start & ~(page - 1);
  (void)madvise((void *)from, start + (uintptr_t)bytes - from, MADV_POPULATE_WRITE);
}

int32_t fd_system_unlink(fd_segment *segment) {
  struct stat status;
  if (fstat(segment->file, &status) != 0) return -errno;
  if (!is_linked(segment, &status)) return 0;
  if (unlink(segment->path) == 0) return 1;
  return errno == ENOENT ? 0 : -errno;
}

void fd_system_close(fd_segment *segment) {
  if (segment->file >= 0) close(segment->file);
  free(segment);
}

int32_t fd_unlink(const char *name) {
  char path[PATH_BYTES];
  const int32_t answer = path_of(name, path);
  if (answer != 0) return answer;
  return unlink(path) == 0 ? 0 : -errno;
}

int32_t fd_list(char *out, int32_t capacity) {
  DIR *directory = opendir(DIRECTORY);
  if (directory == NULL) return -errno;
  struct fd_names names = {.out = out, .capacity = capacity};
  const size_t prefix = sizeof FD_PREFIX - 1;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strncmp(entry->d_name, FD_PREFIX, prefix) == 0) fd_add_name(&names, entry->d_name + prefix);
  }
  closedir(directory);
  return names.needed;
}

static double available_memory(void) {
  char text[1024];
  const int file = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return -1;
  text[length] = 0;
  const char *at = strstr(text, "MemAvailable:");
  return at == NULL ? -1 : strtod(at + sizeof "MemAvailable:" - 1, NULL) * 1024;
}

int32_t fd_space(double *out) {
  struct statvfs space;
  if (statvfs(DIRECTORY, &space) != 0) return -errno;
  out[FD_SPACE_FREE] = (double)space.f_bavail * (double)space.f_frsize;
  out[FD_SPACE_TOTAL] = (double)space.f_blocks * (double)space.f_frsize;
  out[FD_SPACE_MEMORY] = available_memory();
  return 0;
}

/* Open-file-description locks: they belong to the description, not to the process, so two depots in one process
 * do not share them, they survive pid namespaces, and the kernel drops them when the last reference is gone. */
static int32_t lock(fd_segment *segment, int32_t index, int32_t count, short type) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = index, .l_len = count};
  for (;;) {
    if (fcntl(segment->file, F_OFD_SETLK, &range) == 0) return 1;
    if (errno == EAGAIN || errno == EACCES) return 0;
    if (errno != EINTR) return -errno;
  }
}

int32_t fd_lock(fd_segment *segment, int32_t index) {
  const int32_t answer = lock(segment, index, 1, F_WRLCK);
  if (answer == 1) fd_segment_locked(segment, index);
  return answer;
}

int32_t fd_unlock(fd_segment *segment, int32_t index) {
  const int32_t answer = lock(segment, index, 1, F_UNLCK);
  return answer < 0 ? answer : 0;
}

void fd_system_unlock_peers(fd_segment *segment) { (void)lock(segment, FD_LOCK_PEER, FD_MOST_PEERS, F_UNLCK); }

void fd_system_unlock_all(fd_segment *segment) { (void)lock(segment, 0, 0, F_UNLCK); }

static int32_t held(fd_segment *segment, int32_t index, int32_t count) {
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = index, .l_len = count};
  if (fcntl(segment->file, F_OFD_GETLK, &range) != 0) return -errno;
  return range.l_type != F_UNLCK;
}

int32_t fd_lock_held(fd_segment *segment, int32_t index) { return held(segment, index, 1); }

int32_t fd_system_peer_lives(fd_segment *segment) { return held(segment, FD_LOCK_PEER, FD_MOST_PEERS); }
