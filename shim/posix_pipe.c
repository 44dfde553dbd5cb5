/* Linux and macOS: a byte through a pipe wakes an event loop. */
#define _GNU_SOURCE
#include "sleep.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int32_t fd_pipe_open(struct fd_pipe *ends) {
  int files[2];
#if defined(__linux__)
  if (pipe2(files, O_CLOEXEC) != 0) return fd_failure(errno);
#else
  if (pipe(files) != 0) return fd_failure(errno);
  for (int at = 0; at < 2; at++) fcntl(files[at], F_SETFD, FD_CLOEXEC);
#endif
  fcntl(files[1], F_SETFL, O_NONBLOCK);
  *ends = (struct fd_pipe){files[0], files[1]};
  return files[0];
}

/* A full pipe has something to read, which is all that a byte says. */
int fd_pipe_write(struct fd_pipe *ends) {
  while (write(ends->write_end, "", 1) < 0 && errno == EINTR) continue;
  return 1;
}

void fd_pipe_close(struct fd_pipe *ends) {
  close(ends->read_end);
  close(ends->write_end);
}
