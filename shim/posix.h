/* What Linux and macOS do alike. A segment has a file that carries its locks; on Linux the file is the memory too. */
#ifndef FRAMES_DEPOT_POSIX_H
#define FRAMES_DEPOT_POSIX_H

#include "segment.h"

/* Whether a path leads to the file that is open. */
int fd_leads_to(const char *path, int file);
/* A lock on some bytes of a file: 1 taken, 0 another description has it, -errno. `type` is fcntl's; no count is all. */
int32_t fd_lock_file(int file, int32_t index, int32_t count, short type);
/* fd_list for a directory. */
int32_t fd_list_directory(const char *path, char *out, int32_t capacity);

#endif
