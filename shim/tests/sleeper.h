/* One sleeper over one segment, which the tests of sleepers share. */
#ifndef FRAMES_DEPOT_TEST_SLEEPER_H
#define FRAMES_DEPOT_TEST_SLEEPER_H

#include "harness.h"

#include <math.h>

enum { MASKS = 4 };
#define FOREVER INFINITY

static fd_segment *segment;
static void *mapping;

/* A word to sleep on, 64 bytes apart, so that 127 of them fit. */
static inline int32_t *word(int32_t place) { return (int32_t *)mapping + 16 * place; }

static inline void begin(void) {
  segment = create_segment(new_name());
  mapping = map_segment(segment);
}

static inline void end(fd_sleeper *sleeper) {
  if (sleeper != NULL) EQUAL(fd_sleeper_stop(sleeper), 0);
  close_segment(segment, mapping);
}

static inline fd_sleeper *make(void) {
  fd_sleeper *sleeper = NULL;
  EQUAL(fd_sleeper_make(&sleeper), 0);
  CHECK(sleeper != NULL);
  return sleeper;
}

static inline int32_t watch(fd_sleeper *sleeper, int32_t place, double timeout_ms) {
  return fd_sleeper_watch(sleeper, place, segment, word(place), place % 2, place, get(word(place)), timeout_ms);
}

static inline void wake(int32_t place) {
  add(word(place), 1);
  CHECK(fd_wake(segment, word(place), place % 2) >= 0);
}

/* Returns the only place that has woken. */
static inline int32_t take_one(fd_sleeper *sleeper) {
  uint32_t out[MASKS];
  EQUAL(fd_sleeper_take(sleeper, out), 1);
  for (int32_t place = 0; place < 32 * MASKS; place++) {
    if (out[place / 32] == (uint32_t)1 << place % 32) return place;
  }
  fail_at(__FILE__, __LINE__, "a place", 0, 1);
}

static inline int32_t take(fd_sleeper *sleeper) {
  uint32_t out[MASKS];
  return fd_sleeper_take(sleeper, out);
}

#endif
