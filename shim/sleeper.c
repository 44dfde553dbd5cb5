/* A sleeper watches the words that one thread of JavaScript waits for, however many. Its table is under a mutex. A
 * sleep copies the table, leaves the mutex, and waits for all the words at once and for a bell of the sleeper's own: a
 * change of the table rings it, and the sleep goes on with the new table.
 *
 * Words are read under the mutex alone, and only while they are watched. So once fd_sleeper_forget has returned, a word
 * may be unmapped: a sleep that has copied it before is in the kernel, which returns EFAULT at worst.
 *
 * Where there is no bell, the one word that is slept on (`inside`) takes its place, and has to stay mapped until the
 * sleep is out of it. */
#define _GNU_SOURCE
#include "owners.h"
#include "sleep.h"

#include <stdlib.h>
#include <string.h>

enum { MASKS = 4 };
/* Longest sleep where it is on one word; and between two tries to write to a pipe that has no reader yet. */
enum { LONGEST_MS = 250, UNREAD_MS = 5 };

struct watch {
  struct fd_sought sought;
  int64_t deadline;
  uint32_t stamp; /* which call of fd_sleeper_watch this is: the kernel may name a place that has changed since */
};

struct sleeper {
  struct sleeper *next; /* of all sleepers, under fd_registry */
  const struct fd_owner *owner;
  uintptr_t handle;
  int32_t references;
  fd_mutex mutex;
  fd_condition changed;
  struct fd_bell bell;
  uint32_t stamps;
  int is_taken;  /* a sleep is under way, or the sleeper has a thread */
  int is_asleep; /* in the kernel */
  int is_stopped;
  int is_rung; /* the pipe has a byte that is unread */
  int has_pipe;
  int is_left; /* the word that is slept on was forgotten */
  struct fd_sought inside; /* what is slept on, where it is one word */
  struct fd_pipe pipe;
  uint32_t watched[MASKS], ready[MASKS];
  struct watch watches[FD_MOST_PLACES];
};

static struct sleeper *all; /* under fd_registry */
static uintptr_t handles;

static int is_set(const uint32_t *masks, int32_t place) { return masks[place / 32] >> place % 32 & 1; }
static void set_bit(uint32_t *masks, int32_t place) { masks[place / 32] |= (uint32_t)1 << place % 32; }
static void clear_bit(uint32_t *masks, int32_t place) { masks[place / 32] &= ~((uint32_t)1 << place % 32); }
static int any(const uint32_t *masks) { return (masks[0] | masks[1] | masks[2] | masks[3]) != 0; }

/* The next place that is set, or -1. */
static int32_t next_of(const uint32_t *masks, int32_t place) {
  for (place++; place < 32 * MASKS; place = (place | 31) + 1) {
    const uint32_t left = masks[place / 32] >> place % 32;
    if (left != 0) return place + __builtin_ctz(left);
  }
  return -1;
}

/* A reference for the caller, or NULL once it was stopped. */
static struct sleeper *find(const fd_sleeper *handle) {
  fd_mutex_lock(&fd_registry);
  struct sleeper *sleeper = all;
  while (sleeper != NULL && sleeper->handle != (uintptr_t)handle) sleeper = sleeper->next;
  if (sleeper != NULL) __atomic_fetch_add(&sleeper->references, 1, __ATOMIC_SEQ_CST);
  fd_mutex_unlock(&fd_registry);
  return sleeper;
}

static void drop(struct sleeper *sleeper) {
  if (__atomic_sub_fetch(&sleeper->references, 1, __ATOMIC_SEQ_CST) > 0) return;
  fd_condition_free(&sleeper->changed);
  fd_mutex_free(&sleeper->mutex);
  free(sleeper);
}

/* Leaves the mutex and gives the reference back. */
static int32_t leave(struct sleeper *sleeper, int32_t answer) {
  fd_mutex_unlock(&sleeper->mutex);
  drop(sleeper);
  return answer;
}

/* Leaves the mutex and gets a sleep that is under way to look at the table again. */
static void leave_ringing(struct sleeper *sleeper) {
  const int is_asleep = sleeper->is_asleep;
  const struct fd_sought inside = sleeper->inside;
  if (is_asleep) fd_bell_change(&sleeper->bell, &inside);
  fd_mutex_unlock(&sleeper->mutex);
  if (is_asleep) fd_bell_wake(&sleeper->bell, &inside);
  else fd_condition_signal(&sleeper->changed);
}

static void wakes(struct sleeper *sleeper, int32_t place) {
  clear_bit(sleeper->watched, place);
  set_bit(sleeper->ready, place);
}

/* Finds what has woken. Under the mutex. */
static void look(struct sleeper *sleeper) {
  int64_t now = 0;
  for (int32_t place = -1; (place = next_of(sleeper->watched, place)) >= 0;) {
    const struct watch *watch = &sleeper->watches[place];
    if (watch->deadline != FD_NEVER && now == 0) now = fd_monotonic_ns();
    if (watch->deadline <= now || __atomic_load_n(watch->sought.word, __ATOMIC_SEQ_CST) != watch->sought.expected) {
      wakes(sleeper, place);
    }
  }
}

/* One sleep on all that is watched, at most until `deadline`. Under the mutex, which it leaves meanwhile. */
static void sleep_once(struct sleeper *sleeper, int64_t deadline) {
  struct fd_sought sought[FD_MOST_PLACES];
  int32_t places[FD_MOST_PLACES], count = 0;
  uint32_t stamps[FD_MOST_PLACES];
  for (int32_t place = -1; (place = next_of(sleeper->watched, place)) >= 0;) {
    const struct watch *watch = &sleeper->watches[place];
    if (watch->deadline < deadline) deadline = watch->deadline;
    sought[count] = watch->sought;
    places[count] = place;
    stamps[count++] = watch->stamp;
  }
  if (fd_system_places() == 1) {
    const int64_t longest = fd_monotonic_ns() + LONGEST_MS * (int64_t)1000000;
    if (longest < deadline) deadline = longest;
  }
  int32_t named = -1;
  if (fd_bell_arm(&sleeper->bell, sought)) {
    sleeper->inside = sought[0];
    sleeper->is_asleep = 1;
    fd_mutex_unlock(&sleeper->mutex);
    named = fd_bell_sleep(&sleeper->bell, sought, count, deadline);
    fd_mutex_lock(&sleeper->mutex);
    sleeper->is_asleep = 0;
    fd_condition_signal(&sleeper->changed); /* fd_sleeper_stop may wait for it */
  }
  fd_bell_disarm(&sleeper->bell);
  if (sleeper->is_left) {
    sleeper->is_left = 0;
    set_bit(sleeper->ready, 0);
  }
  if (named < 0) return;
  const int32_t place = places[named];
  if (is_set(sleeper->watched, place) && sleeper->watches[place].stamp == stamps[named]) wakes(sleeper, place);
}

static fd_thread_result FD_THREAD_CALL run(void *argument) {
  struct sleeper *sleeper = argument;
  fd_mutex_lock(&sleeper->mutex);
  while (!sleeper->is_stopped) {
    look(sleeper);
    int64_t deadline = FD_NEVER;
    if (any(sleeper->ready) && !sleeper->is_rung) {
      sleeper->is_rung = fd_pipe_write(&sleeper->pipe);
      if (!sleeper->is_rung) deadline = fd_monotonic_ns() + UNREAD_MS * (int64_t)1000000;
    }
    if (any(sleeper->watched)) sleep_once(sleeper, deadline);
    else if (deadline == FD_NEVER) fd_condition_wait(&sleeper->changed, &sleeper->mutex);
    else fd_condition_wait_ms(&sleeper->changed, &sleeper->mutex, UNREAD_MS);
  }
  leave(sleeper, 0);
  return FD_THREAD_DONE;
}

int32_t fd_sleeper_places(void) { return fd_system_places(); }

int32_t fd_sleeper_make(fd_sleeper **out) {
  struct fd_owner *owner;
  const int32_t answer = fd_owners_here(&owner);
  if (answer != 0) return answer;
  struct sleeper *sleeper = calloc(1, sizeof *sleeper);
  if (sleeper == NULL) return -FD_ENOMEM;
  sleeper->owner = owner;
  sleeper->references = 1;
  fd_mutex_init(&sleeper->mutex);
  fd_condition_init(&sleeper->changed);
  fd_mutex_lock(&fd_registry);
  sleeper->handle = ++handles;
  sleeper->next = all;
  all = sleeper;
  *out = (fd_sleeper *)sleeper->handle;
  fd_mutex_unlock(&fd_registry);
  return 0;
}

int32_t fd_sleeper_start(fd_sleeper *handle) {
  struct sleeper *sleeper = find(handle);
  if (sleeper == NULL) return -FD_EINVAL;
  fd_mutex_lock(&sleeper->mutex);
  if (sleeper->is_stopped) return leave(sleeper, -FD_EINVAL);
  if (sleeper->is_taken) return leave(sleeper, -FD_EBUSY);
  const int32_t end = fd_pipe_open(&sleeper->pipe);
  if (end < 0) return leave(sleeper, end);
  __atomic_fetch_add(&sleeper->references, 1, __ATOMIC_SEQ_CST);
  const int32_t failed = fd_thread_start(run, sleeper);
  if (failed) {
    fd_pipe_drop(&sleeper->pipe);
    __atomic_fetch_sub(&sleeper->references, 1, __ATOMIC_SEQ_CST);
    return leave(sleeper, failed);
  }
  sleeper->has_pipe = sleeper->is_taken = 1;
  return leave(sleeper, end);
}

int32_t fd_sleeper_pipe(fd_sleeper *handle, char *out, int32_t capacity) {
#if defined(_WIN32)
  struct sleeper *sleeper = find(handle);
  if (sleeper == NULL) return -FD_EINVAL;
  fd_mutex_lock(&sleeper->mutex);
  const int32_t bytes = sleeper->has_pipe ? (int32_t)strlen(sleeper->pipe.path) : 0;
  if (out != NULL && bytes <= capacity) memcpy(out, sleeper->pipe.path, (size_t)bytes);
  return leave(sleeper, bytes);
#else
  (void)handle, (void)out, (void)capacity;
  return 0;
#endif
}

static int64_t deadline_after(double timeout_ms) {
  return timeout_ms >= FD_LONGEST_MS ? FD_NEVER : fd_monotonic_ns() + fd_timeout_ns(timeout_ms);
}

int32_t fd_sleeper_watch(fd_sleeper *handle, int32_t place, fd_segment *segment, int32_t *word, int32_t lane,
                         int32_t peer, int32_t expected, double timeout_ms) {
  if (place < 0 || place >= fd_system_places() || word == NULL) return -FD_EINVAL;
  if (lane < 0 || lane > FD_LANE_CONSUMED || peer < 0 || peer >= FD_MOST_PEERS) return -FD_EINVAL;
  struct sleeper *sleeper = find(handle);
  if (sleeper == NULL) return -FD_EINVAL;
  const int64_t deadline = deadline_after(timeout_ms);
  fd_mutex_lock(&sleeper->mutex);
  if (sleeper->is_stopped) return leave(sleeper, -FD_EINVAL);
  if (sleeper->is_left) return leave(sleeper, -FD_EBUSY);
  const struct fd_sought sought = {segment, word, lane, peer, expected};
  sleeper->watches[place] = (struct watch){sought, deadline, ++sleeper->stamps};
  clear_bit(sleeper->ready, place);
  set_bit(sleeper->watched, place);
  leave_ringing(sleeper);
  drop(sleeper);
  return 0;
}

int32_t fd_sleeper_forget(fd_sleeper *handle, int32_t place) {
  if (place < 0 || place >= fd_system_places()) return -FD_EINVAL;
  struct sleeper *sleeper = find(handle);
  if (sleeper == NULL) return 0;
  fd_mutex_lock(&sleeper->mutex);
  clear_bit(sleeper->watched, place);
  clear_bit(sleeper->ready, place);
  if (!sleeper->is_asleep) return leave(sleeper, 0);
  const int is_left = !fd_bell_is_there();
  if (is_left) sleeper->is_left = 1;
  leave_ringing(sleeper);
  drop(sleeper);
  return is_left;
}

int32_t fd_sleeper_sleep(fd_sleeper *handle) {
  struct sleeper *sleeper = find(handle);
  if (sleeper == NULL) return 1;
  fd_mutex_lock(&sleeper->mutex);
  if (sleeper->is_taken) return leave(sleeper, -FD_EBUSY);
  sleeper->is_taken = 1;
  int32_t answer = 1;
  while (!sleeper->is_stopped) {
    look(sleeper);
    answer = !any(sleeper->ready);
    if (!answer || !any(sleeper->watched)) break;
    sleep_once(sleeper, FD_NEVER);
    answer = 1;
  }
  sleeper->is_taken = 0;
  return leave(sleeper, answer);
}

int32_t fd_sleeper_take(fd_sleeper *handle, uint32_t *out) {
  memset(out, 0, MASKS * sizeof *out);
  struct sleeper *sleeper = find(handle);
  if (sleeper == NULL) return -FD_EINVAL;
  fd_mutex_lock(&sleeper->mutex);
  int32_t count = 0;
  for (int at = 0; at < MASKS; at++) {
    count += __builtin_popcount(sleeper->ready[at]);
    out[at] = sleeper->ready[at];
    sleeper->ready[at] = 0;
  }
  sleeper->is_rung = 0;
  return leave(sleeper, count);
}

/* Takes the first sleeper of that handle or of that owner out of the list: the caller has its reference now. */
static struct sleeper *take_out(const fd_sleeper *handle, const struct fd_owner *owner) {
  fd_mutex_lock(&fd_registry);
  struct sleeper **at = &all;
  while (*at != NULL && (owner == NULL ? (*at)->handle != (uintptr_t)handle : (*at)->owner != owner)) at = &(*at)->next;
  struct sleeper *sleeper = *at;
  if (sleeper != NULL) *at = sleeper->next;
  fd_mutex_unlock(&fd_registry);
  return sleeper;
}

static void stop(struct sleeper *sleeper) {
  fd_mutex_lock(&sleeper->mutex);
  sleeper->is_stopped = 1;
  memset(sleeper->watched, 0, sizeof sleeper->watched);
  memset(sleeper->ready, 0, sizeof sleeper->ready);
  leave_ringing(sleeper);
  fd_mutex_lock(&sleeper->mutex);
  /* Without a bell the sleep is in the word, which its owner may unmap from now on. */
  while (!fd_bell_is_there() && sleeper->is_asleep) fd_condition_wait(&sleeper->changed, &sleeper->mutex);
  if (sleeper->has_pipe) fd_pipe_close(&sleeper->pipe);
  sleeper->has_pipe = 0;
  leave(sleeper, 0);
}

int32_t fd_sleeper_stop(fd_sleeper *handle) {
  struct sleeper *sleeper = take_out(handle, NULL);
  if (sleeper == NULL) return -FD_EINVAL;
  stop(sleeper);
  return 0;
}

void fd_sleepers_end(const struct fd_owner *owner) {
  for (struct sleeper *sleeper; (sleeper = take_out(NULL, owner)) != NULL;) stop(sleeper);
}
