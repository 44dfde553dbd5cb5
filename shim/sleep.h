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

/* How many words one sleep takes: FD_MOST_PLACES, or 1. */
int32_t fd_system_places(void);

/* What ends the sleep of a sleeper. Where there is no bell, a change of the word that is slept on replaces it: that
 * word has to stay mapped until the sleep has ended. */
#if defined(_WIN32)
struct fd_bell {
  HANDLE event;
  uint64_t *asleep; /* the word of the segment in which our bit is set; NULL when it is not */
  uint64_t bit;
};
#else
struct fd_bell {
  int32_t word;
  int32_t silent; /* the value of `word` when the sleep began */
};
#endif
int fd_bell_is_there(void);
/* Before and after each sleep, under the sleeper's mutex. Arming returns 0 when there is a reason not to sleep.
 * Disarming lets go of the segment; it may be done twice. */
int fd_bell_arm(struct fd_bell *bell, const struct fd_sought *sought);
void fd_bell_disarm(struct fd_bell *bell);
/* Sleeps until a word is woken or differs, the bell is rung, or the deadline is over; it may end for no reason. Returns
 * the index of the word that was woken where the system names one, else -1. */
int32_t fd_bell_sleep(struct fd_bell *bell, const struct fd_sought *sought, int32_t count, int64_t deadline_ns);
/* The two steps that ring the bell: under the sleeper's mutex, and after it. */
void fd_bell_change(struct fd_bell *bell, const struct fd_sought *inside);
void fd_bell_wake(struct fd_bell *bell, const struct fd_sought *inside);

/* A sleep on one word where there is no bell, and the two steps that end it. */
static inline int32_t fd_word_sleep(const struct fd_sought *sought, int64_t deadline_ns) {
  const double ms = (double)(deadline_ns - fd_monotonic_ns()) / 1e6;
  fd_wait(sought->segment, sought->word, sought->lane, sought->peer, sought->expected, ms);
  return -1;
}
static inline void fd_word_change(const struct fd_sought *inside) {
  __atomic_fetch_add(inside->word, 1, __ATOMIC_SEQ_CST);
}
static inline void fd_word_wake(const struct fd_sought *inside) {
  fd_wake(inside->segment, inside->word, inside->lane);
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
/* Closes our end; the reader closes its own. */
void fd_pipe_close(struct fd_pipe *pipe);
/* Closes both ends of a pipe that has no reader. */
void fd_pipe_drop(struct fd_pipe *pipe);

#endif
