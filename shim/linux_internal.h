/* What the files for Linux share. A segment is a file of the tmpfs at /dev/shm. The calls are plain open, link and mmap
 * rather than shm_open, which is the same and lives in another library on older systems. */
#ifndef FRAMES_DEPOT_LINUX_INTERNAL_H
#define FRAMES_DEPOT_LINUX_INTERNAL_H

#include "posix.h"

#include <sys/types.h>

#define FD_DIRECTORY "/dev/shm/"

enum { FD_PATH_BYTES = sizeof FD_DIRECTORY + sizeof FD_PREFIX + FD_NAME_BYTES };

struct fd_segment {
  struct fd_common common;
  char path[FD_PATH_BYTES];
  char maker[FD_PATH_BYTES]; /* the name before it is named, where a file cannot be without; else empty */
};

/* Makes a new file as long as a segment, allocated for good: 0, or why not. */
int32_t fd_allocate(int file, double bytes);
/* The beginning of a text file, ended by a zero: its length, or -1 and errno. */
ssize_t fd_read_text(const char *path, char *out, size_t capacity);
/* What the control groups of a process leave of their memory, and the limit of the one that leaves the least; -1 where
 * there is none. `root` is where /proc and /sys are. */
void fd_group_limit(const char *root, double *out);

#endif
