/* What sleeper.c needs of each system: a sleep on words, and something that wakes a runtime's event loop. */
#ifndef FRAMES_DEPOT_SLEEP_H
#define FRAMES_DEPOT_SLEEP_H

#include "thread.h"

/* FUTEX_WAITV_MAX, less one for the bell. */
enum { FD_MOST_PLACES = 127 };

/* A word that is slept on while it is `expected`. */
struct fd_sought {
  fd_segment *segment;
  int32_t *word;
  int32_t lane, peer, expected;
};

/* The clock of deadlines; FD_NEVER is past all of it. */
#define FD_NEVER INT64_MAX
int64_t fd_monotonic_ns(void);

/* How many words fd_system_sleep takes: FD_MOST_PLACES, or 1. */
int32_t fd_system_places(void);
/* Sleeps until a word is woken or differs, the bell differs from `silent` or is rung, or the deadline is over; it may
 * end for no reason. Returns the index of the word that was woken where the system names one, else -1. Where places is
 * 1 there is one word, and no bell: a change of the word takes its place. */
int32_t fd_system_sleep(const struct fd_sought *sought, int32_t count, int32_t *bell, int32_t silent,
                        int64_t deadline_ns);
/* Wakes the sleep on a bell that was changed. */
void fd_system_ring(int32_t *bell);
/* fd_system_sleep where places is 1. */
static inline int32_t fd_sleep_on_one(const struct fd_sought *sought, int64_t deadline_ns) {
  const double ms = (double)(deadline_ns - fd_monotonic_ns()) / 1e6;
  fd_wait(sought->segment, sought->word, sought->lane, sought->peer, sought->expected, ms);
  return -1;
}

/* Bytes from a thread to an event loop. */
#if defined(_WIN32)
struct fd_pipe {
  HANDLE server;
  char path[64];
};
#else
struct fd_pipe {
  int read_end, write_end;
};
#endif
/* Returns what fd_sleeper_start does. */
int32_t fd_pipe_open(struct fd_pipe *pipe);
/* 1 written; 0 when no reader has connected yet. */
int fd_pipe_write(struct fd_pipe *pipe);
/* Ours; the reader's end is the reader's. */
void fd_pipe_close(struct fd_pipe *pipe);
/* Both ends, of a pipe that has no reader. */
void fd_pipe_drop(struct fd_pipe *pipe);

#endif
