/* macOS: segments and their names. */
#include "macos_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int32_t new_handle(const char *name, fd_segment **out) {
  const int32_t answer = fd_check_name(name);
  if (answer != 0) return answer;
  fd_segment *segment = calloc(1, sizeof *segment);
  if (segment == NULL) return -FD_ENOMEM;
  segment->common.file = segment->memory = -1;
  snprintf(segment->path, sizeof segment->path, FD_DIRECTORY FD_PREFIX "%s", name);
  *out = segment;
  return 0;
}

/* Reads the object's name from a file; 0, or -errno. */
static int32_t read_object(int file, char *out) {
  char text[FD_OBJECT_BYTES + 1];
  if (pread(file, text, sizeof text, 0) != FD_OBJECT_BYTES) return -FD_ENOTSUP;
  text[FD_OBJECT_BYTES] = 0;
  const size_t prefix = sizeof FD_OBJECT - 1;
  const int is_ours =
      strncmp(text, FD_OBJECT, prefix) == 0 && strspn(text + prefix, "0123456789abcdef") == FD_HEX_BYTES;
  if (!is_ours) return -FD_ENOTSUP;
  memcpy(out, text, sizeof text);
  return 0;
}

static void sweep_one(const char *path) {
  const int file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return;
  char object[FD_OBJECT_BYTES + 1];
  struct stat status;
  /* Files of other users are left to them. The lock is taken, not only queried: then a creator that is about to lock
   * its new file finds it taken. */
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
      fd_lock_file(file, FD_LOCK_ALIVE, 1, F_WRLCK) == 1 && fd_leads_to(path, file)) {
    if (read_object(file, object) == 0) shm_unlink(object);
    unlink(path);
  }
  close(file);
}

/* Removes what was left by processes that died between fd_segment_create and fd_segment_name. */
static void sweep(void) {
  DIR *directory = opendir(FD_DIRECTORY);
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strncmp(entry->d_name, FD_TEMPORARY, sizeof FD_TEMPORARY - 1) != 0) continue;
    char path[sizeof FD_DIRECTORY + sizeof entry->d_name];
    snprintf(path, sizeof path, FD_DIRECTORY "%s", entry->d_name);
    sweep_one(path);
  }
  closedir(directory);
}

/* Takes a file and an object of the same new name. The file comes first and is locked before the object exists: a
 * process that dies at any moment leaves no object that cannot be found. */
static int32_t take_names(fd_segment *segment, uint32_t mode) {
  for (;;) {
    uint64_t hex;
    arc4random_buf(&hex, sizeof hex);
    snprintf(segment->temporary, sizeof segment->temporary, FD_DIRECTORY FD_TEMPORARY "%016llx",
             (unsigned long long)hex);
    snprintf(segment->object, sizeof segment->object, FD_OBJECT "%016llx", (unsigned long long)hex);
    segment->common.file = open(segment->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (segment->common.file < 0 && errno == EEXIST) continue;
    if (segment->common.file < 0) return fd_failure(errno);
    /* Between open and lock another process may have removed it. */
    const int32_t locked = fd_lock_file(segment->common.file, FD_LOCK_ALIVE, 1, F_WRLCK);
    if (locked < 0) return locked;
    if (locked == 1 && fd_leads_to(segment->temporary, segment->common.file)) break;
    close(segment->common.file);
  }
  if (pwrite(segment->common.file, segment->object, FD_OBJECT_BYTES, 0) != FD_OBJECT_BYTES) return -FD_EIO;
  /* The umask applies, and fchmod does not work on these: fd_segment_info tells the mode that results. */
  segment->memory = shm_open(segment->object, O_RDWR | O_CREAT | O_EXCL, (int)mode);
  return segment->memory < 0 ? fd_failure(errno) : 0;
}

int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out) {
  if (fd_check_bytes(bytes) != 0) return -FD_EINVAL;
  double limits[2 * FD_LIMITS];
  (void)fd_limits(limits);
  const double memory = limits[2 * FD_LIMIT_MEMORY];
  if (memory >= 0 && bytes > memory) return -FD_ENOSPC;
  fd_segment *segment;
  int32_t answer = new_handle(name, &segment);
  if (answer != 0) return answer;
  sweep();
  answer = take_names(segment, mode);
  if (answer == 0) answer = fd_allocate(segment->memory, bytes);
  /* Other users lock through the file, and are told its mode: it has that of the object. */
  struct stat made;
  const int failed = answer == 0 && (fstat(segment->memory, &made) != 0 ||
                                     fchmod(segment->common.file, made.st_mode & 0777) != 0);
  if (failed) answer = fd_failure(errno);
  return fd_segment_finish(segment, answer, out);
}

int32_t fd_segment_name(fd_segment *segment) {
  if (segment->is_named) return -FD_EEXIST;
  if (renamex_np(segment->temporary, segment->path, RENAME_EXCL) != 0) return fd_failure(errno);
  segment->is_named = 1;
  return 0;
}

int32_t fd_segment_replace(fd_segment *segment, fd_segment *old) {
  if (segment->is_named) return -FD_EEXIST;
  if (rename(segment->temporary, segment->path) != 0) return fd_failure(errno);
  segment->is_named = 1;
  shm_unlink(old->object);
  return 0;
}

/* The name of a segment whose object is gone is free; under the membership lock, as every removal of a name. */
static int32_t remove_leftover(const fd_segment *segment) {
  if (fd_lock_file(segment->common.file, FD_LOCK_MEMBERS, 1, F_WRLCK) != 1) return -FD_ENOENT;
  if (fd_leads_to(segment->path, segment->common.file) && unlink(segment->path) != 0 && errno != ENOENT) {
    return fd_failure(errno);
  }
  return -FD_ENOENT;
}

/* Between a file and its object the name was taken for another segment: it leads there. */
enum { MOVED = 1 };

static int32_t open_both(fd_segment *segment) {
  /* O_NONBLOCK: a named pipe put there must not hold us up. */
  segment->common.file = open(segment->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (segment->common.file < 0) return fd_failure(errno);
  struct stat file, memory;
  if (fstat(segment->common.file, &file) != 0 || !S_ISREG(file.st_mode)) return -FD_ENOTSUP;
  const int32_t answer = read_object(segment->common.file, segment->object);
  if (answer != 0) return answer;
  segment->memory = shm_open(segment->object, O_RDWR, 0);
  if (segment->memory < 0 && errno != ENOENT) return fd_failure(errno);
  if (segment->memory < 0) return fd_leads_to(segment->path, segment->common.file) ? remove_leftover(segment) : MOVED;
  if (fstat(segment->memory, &memory) != 0) return fd_failure(errno);
  /* A file may name any object; only its own owner's is believed. */
  return memory.st_uid == file.st_uid ? 0 : -FD_EACCES;
}

int32_t fd_segment_open(const char *name, fd_segment **out) {
  fd_segment *segment;
  int32_t answer = new_handle(name, &segment);
  if (answer != 0) return answer;
  segment->is_named = 1;
  while ((answer = open_both(segment)) == MOVED) {
    close(segment->common.file);
    segment->common.file = -1;
  }
  return fd_segment_finish(segment, answer, out);
}

int32_t fd_segment_info(fd_segment *segment, double *out) {
  struct stat memory;
  if (fstat(segment->memory, &memory) != 0) return fd_failure(errno);
  out[FD_INFO_BYTES] = (double)memory.st_size;
  out[FD_INFO_MODE] = (double)(memory.st_mode & 07777);
  out[FD_INFO_OWNER] = (double)memory.st_uid;
  out[FD_INFO_SELF] = (double)geteuid();
  out[FD_INFO_LINKED] = segment->is_named && fd_leads_to(segment->path, segment->common.file);
  return 0;
}

int32_t fd_name_info(const char *name, double *out) {
  const int32_t answer = name[0] == 0 ? 0 : fd_check_name(name);
  if (answer != 0) return answer;
  char path[FD_PATH_BYTES];
  struct stat file;
  snprintf(path, sizeof path, FD_DIRECTORY FD_PREFIX "%s", name);
  if (lstat(name[0] == 0 ? FD_DIRECTORY : path, &file) != 0) return fd_failure(errno);
  out[FD_INFO_BYTES] = 0; /* the object's, which cannot be seen from here */
  out[FD_INFO_MODE] = (double)(file.st_mode & 07777);
  out[FD_INFO_OWNER] = (double)file.st_uid;
  out[FD_INFO_SELF] = (double)geteuid();
  out[FD_INFO_LINKED] = 1;
  return 0;
}

int32_t fd_system_unlink(fd_segment *segment) {
  if (!segment->is_named) return 0;
  if (!fd_leads_to(segment->path, segment->common.file)) {
    struct stat file;
    /* Its name was taken, perhaps by a process that died before it removed the object. */
    if (fstat(segment->common.file, &file) == 0 && file.st_nlink == 0) shm_unlink(segment->object);
    return 0;
  }
  /* The name first: as long as it is there, the object is. */
  if (unlink(segment->path) != 0) return errno == ENOENT ? 0 : fd_failure(errno);
  shm_unlink(segment->object);
  return 1;
}

/* A segment that never got its name goes with its only handle. */
static void remove_unnamed(const fd_segment *segment) {
  if (segment->is_named || segment->common.file < 0) return;
  if (segment->memory >= 0) shm_unlink(segment->object);
  unlink(segment->temporary);
}

void fd_system_unlock_all(fd_segment *segment) {
  remove_unnamed(segment);
  (void)fd_lock_file(segment->common.file, 0, 0, F_UNLCK);
}

void fd_system_close(fd_segment *segment) {
  remove_unnamed(segment);
  if (segment->memory >= 0) close(segment->memory);
  if (segment->common.file >= 0) close(segment->common.file);
  free(segment);
}

int32_t fd_unlink(const char *name) {
  fd_segment *segment;
  int32_t answer = fd_segment_open(name, &segment);
  if (answer == 0) {
    answer = fd_segment_unlink(segment);
    fd_segment_close(segment);
    return answer < 0 ? answer : 0;
  }
  if (answer == -FD_ENOENT || answer == -FD_EINVAL || answer == -FD_ENAMETOOLONG || answer == -FD_EISDIR) return answer;
  /* Something else has the name: it goes, and nothing that it leads to is touched. */
  char path[FD_PATH_BYTES];
  snprintf(path, sizeof path, FD_DIRECTORY FD_PREFIX "%s", name);
  return unlink(path) == 0 ? 0 : fd_failure(errno);
}

int32_t fd_list(char *out, int32_t capacity) { return fd_list_directory(FD_DIRECTORY, out, capacity); }
