/* The ends of threads and of the process. A thread of a runtime may end in the middle of anything but a call into this
 * library, and without a word to it: only the system's own handlers hear of it. What they do, in this order:
 *
 *   1. stop the thread's sleepers, so that none looks at memory that is about to change;
 *   2. retire its mappings, never unmap them: another thread may hold a buffer that was moved to it;
 *   3. remove names that only this thread kept alive, as the last one out does;
 *   4. drop the locks, which is the proof of death. It comes last: the other way round, an operation of another thread
 *      that is still under way would write into a slot that has been given to another peer.
 *
 * The end of the process does the same for all threads, the others of which still run: so locks go before names (the
 * peers of one process are each other's), descriptors stay open, and nothing is freed. */
#define _GNU_SOURCE
#include "owners.h"

#include <stdlib.h>

/* How long the end of a thread or process waits for a lock of the segment, and for a mutex: the thread that ends the
 * process may be the one that holds it, as in a signal handler. Then all is left to the kernel. */
enum { MEMBERS_PATIENCE_MS = 50, PATIENCE_MS = 1000 };

struct fd_owner {
  struct fd_owner *next;
  struct fd_owner *previous;
  fd_segment *segments;
  int process; /* a fork has a copy of the list, and its parent's locks */
};

fd_mutex fd_registry = FD_MUTEX_INIT;
static struct fd_owner *owners;
static fd_key key;
static int is_watching;
/* Threads that let go of what they had, and of which process: a fork has the count, and not the threads. Both under
 * fd_registry. */
static int ending;
static int ending_process;

int fd_owners_ended(fd_segment *segment) {
  return __atomic_load_n(&fd_common_of(segment)->state, __ATOMIC_SEQ_CST) == FD_ENDED;
}

static void set_state(fd_segment *segment, int state) {
  __atomic_store_n(&fd_common_of(segment)->state, state, __ATOMIC_SEQ_CST);
}

/* As the last one out does: under the membership lock, if it can be had soon. Otherwise the name stays, as a
 * stale one that the next comer takes over. */
static void remove_name(fd_segment *segment) {
  struct fd_common *common = fd_common_of(segment);
  if (!__atomic_load_n(&common->joined, __ATOMIC_RELAXED)) return;
  int32_t answer = 0;
  for (int tries = 0; tries < MEMBERS_PATIENCE_MS && (answer = fd_lock(segment, FD_LOCK_MEMBERS)) == 0; tries++) {
    fd_pause_ms(1);
  }
  if (answer != 1) return;
  /* Its own peers first: of two that end together the second to look has to find no other. */
  fd_system_unlock_peers(segment);
  if (fd_system_peer_lives(segment) == 0 && fd_mutex_lock_within(&common->guard, PATIENCE_MS)) {
    if (fd_system_unlink(segment) < 0) (void)fd_system_empty(segment);
    fd_mutex_unlock(&common->guard);
  }
  fd_unlock(segment, FD_LOCK_MEMBERS);
}

/* Takes an owner's segments out of the list; they belong to the caller now. */
static fd_segment *take_all(struct fd_owner *owner) {
  fd_segment *all = owner->segments;
  owner->segments = NULL;
  for (fd_segment *at = all; at != NULL; at = fd_common_of(at)->next) set_state(at, FD_ENDED);
  return all;
}

static void unlink_owner(struct fd_owner *owner) {
  if (owner->next != NULL) owner->next->previous = owner->previous;
  if (owner->previous != NULL) owner->previous->next = owner->next;
  else owners = owner->next;
}

static void FD_KEY_CALL thread_ends(void *value) {
  struct fd_owner *owner = value;
  if (owner == NULL || fd_process_ends() || owner->process != fd_process()) return;
  fd_sleepers_end(owner);
  fd_mutex_lock(&fd_registry);
  unlink_owner(owner);
  fd_segment *segments = take_all(owner);
  if (ending_process != fd_process()) ending = 0;
  ending_process = fd_process();
  ending++;
  fd_mutex_unlock(&fd_registry);
  for (fd_segment *at = segments, *next; at != NULL; at = next) {
    next = fd_common_of(at)->next;
    /* Without a private mapping there is no proof of death to give: the lock stays until the process ends. */
    if (fd_segment_retire_all(at, PATIENCE_MS) != 0) continue;
    remove_name(at);
    fd_mutex_free(&fd_common_of(at)->guard);
    fd_system_close(at);
  }
  fd_mutex_lock(&fd_registry);
  ending--;
  fd_mutex_unlock(&fd_registry);
  free(owner);
}

#if defined(_WIN32)
/* Handles and names go with the process by themselves, and the other threads are gone before any handler runs. */
static int32_t watch_process(void) { return 0; }
#else
#if defined(__APPLE__)
#include <dlfcn.h>
#endif

static int has_ended;
static fd_segment *all; /* of the process that ends: nothing is freed then */

/* Locks the registry while no thread is in the middle of its end: cut off there, it would leave a name that it is about
 * to remove, as the last one out. */
static int lock_registry(void) {
  for (int tries = 0; fd_mutex_lock_within(&fd_registry, PATIENCE_MS); tries++) {
    if (ending == 0 || ending_process != fd_process() || tries == PATIENCE_MS) return 1;
    fd_mutex_unlock(&fd_registry);
    fd_pause_ms(1);
  }
  return 0;
}

void fd_owners_end(void) {
  if (__atomic_exchange_n(&has_ended, 1, __ATOMIC_SEQ_CST) || !lock_registry()) return;
  for (struct fd_owner *owner = owners; owner != NULL; owner = owner->next) {
    if (owner->process != fd_process()) continue;
    for (fd_segment *at = take_all(owner), *next; at != NULL; at = next) {
      next = fd_common_of(at)->next;
      fd_common_of(at)->next = all;
      all = at;
    }
  }
  fd_mutex_unlock(&fd_registry);
  for (fd_segment **at = &all; *at != NULL;) {
    if (fd_segment_retire_all(*at, PATIENCE_MS) == 0) at = &fd_common_of(*at)->next;
    else *at = fd_common_of(*at)->next; /* what others can still be reached through keeps its locks */
  }
  for (fd_segment *at = all; at != NULL; at = fd_common_of(at)->next) fd_system_unlock_all(at);
  for (fd_segment *at = all; at != NULL; at = fd_common_of(at)->next) remove_name(at);
}

/* exit() runs the one, quick_exit() the other; Bun ends by the latter. */
static int32_t watch_process(void) {
  if (atexit(fd_owners_end) != 0) return -FD_ENOMEM;
#if defined(__APPLE__)
  int (*at_quick_exit)(void (*)(void)) = (int (*)(void (*)(void)))dlsym(RTLD_DEFAULT, "at_quick_exit");
  if (at_quick_exit == NULL) return 0;
#endif
  return at_quick_exit(fd_owners_end) == 0 ? 0 : -FD_ENOMEM;
}
#endif

/* What was set up is kept, what failed is tried again. */
static int32_t watch(void) {
  int32_t answer = 0;
  fd_mutex_lock(&fd_registry);
  if (is_watching == 0) {
    answer = fd_key_make(&key, thread_ends);
    if (answer == 0) is_watching = 1;
  }
  if (is_watching == 1) {
    answer = watch_process();
    if (answer == 0) is_watching = 2;
  }
  fd_mutex_unlock(&fd_registry);
  return answer;
}

/* The key is asked and told outside the mutex: Windows calls thread_ends, which wants it, under a lock of the keys. */
int32_t fd_owners_here(struct fd_owner **out) {
  int32_t answer = watch();
  if (answer != 0) return answer;
  struct fd_owner *owner = fd_key_get(key);
  if (owner == NULL || owner->process != fd_process()) {
    owner = calloc(1, sizeof *owner);
    if (owner == NULL) return -FD_ENOMEM;
    owner->process = fd_process();
    answer = fd_key_set(key, owner);
    if (answer != 0) {
      free(owner);
      return answer;
    }
    fd_mutex_lock(&fd_registry);
    owner->next = owners;
    if (owners != NULL) owners->previous = owner;
    owners = owner;
    fd_mutex_unlock(&fd_registry);
  }
  *out = owner;
  return 0;
}

int32_t fd_owners_add(fd_segment *segment) {
  struct fd_common *common = fd_common_of(segment);
  struct fd_owner *owner;
  const int32_t answer = fd_owners_here(&owner);
  if (answer != 0) return answer;
  fd_mutex_lock(&fd_registry);
  common->owner = owner;
  common->next = owner->segments;
  common->previous = NULL;
  if (common->next != NULL) fd_common_of(common->next)->previous = segment;
  owner->segments = segment;
  set_state(segment, FD_OWNED);
  fd_mutex_unlock(&fd_registry);
  return 0;
}

int fd_owners_remove(fd_segment *segment) {
  struct fd_common *common = fd_common_of(segment);
  fd_mutex_lock(&fd_registry);
  const int state = common->state;
  if (state == FD_OWNED) {
    if (common->next != NULL) fd_common_of(common->next)->previous = common->previous;
    if (common->previous != NULL) fd_common_of(common->previous)->next = common->next;
    else common->owner->segments = common->next;
    set_state(segment, FD_LOOSE);
  }
  fd_mutex_unlock(&fd_registry);
  return state != FD_ENDED;
}
