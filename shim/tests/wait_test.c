/* Waiting and waking between processes. A lost wake shows as the watchdog: every wait is longer than its patience. */
#define _GNU_SOURCE
#include "../thread.h"
#include "harness.h"

enum { LONG_MS = 600000, ROUNDS = 1000, SLEEPERS = 3 };

/* Words: PING and PONG are waited for, READY counts the processes that are about to sleep. */
enum { PING, PONG, READY };

static void wait_ends_at_once_when_the_word_differs(void) {
  fd_segment *segment = create_segment(new_name());
  void *mapping = map_segment(segment);
  set(word_at(mapping, PING), 7);
  EQUAL(fd_wait(segment, word_at(mapping, PING), FD_LANE_PUBLISHED, 0, 6, LONG_MS), 0);
  set(word_at(mapping, PING), -1);
  EQUAL(fd_wait(segment, word_at(mapping, PING), FD_LANE_PUBLISHED, 0, 0, LONG_MS), 0);
  close_segment(segment, mapping);
}

static void wait_ends_after_its_time(void) {
  fd_segment *segment = create_segment(new_name());
  void *mapping = map_segment(segment);
  const double before = now_ms();
  int32_t answer;
  do answer = fd_wait(segment, word_at(mapping, PING), FD_LANE_CONSUMED, 3, 0, 100);
  while (answer == 0); /* a wait may end for no reason; then it is repeated */
  EQUAL(answer, 1);
  CHECK(now_ms() - before >= 90);
  EQUAL(fd_wait(segment, word_at(mapping, PING), FD_LANE_CONSUMED, 3, 0, 0), 1);
  do answer = fd_wait(segment, word_at(mapping, PING), FD_LANE_CONSUMED, 3, 0, 0.25);
  while (answer == 0);
  EQUAL(answer, 1);
  EQUAL(fd_wait(segment, word_at(mapping, PING), FD_LANE_CONSUMED, 3, 0, -5), 1);
  set(word_at(mapping, PING), INT32_MIN);
  EQUAL(fd_wait(segment, word_at(mapping, PING), FD_LANE_CONSUMED, 3, INT32_MIN, 1), 1);
  close_segment(segment, mapping);
}

static void wake_without_sleepers_is_no_error(void) {
  fd_segment *segment = create_segment(new_name());
  void *mapping = map_segment(segment);
  for (int lane = 0; lane < 2; lane++) CHECK(fd_wake(segment, word_at(mapping, lane), lane) >= 0);
  close_segment(segment, mapping);
}

/* Sleeps until the word is at least `value`. */
static void sleep_until(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t value) {
  for (int32_t seen; (seen = get(word)) < value;) {
    EQUAL(fd_wait(segment, word, lane, peer, seen, LONG_MS), 0);
  }
}

static int sleep_once(const char *name) {
  fd_segment *segment = open_segment(name);
  void *mapping = map_segment(segment);
  const int32_t peer = __atomic_fetch_add(word_at(mapping, READY), 1, __ATOMIC_SEQ_CST);
  sleep_until(segment, word_at(mapping, PING), FD_LANE_PUBLISHED, peer, 1);
  close_segment(segment, mapping);
  return 0;
}

static void wake_wakes_every_process(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  void *mapping = map_segment(segment);
  process sleepers[SLEEPERS];
  for (int at = 0; at < SLEEPERS; at++) sleepers[at] = start_process("sleep", name);
  await(word_at(mapping, READY), SLEEPERS);
  pause_ms(100); /* most likely asleep by now; the test holds either way */
  set(word_at(mapping, PING), 1);
  CHECK(fd_wake(segment, word_at(mapping, PING), FD_LANE_PUBLISHED) >= 0);
  for (int at = 0; at < SLEEPERS; at++) EQUAL(finish_process(sleepers[at]), 0);
  close_segment(segment, mapping);
}

static int answer_pings(const char *name) {
  fd_segment *segment = open_segment(name);
  void *mapping = map_segment(segment);
  for (int round = 1; round <= ROUNDS; round++) {
    sleep_until(segment, word_at(mapping, PING), FD_LANE_PUBLISHED, 1, round);
    set(word_at(mapping, PONG), round);
    CHECK(fd_wake(segment, word_at(mapping, PONG), FD_LANE_CONSUMED) >= 0);
  }
  close_segment(segment, mapping);
  return 0;
}

static void wake_is_never_lost_between_two_processes(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  void *mapping = map_segment(segment);
  const process other = start_process("answer", name);
  for (int round = 1; round <= ROUNDS; round++) {
    set(word_at(mapping, PING), round);
    CHECK(fd_wake(segment, word_at(mapping, PING), FD_LANE_PUBLISHED) >= 0);
    sleep_until(segment, word_at(mapping, PONG), FD_LANE_CONSUMED, 0, round);
  }
  EQUAL(finish_process(other), 0);
  close_segment(segment, mapping);
}

static void wake_survives_sleepers_that_were_killed(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  void *mapping = map_segment(segment);
  const process doomed = start_process("sleep", name), other = start_process("sleep", name);
  await(word_at(mapping, READY), 2);
  pause_ms(50);
  kill_process(doomed);
  set(word_at(mapping, PING), 1);
  CHECK(fd_wake(segment, word_at(mapping, PING), FD_LANE_PUBLISHED) >= 0);
  EQUAL(finish_process(other), 0);
  close_segment(segment, mapping);
}

struct sleep {
  fd_segment *segment;
  void *mapping;
};

static fd_thread_result FD_THREAD_CALL sleeps_as_one_peer(void *argument) {
  const struct sleep *sleep = argument;
  add(word_at(sleep->mapping, READY), 1);
  sleep_until(sleep->segment, word_at(sleep->mapping, PING), FD_LANE_PUBLISHED, 5, 1);
  add(word_at(sleep->mapping, PONG), 1);
  return FD_THREAD_DONE;
}

static void wake_wakes_all_sleeps_of_one_peer(void) {
  fd_segment *segment = create_segment(new_name());
  struct sleep sleep = {segment, map_segment(segment)};
  for (int at = 0; at < SLEEPERS; at++) EQUAL(fd_thread_start(sleeps_as_one_peer, &sleep), 0);
  await(word_at(sleep.mapping, READY), SLEEPERS);
  pause_ms(100); /* most likely asleep by now; the test holds either way */
  set(word_at(sleep.mapping, PING), 1);
  CHECK(fd_wake(segment, word_at(sleep.mapping, PING), FD_LANE_PUBLISHED) >= 0);
  await(word_at(sleep.mapping, PONG), SLEEPERS);
  close_segment(segment, sleep.mapping);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_wait ends at once when the word differs", wait_ends_at_once_when_the_word_differs},
      {"fd_wait ends after its time", wait_ends_after_its_time},
      {"fd_wake without sleepers is no error", wake_without_sleepers_is_no_error},
      {"fd_wake wakes every process", wake_wakes_every_process},
      {"fd_wake wakes all sleeps of one peer", wake_wakes_all_sleeps_of_one_peer},
      {"fd_wake is never lost between two processes", wake_is_never_lost_between_two_processes},
      {"fd_wake survives sleepers that were killed", wake_survives_sleepers_that_were_killed},
      {0},
  };
  static const struct role roles[] = {{"sleep", sleep_once}, {"answer", answer_pings}, {0}};
  return run_tests(argc, argv, tests, roles);
}
