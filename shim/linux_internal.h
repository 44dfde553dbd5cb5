/* What the files for Linux share. A segment is a file of the tmpfs at /dev/shm. The calls are plain open, link and mmap
 * rather than shm_open, which is the same and lives in another library on older systems. */
#ifndef FRAMES_DEPOT_LINUX_INTERNAL_H
#define FRAMES_DEPOT_LINUX_INTERNAL_H

#include "posix.h"

#define FD_DIRECTORY "/dev/shm/"

enum { FD_PATH_BYTES = sizeof FD_DIRECTORY + sizeof FD_PREFIX + FD_NAME_BYTES };

struct fd_segment {
  struct fd_common common;
  char path[FD_PATH_BYTES];
};

/* Makes a new file as long as a segment, allocated for good: 0, or -errno. */
int32_t fd_allocate(int file, double bytes);

#endif
