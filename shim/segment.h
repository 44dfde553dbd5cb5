/* What every system's segment begins with, and what each system does for segment.c and owners.c. */
#ifndef FRAMES_DEPOT_SEGMENT_H
#define FRAMES_DEPOT_SEGMENT_H

#include "layout.h"
#include "thread.h"

struct fd_owner;

/* The states of a handle: not in the registry, in it, let go by the end of its thread or process. */
enum { FD_LOOSE, FD_OWNED, FD_ENDED };

/* The first member of each system's fd_segment. */
struct fd_common {
  /* Of the registry in owners.c, and under its mutex. */
  struct fd_owner *owner;
  fd_segment *next;
  fd_segment *previous;
  int state;
  /* Keeps mapping, retiring, removing the name and the end of the process apart. */
  fd_mutex guard;
  /* The mapping, as far as it is not retired; NULL without one. */
  char *base;
  size_t bytes;
#if !defined(_WIN32)
  int file; /* carries the locks; -1 before it is open */
#endif
  /* Whether a peer's lock was ever taken: only a peer removes the name as the last one out does. */
  int joined;
};

/* The beginning of any system's segment. */
static inline struct fd_common *fd_common_of(fd_segment *segment) { return (struct fd_common *)(void *)segment; }

/* segment.c: to be called by fd_segment_create and fd_segment_open when they have all they need; on failure the segment
 * is closed. And by fd_lock when it has taken a lock. */
int32_t fd_segment_finish(fd_segment *segment, int32_t answer, fd_segment **out);
void fd_segment_locked(fd_segment *segment, int32_t index);
/* Retires all that is still mapped; -EBUSY when another call that is under way takes longer than that. */
int32_t fd_segment_retire_all(fd_segment *segment, int patience_ms);

/* Each system. A size is any number of bytes; an offset is a multiple of FD_RETIRE_BYTES. */
enum { FD_RETIRE_BYTES = 16384 };
int32_t fd_system_map(fd_segment *segment, size_t bytes, char **out);
int32_t fd_system_snapshot(fd_segment *segment, size_t bytes, size_t copied, char **out);
int32_t fd_system_unmap(fd_segment *segment, char *base, size_t bytes);
int32_t fd_system_retire(fd_segment *segment, char *base, size_t from, size_t bytes);
/* Removes the name if it still leads to this segment: 1 removed, 0 it leads elsewhere or nowhere. */
int32_t fd_system_unlink(fd_segment *segment);
/* fd_segment_empty, under the guard. */
int32_t fd_system_empty(fd_segment *segment);
/* As many as a peer's id tells apart. */
enum { FD_MOST_PEERS = 1 << FD_PEER_INDEX_BITS };
/* 0 when no other description holds a peer's lock; everything else counts as a life. */
int32_t fd_system_peer_lives(fd_segment *segment);
/* Drops the locks of this description's peers. */
void fd_system_unlock_peers(fd_segment *segment);
/* Drops every lock, for a process that ends. */
void fd_system_unlock_all(fd_segment *segment);
/* Closes what is open and frees the handle. */
void fd_system_close(fd_segment *segment);

#endif
