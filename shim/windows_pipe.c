/* Windows: a byte through a named pipe wakes an event loop, which connects to it by its path. */
#include "sleep.h"

#include <stdio.h>

enum { PIPE_BYTES = 64 };

int32_t fd_pipe_open(struct fd_pipe *pipe) {
  static LONG counter;
  snprintf(pipe->path, sizeof pipe->path, "\\\\.\\pipe\\frames-depot-%lu-%ld", (unsigned long)GetCurrentProcessId(),
           (long)InterlockedIncrement(&counter));
  /* Both ways, because some clients ask for both. Nothing is read from it. */
  const DWORD access = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE;
  const DWORD mode = PIPE_TYPE_BYTE | PIPE_NOWAIT | PIPE_REJECT_REMOTE_CLIENTS;
  pipe->server = CreateNamedPipeA(pipe->path, access, mode, 1, PIPE_BYTES, PIPE_BYTES, 0, NULL);
  if (pipe->server != INVALID_HANDLE_VALUE) return 0;
  return GetLastError() == ERROR_TOO_MANY_OPEN_FILES ? -FD_EMFILE : -FD_EAGAIN;
}

/* A full pipe takes nothing and says so without an error: it has something to read. */
int fd_pipe_write(struct fd_pipe *pipe) {
  DWORD written = 0;
  return WriteFile(pipe->server, "", 1, &written, NULL) != 0;
}

void fd_pipe_close(struct fd_pipe *pipe) { CloseHandle(pipe->server); }

void fd_pipe_drop(struct fd_pipe *pipe) { CloseHandle(pipe->server); }
