/* Linux and macOS: a byte through a pair of sockets wakes an event loop. Not through a pipe: runtimes can be told not
 * to wait for a socket (unref), and hear of its bytes sooner. */
#define _GNU_SOURCE
#include "sleep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE */
#endif

/* The first end is the caller's: a runtime closes a socket that it is given. */
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
