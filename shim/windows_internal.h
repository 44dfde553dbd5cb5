/* How a segment is made of Windows' kernel objects. All live in the session's own namespace, all end with the last
 * process that has them open: nothing is ever left behind.
 *
 *   frames-depot.NAME          a page whose first word is the id of the segment of that name, or 0
 *   frames-depot!ID            the segment's memory: a control block, then the ring
 *   frames-depot!ID.lock.I     exists as long as lock I is held
 *   frames-depot!ID.wake.L.P   the event that peer P sleeps on in lane L, as long as it sleeps
 *
 * The name is a page of its own because Windows cannot rename or unname a section: giving and removing a name is a
 * compare-and-swap of that word, so a name appears with a finished segment or not at all. An id whose memory cannot
 * be opened belongs to the dead and counts as 0. "!" cannot be part of a depot's name. */
#ifndef FRAMES_DEPOT_WINDOWS_INTERNAL_H
#define FRAMES_DEPOT_WINDOWS_INTERNAL_H

#include "segment.h"

/* Views begin at multiples of this, so the ring does; only the first page of the control block is ever touched. */
enum { FD_CONTROL_BYTES = 65536 };
enum { FD_LOCKS = FD_LOCK_PEER + FD_MOST_PEERS, FD_LANES = 2 };
enum { FD_OBJECT_NAME_BYTES = 192 };

struct fd_control {
  /* One bit for each sleeper, so that a waker need not look for events that do not exist. */
  uint64_t asleep[FD_LANES][FD_MOST_PEERS / 64];
};

struct fd_segment {
  struct fd_common common;
  uint64_t id;
  HANDLE memory;
  struct fd_control *control;
  double bytes; /* of the ring */
  HANDLE name_page; /* NULL before fd_segment_name */
  uint64_t *name;
  char label[FD_NAME_BYTES + 1];
  HANDLE locks[FD_LOCKS];
};

/* windows_sync.c. -errno from GetLastError(). */
int32_t fd_last_failure(void);
/* The name of an object that belongs to a segment: `kind` is "lock" or "wake". */
void fd_object_name(char *out, uint64_t id, const char *kind, int32_t first, int32_t second);

/* windows_memory.c. Makes a new segment's memory, under a new id. */
int32_t fd_memory_make(fd_segment *segment, double bytes);
/* The memory of that id, or NULL. */
HANDLE fd_memory_open(uint64_t id);
/* Maps what both ways to a segment need, and finds out how long it really is. */
int32_t fd_memory_take(fd_segment *segment);

#endif
