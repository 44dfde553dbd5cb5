/* A thread that sleeps for a runtime without asynchronous foreign calls (Bun): POSIX threads, for Linux and macOS.
 * It does one wait at a time and owns itself: whoever stops it need not wait for it. */
#include "frames_depot.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { WAITER_STACK_BYTES = 256 * 1024 };

struct fd_waiter {
  pthread_mutex_t lock;
  pthread_cond_t posted;
  fd_woken callback;
  int stopping;
  int busy;
  fd_segment *segment;
  int32_t *word;
  int32_t lane, peer, expected, timeout_ms, token;
};

static void waiter_free(fd_waiter *waiter) {
  pthread_cond_destroy(&waiter->posted);
  pthread_mutex_destroy(&waiter->lock);
  free(waiter);
}

static void *waiter_run(void *argument) {
  fd_waiter *waiter = argument;
  pthread_mutex_lock(&waiter->lock);
  for (;;) {
    while (!waiter->busy && !waiter->stopping) pthread_cond_wait(&waiter->posted, &waiter->lock);
    if (waiter->stopping) break;
    fd_segment *segment = waiter->segment;
    int32_t *word = waiter->word;
    const int32_t lane = waiter->lane, peer = waiter->peer, expected = waiter->expected,
                  timeout_ms = waiter->timeout_ms, token = waiter->token;
    pthread_mutex_unlock(&waiter->lock);
    fd_wait(segment, word, lane, peer, expected, timeout_ms);
    pthread_mutex_lock(&waiter->lock);
    waiter->busy = 0;
    /* Called under the lock, so that after fd_waiter_stop has returned no callback can follow. The runtime only
     * puts the call into its queue; it does not come back here. */
    if (!waiter->stopping) waiter->callback(token);
  }
  pthread_mutex_unlock(&waiter->lock);
  waiter_free(waiter);
  return NULL;
}

int32_t fd_waiter_start(fd_woken callback, fd_waiter **out) {
  fd_waiter *waiter = calloc(1, sizeof *waiter);
  if (waiter == NULL) return -ENOMEM;
  waiter->callback = callback;
  pthread_mutex_init(&waiter->lock, NULL);
  pthread_cond_init(&waiter->posted, NULL);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, WAITER_STACK_BYTES);
  pthread_t thread;
  const int failed = pthread_create(&thread, &attributes, waiter_run, waiter);
  pthread_attr_destroy(&attributes);
  if (failed) {
    waiter_free(waiter);
    return -failed;
  }
  *out = waiter;
  return 0;
}

int32_t fd_waiter_post(fd_waiter *waiter, fd_segment *segment, int32_t *word, int32_t lane, int32_t peer,
                       int32_t expected, int32_t timeout_ms, int32_t token) {
  pthread_mutex_lock(&waiter->lock);
  const int busy = waiter->busy;
  if (!busy) {
    waiter->busy = 1;
    waiter->segment = segment;
    waiter->word = word;
    waiter->lane = lane;
    waiter->peer = peer;
    waiter->expected = expected;
    waiter->timeout_ms = timeout_ms;
    waiter->token = token;
    pthread_cond_signal(&waiter->posted);
  }
  pthread_mutex_unlock(&waiter->lock);
  return busy ? -EBUSY : 0;
}

int32_t fd_waiter_stop(fd_waiter *waiter) {
  pthread_mutex_lock(&waiter->lock);
  waiter->stopping = 1;
  pthread_cond_signal(&waiter->posted);
  pthread_mutex_unlock(&waiter->lock);
  return 0;
}
