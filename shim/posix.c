/* Linux and macOS: locks on the segment's file, the names in a directory, and a byte that wakes an event loop. */
#define _GNU_SOURCE
#include "posix.h"
#include "sleep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__) && !defined(F_OFD_GETLK)
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE */
#endif

int fd_leads_to(const char *path, int file) {
  struct stat mine, named;
  return fstat(file, &mine) == 0 && lstat(path, &named) == 0 && named.st_ino == mine.st_ino &&
         named.st_dev == mine.st_dev;
}

/* Open-file-description locks: they belong to the description, not to the process, so two depots in one process
 * do not share them, they survive pid namespaces, and the kernel drops them when the last reference is gone. */
int32_t fd_lock_file(int file, int32_t index, int32_t count, short type) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = index, .l_len = count};
  for (;;) {
    if (fcntl(file, F_OFD_SETLK, &range) == 0) return 1;
    if (errno == EAGAIN || errno == EACCES) return 0;
    if (errno != EINTR) return fd_call_failure(FD_CALL_LOCK, errno);
  }
}

static int file_of(fd_segment *segment) { return fd_common_of(segment)->file; }

int32_t fd_lock(fd_segment *segment, int32_t index) {
  const int32_t answer = fd_lock_file(file_of(segment), index, 1, F_WRLCK);
  if (answer == 1) fd_segment_locked(segment, index);
  return answer;
}

int32_t fd_unlock(fd_segment *segment, int32_t index) {
  const int32_t answer = fd_lock_file(file_of(segment), index, 1, F_UNLCK);
  return answer < 0 ? answer : 0;
}

void fd_system_unlock_peers(fd_segment *segment) {
  (void)fd_lock_file(file_of(segment), FD_LOCK_PEER, FD_MOST_PEERS, F_UNLCK);
}

static int32_t held(fd_segment *segment, int32_t index, int32_t count) {
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = index, .l_len = count};
  if (fcntl(file_of(segment), F_OFD_GETLK, &range) != 0) return fd_call_failure(FD_CALL_LOCK, errno);
  return range.l_type != F_UNLCK;
}

int32_t fd_lock_held(fd_segment *segment, int32_t index) { return held(segment, index, 1); }

int32_t fd_system_peer_lives(fd_segment *segment) { return held(segment, FD_LOCK_PEER, FD_MOST_PEERS); }

int32_t fd_list_directory(const char *path, char *out, int32_t capacity) {
  DIR *directory = opendir(path);
  if (directory == NULL) return fd_failure(errno);
  struct fd_names names = {.out = out, .capacity = capacity};
  const size_t prefix = sizeof FD_PREFIX - 1;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strncmp(entry->d_name, FD_PREFIX, prefix) == 0) fd_add_name(&names, entry->d_name + prefix);
  }
  closedir(directory);
  return names.needed;
}

int64_t fd_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Not through a pipe: runtimes can be told not to wait for a socket (unref), and hear of its bytes sooner. The first
 * end is the caller's: a runtime closes a socket that it is given. */
int32_t fd_pipe_open(struct fd_pipe *ends) {
  int files[2];
#if defined(__linux__)
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, files) != 0) return fd_failure(errno);
#else
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, files) != 0) return fd_failure(errno);
  const int on = 1;
  for (int at = 0; at < 2; at++) fcntl(files[at], F_SETFD, FD_CLOEXEC);
  setsockopt(files[1], SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  fcntl(files[1], F_SETFL, O_NONBLOCK);
  *ends = (struct fd_pipe){files[0], files[1]};
  return files[0];
}

/* A full socket has something to read, which is all that a byte says; one whose other end is gone has no reader. */
int fd_pipe_write(struct fd_pipe *ends) {
  while (send(ends->write_end, "", 1, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
  return 1;
}

/* The reader hears of it, and closes its own end. */
void fd_pipe_close(struct fd_pipe *ends) { close(ends->write_end); }

void fd_pipe_drop(struct fd_pipe *ends) {
  close(ends->read_end);
  close(ends->write_end);
}
