/* The thread that sleeps for a runtime. No second process: this file also runs under the thread sanitizer. */
#include "harness.h"

enum { LONG_MS = 600000, WAITERS = 8, ROUNDS = 300 };

/* A callback has nothing but its token, so what was called back stands here. */
static int32_t called[64];

static void on_woken(int32_t token) { add(&called[token], 1); }

static fd_waiter *start_waiter(void) {
  fd_waiter *waiter = NULL;
  memset(called, 0, sizeof called);
  EQUAL(fd_waiter_start(on_woken, &waiter), 0);
  return waiter;
}

static void wake(fd_segment *segment, int32_t *word, int32_t lane) {
  add(word, 1);
  CHECK(fd_wake(segment, word, lane) >= 0);
}

static void post_calls_back_when_woken(void) {
  fd_segment *segment = create_segment(new_name());
  int32_t *word = word_at(map_segment(segment), 0);
  fd_waiter *waiter = start_waiter();
  EQUAL(fd_waiter_post(waiter, segment, word, FD_LANE_PUBLISHED, 2, 0, LONG_MS, 5), 0);
  EQUAL(fd_waiter_post(waiter, segment, word, FD_LANE_PUBLISHED, 2, 0, LONG_MS, 6), -FD_EBUSY);
  pause_ms(50);
  EQUAL(get(&called[5]), 0);
  wake(segment, word, FD_LANE_PUBLISHED);
  await(&called[5], 1);
  EQUAL(get(&called[6]), 0);
  EQUAL(fd_waiter_stop(waiter), 0);
  close_segment(segment, word);
}

static void post_calls_back_after_its_time(void) {
  fd_segment *segment = create_segment(new_name());
  int32_t *word = word_at(map_segment(segment), 0);
  fd_waiter *waiter = start_waiter();
  EQUAL(fd_waiter_post(waiter, segment, word, FD_LANE_CONSUMED, 2, 0, 20, 1), 0);
  await(&called[1], 1);
  EQUAL(fd_waiter_stop(waiter), 0);
  close_segment(segment, word);
}

static void waiter_serves_many_posts(void) {
  fd_segment *segment = create_segment(new_name());
  int32_t *word = word_at(map_segment(segment), 0);
  fd_waiter *waiter = start_waiter();
  for (int round = 0; round < ROUNDS; round++) {
    EQUAL(fd_waiter_post(waiter, segment, word, FD_LANE_PUBLISHED, 2, round, LONG_MS, round % 2), 0);
    if (round % 3 == 0) pause_ms(1);
    wake(segment, word, FD_LANE_PUBLISHED);
    await(&called[round % 2], round / 2 + 1);
    /* The callback comes a moment before the thread is free again. */
    while (fd_waiter_post(waiter, segment, word, FD_LANE_PUBLISHED, 2, -1, LONG_MS, 2) == -FD_EBUSY) pause_ms(0);
    await(&called[2], round + 1);
    pause_ms(0);
  }
  EQUAL(fd_waiter_stop(waiter), 0);
  close_segment(segment, word);
}

static void waiters_do_not_disturb_each_other(void) {
  fd_segment *segment = create_segment(new_name());
  int32_t *words = map_segment(segment);
  memset(called, 0, sizeof called);
  fd_waiter *waiters[WAITERS];
  for (int at = 0; at < WAITERS; at++) {
    EQUAL(fd_waiter_start(on_woken, &waiters[at]), 0);
    EQUAL(fd_waiter_post(waiters[at], segment, word_at(words, at % 2), at % 2, at, 0, LONG_MS, at), 0);
  }
  wake(segment, word_at(words, 0), 0);
  for (int at = 0; at < WAITERS; at += 2) await(&called[at], 1);
  for (int at = 1; at < WAITERS; at += 2) EQUAL(get(&called[at]), 0);
  wake(segment, word_at(words, 1), 1);
  for (int at = 1; at < WAITERS; at += 2) await(&called[at], 1);
  for (int at = 0; at < WAITERS; at++) EQUAL(fd_waiter_stop(waiters[at]), 0);
  pause_ms(50);
  close_segment(segment, words);
}

static void stop_lets_no_callback_follow(void) {
  fd_segment *segment = create_segment(new_name());
  int32_t *word = word_at(map_segment(segment), 0);
  for (int round = 0; round < ROUNDS; round++) {
    fd_waiter *waiter = start_waiter();
    const int32_t seen = get(word);
    EQUAL(fd_waiter_post(waiter, segment, word, FD_LANE_PUBLISHED, round, seen, LONG_MS, 3), 0);
    if (round % 8 == 0) pause_ms(1);
    EQUAL(fd_waiter_stop(waiter), 0);
    const int32_t before = get(&called[3]);
    wake(segment, word, FD_LANE_PUBLISHED);
    if (round % 8 == 0) pause_ms(1);
    EQUAL(get(&called[3]), before);
    EQUAL(before, 0);
  }
  pause_ms(100); /* lets the last threads leave the segment */
  close_segment(segment, word);
}

static void stop_ends_a_waiter_that_never_waited(void) {
  for (int round = 0; round < ROUNDS; round++) EQUAL(fd_waiter_stop(start_waiter()), 0);
  pause_ms(50); /* so that the leak sanitizer finds the threads gone */
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_waiter_post calls back when woken", post_calls_back_when_woken},
      {"fd_waiter_post calls back after its time", post_calls_back_after_its_time},
      {"fd_waiter_post can be used again", waiter_serves_many_posts},
      {"fd_waiter_post leaves other waiters alone", waiters_do_not_disturb_each_other},
      {"fd_waiter_stop lets no callback follow", stop_lets_no_callback_follow},
      {"fd_waiter_stop ends a waiter that never waited", stop_ends_a_waiter_that_never_waited},
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
