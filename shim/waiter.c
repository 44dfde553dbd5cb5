/* A thread that sleeps for a runtime without asynchronous foreign calls (Bun). It does one wait at a time and owns
 * itself: whoever stops it need not wait for it. */
#define _GNU_SOURCE
#include "internal.h"
#include "thread.h"

#include <stdlib.h>

struct fd_waiter {
  fd_mutex lock;
  fd_condition posted;
  fd_woken callback;
  int stopping;
  int busy;
  fd_segment *segment;
  int32_t *word;
  int32_t lane, peer, expected, token;
  double timeout_ms;
};

static void waiter_free(fd_waiter *waiter) {
  fd_condition_free(&waiter->posted);
  fd_mutex_free(&waiter->lock);
  free(waiter);
}

static fd_thread_result FD_THREAD_CALL waiter_run(void *argument) {
  fd_waiter *waiter = argument;
  fd_mutex_lock(&waiter->lock);
  for (;;) {
    while (!waiter->busy && !waiter->stopping) fd_condition_wait(&waiter->posted, &waiter->lock);
    if (waiter->stopping) break;
    fd_segment *segment = waiter->segment;
    int32_t *word = waiter->word;
    const int32_t lane = waiter->lane, peer = waiter->peer, expected = waiter->expected, token = waiter->token;
    const double timeout_ms = waiter->timeout_ms;
    fd_mutex_unlock(&waiter->lock);
    fd_wait(segment, word, lane, peer, expected, timeout_ms);
    fd_mutex_lock(&waiter->lock);
    waiter->busy = 0;
    /* Called under the lock, so that after fd_waiter_stop has returned no callback can follow. The runtime only
     * puts the call into its queue; it does not come back here. */
    if (!waiter->stopping) waiter->callback(token);
  }
  fd_mutex_unlock(&waiter->lock);
  waiter_free(waiter);
  return FD_THREAD_DONE;
}

int32_t fd_waiter_start(fd_woken callback, fd_waiter **out) {
  fd_waiter *waiter = calloc(1, sizeof *waiter);
  if (waiter == NULL) return -FD_ENOMEM;
  waiter->callback = callback;
  fd_mutex_init(&waiter->lock);
  fd_condition_init(&waiter->posted);
  const int32_t failed = fd_thread_start(waiter_run, waiter);
  if (failed) {
    waiter_free(waiter);
    return failed;
  }
  *out = waiter;
  return 0;
}

int32_t fd_waiter_post(fd_waiter *waiter, fd_segment *segment, int32_t *word, int32_t lane, int32_t peer,
                       int32_t expected, double timeout_ms, int32_t token) {
  fd_mutex_lock(&waiter->lock);
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
    fd_condition_signal(&waiter->posted);
  }
  fd_mutex_unlock(&waiter->lock);
  return busy ? -FD_EBUSY : 0;
}

int32_t fd_waiter_stop(fd_waiter *waiter) {
  fd_mutex_lock(&waiter->lock);
  waiter->stopping = 1;
  fd_condition_signal(&waiter->posted);
  fd_mutex_unlock(&waiter->lock);
  return 0;
}
