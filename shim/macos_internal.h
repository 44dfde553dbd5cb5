/* How a segment is made on macOS, where shared memory objects have names of at most 31 bytes, cannot be listed, cannot
 * be renamed and take no locks. So each has a small file beside it:
 *
 *   DIRECTORY/frames-depot.NAME   holds the object's name; carries the locks; its own name is the depot's
 *   DIRECTORY/frames-depot!HEX    the same file before fd_segment_name, which renames it
 *   /frames-depot.HEX             the object: the memory itself
 *
 * The directory is the system's own sticky one, so no user removes another's names, and unlike /tmp it is not
 * emptied while files are in use. The file may outlive its object, as after a restart: then the name is free, and
 * the next to open it removes it. A file that was never named belongs to the dead when its ALIVE lock is free;
 * the next to create a segment removes it with its object. */
#ifndef FRAMES_DEPOT_MACOS_INTERNAL_H
#define FRAMES_DEPOT_MACOS_INTERNAL_H

#include "posix.h"

#include <stddef.h>
#include <sys/stat.h>

#ifndef FD_DIRECTORY
#define FD_DIRECTORY "/private/var/tmp/"
#endif
#ifndef FD_OBJECT
#define FD_OBJECT "/frames-depot."
#endif
#define FD_TEMPORARY "frames-depot!"

enum { FD_HEX_BYTES = 16, FD_OBJECT_BYTES = sizeof FD_OBJECT - 1 + FD_HEX_BYTES };
enum { FD_PATH_BYTES = sizeof FD_DIRECTORY + sizeof FD_PREFIX + FD_NAME_BYTES };
/* Beside the header's locks, far above every peer. */
enum { FD_LOCK_ALIVE = 1 << 20 };

struct fd_segment {
  struct fd_common common;
  int memory;
  int is_named;
  char path[FD_PATH_BYTES];
  char temporary[FD_PATH_BYTES];
  char object[FD_OBJECT_BYTES + 1];
};

/* Gives a new object its memory: 0, or -errno. */
int32_t fd_allocate(int memory, double bytes);

#endif
