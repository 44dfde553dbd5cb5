/* What a thread sanitizer watches. Threads share nothing but the mapping; the barrier is only for the start. */
#define _GNU_SOURCE
#include "threads.h"

#include <stdio.h>

enum { MAX_THREADS = 32 };

struct member {
  struct depot *depot;
  pthread_barrier_t *start;
  struct production production;
  struct following following;
};

static void *run_producer(void *argument) {
  struct member *member = argument;
  struct peer peer;
  peer_join(&peer, member->depot);
  pthread_barrier_wait(member->start);
  produce(&peer, &member->production);
  peer_leave(&peer);
  return NULL;
}

static void *run_reader(void *argument) {
  struct member *member = argument;
  struct peer peer;
  struct reader reader;
  peer_join(&peer, member->depot);
  reader_join(&reader, &peer, member->following.mode);
  pthread_barrier_wait(member->start);
  follow(&reader, &member->following);
  reader_leave(&reader);
  peer_leave(&peer);
  return NULL;
}

static void *run_careless(void *argument) {
  struct member *member = argument;
  const struct depot *depot = member->depot;
  pthread_barrier_wait(member->start);
  volatile uint8_t sum = 0;
  for (int round = 0; round < 1000; round++) {
    for (uint32_t slot = 0; slot < depot->max_size; slot++) sum = (uint8_t)(sum + *payload_of(depot, slot));
  }
  return NULL;
}

static void start(pthread_t *thread, void *(*run)(void *), struct member *member) {
  if (pthread_create(thread, NULL, run, member) != 0) die("cannot start a thread");
}

void run_threads(struct depot *depot, const struct crew *crew) {
  static struct member members[MAX_THREADS];
  static pthread_t threads[MAX_THREADS];
  const uint32_t readers = crew->lossless + crew->lossy, workers = crew->producers + readers;
  if (workers + crew->careless > MAX_THREADS || crew->producers > MAX_PRODUCERS) die("too many threads");
  /* One peer more: the segment's last frame comes from here, and the name stays as long as it is in. */
  struct peer peer;
  peer_join(&peer, depot);
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, workers + crew->careless);
  for (uint32_t at = 0; at < workers + crew->careless; at++) {
    members[at] = (struct member){.depot = depot, .start = &barrier};
    if (at < crew->producers) {
      members[at].production = (struct production){.producer = at, .producers = crew->producers,
                                                   .count = crew->count, .give_back_every = crew->give_back_every,
                                                   .keep_every = crew->keep_every};
      start(&threads[at], run_producer, &members[at]);
    } else if (at < workers) {
      members[at].following = (struct following){
          .mode = at - crew->producers < crew->lossless ? FD_READER_MODE_LOSSLESS : FD_READER_MODE_LOSSY,
          .producers = crew->producers};
      start(&threads[at], run_reader, &members[at]);
    } else {
      start(&threads[at], run_careless, &members[at]);
    }
  }
  for (uint32_t at = 0; at < crew->producers; at++) pthread_join(threads[at], NULL);
  produce_end(&peer);
  for (uint32_t at = crew->producers; at < workers + crew->careless; at++) pthread_join(threads[at], NULL);
  pthread_barrier_destroy(&barrier);
  peer_leave(&peer);

  printf("{\"producers\":[");
  for (uint32_t at = 0; at < crew->producers; at++) {
    if (at > 0) printf(",");
    print_production(&members[at].production);
  }
  printf("],\"readers\":[");
  for (uint32_t at = crew->producers; at < workers; at++) {
    if (at > crew->producers) printf(",");
    print_following(&members[at].following);
  }
  printf("]}\n");
}
