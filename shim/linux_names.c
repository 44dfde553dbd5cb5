/* Linux: segments and their names. */
#define _GNU_SOURCE
#include "linux_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif

static int32_t path_of(const char *name, char *out) {
  const int32_t answer = fd_check_name(name);
  if (answer != 0) return answer;
  snprintf(out, FD_PATH_BYTES, FD_DIRECTORY FD_PREFIX "%s", name);
  return 0;
}

static fd_segment *new_handle(const char *name, int32_t *answer) {
  fd_segment *segment = calloc(1, sizeof *segment);
  *answer = segment == NULL ? -ENOMEM : path_of(name, segment->path);
  if (segment != NULL) segment->common.file = -1;
  return segment;
}

int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out) {
  if (fd_check_bytes(bytes) != 0) return -EINVAL;
  int32_t answer;
  fd_segment *segment = new_handle(name, &answer);
  if (segment == NULL) return answer;
  if (answer == 0) {
    /* A file without a name: it appears complete or not at all, and a crash before that leaves nothing. */
    segment->common.file = open(FD_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (segment->common.file < 0) answer = -errno;
  }
  if (answer == 0) answer = fd_allocate(segment->common.file, bytes);
  if (answer == 0 && fchmod(segment->common.file, (mode_t)mode) != 0) answer = -errno; /* whatever the umask is */
  return fd_segment_finish(segment, answer, out);
}

static int32_t link_to(const fd_segment *segment, const char *path) {
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", segment->common.file);
  return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

int32_t fd_segment_name(fd_segment *segment) { return link_to(segment, segment->path); }

/* A rename wants a name to begin with. No other process uses this one: it belongs to whoever has the membership lock of
 * the segment that has the depot's name. What is there was left by one that died. */
static void temporary_of(const char *path, char *out) {
  snprintf(out, FD_PATH_BYTES + 1, FD_DIRECTORY ".%s", path + sizeof FD_DIRECTORY - 1);
}

int32_t fd_segment_replace(fd_segment *segment, fd_segment *old) {
  (void)old;
  char temporary[FD_PATH_BYTES + 1];
  temporary_of(segment->path, temporary);
  if (unlink(temporary) != 0 && errno != ENOENT) return -errno;
  const int32_t answer = link_to(segment, temporary);
  if (answer != 0) return answer;
  FD_STEP(T3a);
  if (rename(temporary, segment->path) == 0) return 0;
  const int code = errno;
  unlink(temporary);
  return -code;
}

int32_t fd_segment_open(const char *name, fd_segment **out) {
  int32_t answer;
  fd_segment *segment = new_handle(name, &answer);
  if (segment == NULL) return answer;
  if (answer == 0) {
    /* O_NONBLOCK: a named pipe put there must not hold us up. */
    segment->common.file = open(segment->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (segment->common.file < 0) answer = -errno;
  }
  struct stat status;
  if (answer == 0 && (fstat(segment->common.file, &status) != 0 || !S_ISREG(status.st_mode))) answer = -ENOTSUP;
  return fd_segment_finish(segment, answer, out);
}

int32_t fd_segment_info(fd_segment *segment, double *out) {
  struct stat status;
  if (fstat(segment->common.file, &status) != 0) return -errno;
  out[FD_INFO_BYTES] = (double)status.st_size;
  out[FD_INFO_MODE] = (double)(status.st_mode & 07777);
  out[FD_INFO_OWNER] = (double)status.st_uid;
  out[FD_INFO_SELF] = (double)geteuid();
  out[FD_INFO_LINKED] = fd_leads_to(segment->path, segment->common.file);
  return 0;
}

int32_t fd_system_unlink(fd_segment *segment) {
  if (!fd_leads_to(segment->path, segment->common.file)) return 0;
  char temporary[FD_PATH_BYTES + 1];
  temporary_of(segment->path, temporary);
  unlink(temporary); /* of a process that died while it replaced this one */
  if (unlink(segment->path) == 0) return 1;
  return errno == ENOENT ? 0 : -errno;
}

void fd_system_unlock_all(fd_segment *segment) { (void)fd_lock_file(segment->common.file, 0, 0, F_UNLCK); }

void fd_system_close(fd_segment *segment) {
  if (segment->common.file >= 0) close(segment->common.file);
  free(segment);
}

int32_t fd_unlink(const char *name) {
  char path[FD_PATH_BYTES];
  const int32_t answer = path_of(name, path);
  if (answer != 0) return answer;
  return unlink(path) == 0 ? 0 : -errno;
}

int32_t fd_list(char *out, int32_t capacity) { return fd_list_directory(FD_DIRECTORY, out, capacity); }
