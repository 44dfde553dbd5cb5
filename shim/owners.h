/* Which thread has what open: the list that the ends of threads and of the process go by. */
#ifndef FRAMES_DEPOT_OWNERS_H
#define FRAMES_DEPOT_OWNERS_H

#include "segment.h"

/* Guards the list, and sleeper.c's. Held for a few instructions, never in a system call that may take long. */
extern fd_mutex fd_registry;

/* The calling thread's entry, made at its first need. */
int32_t fd_owners_here(struct fd_owner **out);
/* Enters a segment for the calling thread. */
int32_t fd_owners_add(fd_segment *segment);
/* Takes it out: 0 when the end of its thread or process has it already, and the caller is to leave it alone. */
int fd_owners_remove(fd_segment *segment);
/* Whether the end of its thread or process has it. */
int fd_owners_ended(fd_segment *segment);

/* Lets go of what all threads of the process have open, as its end does. Not on Windows. */
void fd_owners_end(void);

/* sleeper.c: stops the sleepers of a thread that ends. */
void fd_sleepers_end(const struct fd_owner *owner);

#endif
