/* How a segment is made on macOS, where shared memory objects have names of at most 31 bytes, cannot be listed, cannot
 * be renamed and take no locks. So each has a small file beside it:
 *
 *   DIRECTORY/frames-depot.NAME   holds the object's name; carries the locks; its own name is the depot's
 *   DIRECTORY/frames-depot!HEX    the same file before fd_segment_publish, which renames it
 *   /frames-depot.HEX             the object: the memory itself
 *
 * The directory is the system's own sticky one, so nobody removes another user's names, and unlike /tmp it is not
 * emptied while files are in use. The file may outlive its object, as after a restart: then the name is free, and
 * whoever opens it removes it. A file that was never published belongs to the dead when nobody holds its ALIVE lock;
 * whoever creates a segment removes it with its object. */
#ifndef FRAMES_DEPOT_MACOS_INTERNAL_H
#define FRAMES_DEPOT_MACOS_INTERNAL_H

#include "internal.h"

#include <stddef.h>
#include <sys/stat.h>

#ifndef FD_DIRECTORY
#define FD_DIRECTORY "/private/var/tmp/"
#endif
#ifndef FD_OBJECT
#define FD_OBJECT "/frames-depot."
#endif
#define FD_UNPUBLISHED "frames-depot!"

enum { FD_HEX_BYTES = 16, FD_OBJECT_BYTES = sizeof FD_OBJECT - 1 + FD_HEX_BYTES };
enum { FD_PATH_BYTES = sizeof FD_DIRECTORY + sizeof FD_PREFIX + FD_NAME_BYTES };
/* Beside the header's locks, far above every peer. */
enum { FD_LOCK_ALIVE = 1 << 20 };

typedef int (*fd_wait_on)(void *address, uint64_t value, size_t size, uint32_t flags, uint32_t clock,
                          uint64_t timeout_ns);
typedef int (*fd_wake_all)(void *address, size_t size, uint32_t flags);

struct fd_segment {
  int file;
  int memory;
  int published;
  char path[FD_PATH_BYTES];
  char unpublished[FD_PATH_BYTES];
  char object[FD_OBJECT_BYTES + 1];
  /* macOS 14.4 and later; NULL before. */
  fd_wait_on wait_on;
  fd_wake_all wake_all;
};

/* Whether a path leads to the file that is open. */
int fd_leads_to(const char *path, int file);
/* A lock on the file: 1 taken, 0 somebody else has it, -errno. */
int32_t fd_lock_file(int file, int32_t index, short type);
void fd_find_waits(fd_segment *segment);
/* Removes what processes left that died between fd_segment_create and fd_segment_publish. */
void fd_sweep(void);
/* Reads the object's name from a file; 0, or -errno. */
int32_t fd_read_object(int file, char *out);

#endif
