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

/* Which of the two is missing, the folder or the name in it. */
static int32_t not_there(int call, int code) {
  const int lacks_folder = (code == ENOENT || code == ENOTDIR) && access(FD_DIRECTORY, F_OK) != 0;
  return lacks_folder ? fd_call_failure(FD_CALL_FOLDER, code) : fd_call_failure(call, code);
}

static fd_segment *new_handle(const char *name, int32_t *answer) {
  fd_segment *segment = calloc(1, sizeof *segment);
  *answer = segment == NULL ? -ENOMEM : path_of(name, segment->path);
  if (segment != NULL) segment->common.file = -1;
  return segment;
}

/* Whether a file without a name can be given one: a link to it goes by the way of /proc. */
static int may_be_linked(int file) {
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", file);
  return access(self, F_OK) == 0;
}

/* For systems where every file has a name. Others do not look for it; what a crash leaves, `frames-depot doctor` finds.
 */
static int32_t make_named_file(fd_segment *segment) {
  static int count;
  for (;;) {
    snprintf(segment->maker, sizeof segment->maker, FD_DIRECTORY ".frames-depot-%d-%d", (int)getpid(),
             __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
    segment->common.file = open(segment->maker, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
    if (segment->common.file >= 0) return 0;
    if (errno == EEXIST) continue; /* of a process with the same id in another namespace, or long ago */
    segment->maker[0] = 0;
    return not_there(FD_CALL_MAKE, errno);
  }
}

/* A file without a name: it appears complete or not at all, and a crash before that leaves nothing. */
static int32_t make_file(fd_segment *segment) {
  segment->common.file = open(FD_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (segment->common.file >= 0) {
    if (may_be_linked(segment->common.file)) return 0;
    close(segment->common.file);
    segment->common.file = -1;
    return make_named_file(segment);
  }
  const int lacks_kind = errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOSYS;
  return lacks_kind ? make_named_file(segment) : not_there(FD_CALL_MAKE, errno);
}

/* Before anything is allocated: without such locks no peer can prove that it lives. */
static int32_t try_lock(fd_segment *segment) {
  const int32_t answer = fd_lock(segment, FD_LOCK_MEMBERS);
  return answer < 0 ? answer : fd_unlock(segment, FD_LOCK_MEMBERS);
}

int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out) {
  if (fd_check_bytes(bytes) != 0) return -EINVAL;
  int32_t answer;
  fd_segment *segment = new_handle(name, &answer);
  if (segment == NULL) return answer;
  if (answer == 0) {
    answer = make_file(segment);
  }
  if (answer == 0) answer = try_lock(segment);
  if (answer == 0) answer = fd_allocate(segment->common.file, bytes);
  if (answer == 0 && fchmod(segment->common.file, (mode_t)mode) != 0) { /* whatever the umask is */
    answer = fd_call_failure(FD_CALL_MODE, errno);
  }
  return fd_segment_finish(segment, answer, out);
}

static int32_t link_to(const fd_segment *segment, const char *path) {
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", segment->common.file);
  const char *from = segment->maker[0] == 0 ? self : segment->maker;
  if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) return 0;
  return errno == EEXIST ? -EEXIST : fd_call_failure(FD_CALL_LINK, errno);
}

static void drop_maker(fd_segment *segment) {
  if (segment->maker[0] != 0) unlink(segment->maker);
  segment->maker[0] = 0;
}

/* A rename wants a name to begin with. No other process uses this one: it belongs to the holder of the membership lock
 * of the segment that has the depot's name. What is there otherwise was left by a process that died, or by one whose
 * segment has lost the name: its rename fails, and it starts again. */
static void temporary_of(const char *path, char *out) {
  snprintf(out, FD_PATH_BYTES + 1, FD_DIRECTORY ".%s", path + sizeof FD_DIRECTORY - 1);
}

static int32_t drop_temporary(const char *path) {
  char temporary[FD_PATH_BYTES + 1];
  temporary_of(path, temporary);
  return unlink(temporary) == 0 || errno == ENOENT ? 0 : fd_call_failure(FD_CALL_LINK, errno);
}

int32_t fd_segment_name(fd_segment *segment) {
  const int32_t answer = link_to(segment, segment->path);
  if (answer != 0) return answer;
  drop_maker(segment);
  (void)drop_temporary(segment->path);
  return 0;
}

int32_t fd_segment_replace(fd_segment *segment, fd_segment *old) {
  (void)old;
  char temporary[FD_PATH_BYTES + 1];
  temporary_of(segment->path, temporary);
  int32_t answer = drop_temporary(segment->path);
  if (answer == 0) answer = link_to(segment, temporary);
  if (answer != 0) return answer;
  FD_STEP(T3a);
  if (rename(temporary, segment->path) == 0) {
    drop_maker(segment);
    return 0;
  }
  const int code = errno;
  unlink(temporary);
  return code == ENOENT ? -ENOENT : fd_call_failure(FD_CALL_LINK, code); /* the temporary name was removed */
}

int32_t fd_segment_open(const char *name, fd_segment **out) {
  int32_t answer;
  fd_segment *segment = new_handle(name, &answer);
  if (segment == NULL) return answer;
  if (answer == 0) {
    /* O_NONBLOCK: a named pipe put there must not hold us up. */
    segment->common.file = open(segment->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (segment->common.file < 0) {
      const int code = errno == ENXIO ? ENOTSUP : errno; /* it is a socket */
      answer = code == ENOENT || code == ENOTDIR ? not_there(0, code) : -code;
    }
  }
  struct stat status;
  if (answer == 0 && (fstat(segment->common.file, &status) != 0 || !S_ISREG(status.st_mode))) answer = -ENOTSUP;
  if (answer == 0) {
    const int32_t held = fd_lock_held(segment, FD_LOCK_MEMBERS);
    if (held < 0) answer = held;
  }
  return fd_segment_finish(segment, answer, out);
}

/* This process's user, or -1 where its id is the one that a user namespace shows in place of all that it does not know:
 * then the owner of a file with this id may be any of them. */
static double self_of(void) {
  char text[256];
  const uid_t self = geteuid();
  if (fd_read_text("/proc/sys/kernel/overflowuid", text, sizeof text) <= 0) return (double)self;
  if (strtod(text, NULL) != (double)self) return (double)self;
  unsigned inside, outside, count;
  if (fd_read_text("/proc/self/uid_map", text, sizeof text) <= 0) return (double)self;
  const int knows_all = sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 && count == UINT32_MAX;
  return knows_all ? (double)self : -1;
}

static void describe(const struct stat *status, double *out) {
  out[FD_INFO_BYTES] = (double)status->st_size;
  out[FD_INFO_MODE] = (double)(status->st_mode & 07777);
  out[FD_INFO_OWNER] = (double)status->st_uid;
  out[FD_INFO_SELF] = self_of();
}

int32_t fd_segment_info(fd_segment *segment, double *out) {
  struct stat status;
  if (fstat(segment->common.file, &status) != 0) return -errno;
  describe(&status, out);
  out[FD_INFO_LINKED] = fd_leads_to(segment->path, segment->common.file);
  return 0;
}

int32_t fd_name_info(const char *name, double *out) {
  char path[FD_PATH_BYTES];
  struct stat status;
  const int32_t answer = name[0] == 0 ? 0 : path_of(name, path);
  if (answer != 0) return answer;
  if (lstat(name[0] == 0 ? FD_DIRECTORY : path, &status) != 0) return -errno;
  describe(&status, out);
  out[FD_INFO_LINKED] = 1;
  return 0;
}

int32_t fd_system_unlink(fd_segment *segment) {
  if (!fd_leads_to(segment->path, segment->common.file)) return 0;
  (void)drop_temporary(segment->path);
  if (unlink(segment->path) == 0) return 1;
  return errno == ENOENT ? 0 : -errno;
}

void fd_system_unlock_all(fd_segment *segment) { (void)fd_lock_file(segment->common.file, 0, 0, F_UNLCK); }

void fd_system_close(fd_segment *segment) {
  drop_maker(segment);
  if (segment->common.file >= 0) close(segment->common.file);
  free(segment);
}

int32_t fd_unlink(const char *name) {
  char path[FD_PATH_BYTES];
  const int32_t answer = path_of(name, path);
  if (answer != 0) return answer;
  (void)drop_temporary(path);
  return unlink(path) == 0 ? 0 : -errno;
}

int32_t fd_list(char *out, int32_t capacity) { return fd_list_directory(FD_DIRECTORY, out, capacity); }
