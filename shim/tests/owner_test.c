/* Threads that end with segments and sleepers open. No second process: the thread sanitizer runs this file too. */
#define _GNU_SOURCE
#include "../thread.h"
#include "harness.h"

#include <math.h>

enum { MINE = 1, THEIRS = 2, THREADS = 4, ROUNDS = 200 };

/* What a thread is told, and what it tells. */
struct work {
  const char *name;
  int32_t lock; /* the peer it is; 0 none */
  int32_t has_begun, may_end;
  unsigned char *mapping;
  fd_segment *segment;
  fd_sleeper *sleeper;
  int32_t answer;
};

static void begin(struct work *work, fd_thread_result(FD_THREAD_CALL *run)(void *)) {
  EQUAL(fd_thread_start(run, work), 0);
  while (get(&work->has_begun) == 0) pause_ms(1);
}

/* What it was told is on the stack of a test. */
static void end(struct work *work) {
  set(&work->may_end, 1);
  while (get(&work->has_begun) != 0) pause_ms(0);
}

static void await_end(struct work *work) {
  set(&work->has_begun, 1);
  while (get(&work->may_end) == 0) pause_ms(1);
  set(&work->has_begun, 0);
}

static fd_thread_result FD_THREAD_CALL opens(void *argument) {
  struct work *work = argument;
  work->segment = open_segment(work->name);
  work->mapping = map_segment(work->segment);
  if (work->lock != 0) EQUAL(fd_lock(work->segment, work->lock), 1);
  await_end(work);
  return FD_THREAD_DONE;
}

static fd_thread_result FD_THREAD_CALL creates(void *argument) {
  struct work *work = argument;
  work->segment = create_segment(work->name);
  work->mapping = map_segment(work->segment);
  memset(work->mapping, 5, SEGMENT_BYTES);
  EQUAL(fd_lock(work->segment, work->lock), 1);
  await_end(work);
  return FD_THREAD_DONE;
}

#if defined(__linux__)
#include <dirent.h>
static int count_files(void) {
  DIR *directory = opendir("/proc/self/fd");
  CHECK(directory != NULL);
  int count = 0;
  while (readdir(directory) != NULL) count++;
  closedir(directory);
  return count;
}
#else
static int count_files(void) { return 0; }
#endif

static void end_of_a_thread_lets_its_segments_go(void) {
  const int files = count_files();
  struct work work = {.name = new_name(), .lock = MINE};
  begin(&work, creates);
  const double retired = fd_retired();
  end(&work);
  while (is_listed(work.name)) pause_ms(1);
  EQUAL(fd_retired() - retired, SEGMENT_BYTES);
  for (int at = 0; at < SEGMENT_BYTES; at++) CHECK(work.mapping[at] == 0);
  memset(work.mapping, 1, SEGMENT_BYTES);
  while (count_files() != files) pause_ms(1);
}

static void end_of_a_thread_leaves_the_memory_to_others(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  unsigned char *mapping = map_segment(segment);
  EQUAL(fd_lock(segment, THEIRS), 1);
  struct work work = {.name = name, .lock = MINE};
  begin(&work, opens);
  EQUAL(fd_lock_held(segment, MINE), 1);
  memset(work.mapping, 5, SEGMENT_BYTES);
  const double retired = fd_retired();
  end(&work);
  while (fd_lock_held(segment, MINE) != 0) pause_ms(1);
  /* The proof of death comes last: nothing of that thread reaches us any more. The sanitizer does not know of locks on
   * files, but of the counter. */
  CHECK(fd_retired() - retired == SEGMENT_BYTES);
  memset(work.mapping, 6, SEGMENT_BYTES);
  for (int at = 0; at < SEGMENT_BYTES; at++) CHECK(mapping[at] == 5);
  CHECK(is_listed(name));
  close_segment(segment, mapping);
}

static void end_of_a_thread_that_was_no_peer_keeps_the_name(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  struct work work = {.name = name};
  begin(&work, opens);
  const double retired = fd_retired();
  end(&work);
  while (fd_retired() == retired) pause_ms(1);
  pause_ms(20);
  CHECK(is_listed(name));
  close_segment(segment, NULL);
}

static void end_of_a_thread_waits_for_the_membership_lock(void) {
  const char *name = new_name();
  struct work work = {.name = name, .lock = MINE};
  begin(&work, creates);
  fd_segment *segment = open_segment(name);
  EQUAL(fd_lock(segment, FD_LOCK_MEMBERS), 1);
  end(&work);
  /* Not for ever: the lock is given back whether or not the name could be removed. */
  while (fd_lock_held(segment, MINE) != 0) pause_ms(1);
  EQUAL(fd_unlock(segment, FD_LOCK_MEMBERS), 0);
  close_segment(segment, NULL);
}

static fd_thread_result FD_THREAD_CALL opens_twice(void *argument) {
  struct work *work = argument;
  fd_segment *first = create_segment(work->name), *second = open_segment(work->name);
  EQUAL(fd_lock(first, MINE), 1);
  EQUAL(fd_lock(second, THEIRS), 1);
  map_segment(first);
  map_segment(second);
  await_end(work);
  return FD_THREAD_DONE;
}

static void end_of_a_thread_with_two_peers_frees_the_name(void) {
  struct work work = {.name = new_name()};
  begin(&work, opens_twice);
  end(&work);
  while (is_listed(work.name)) pause_ms(1);
}

/* Each of them may see the other one alive. */
static void ends_of_threads_together_free_the_name(void) {
  for (int round = 0; round < 20; round++) {
    struct work works[3];
    const char *name = new_name();
    for (int at = 0; at < 3; at++) {
      works[at] = (struct work){.name = name, .lock = MINE + at};
      begin(&works[at], at == 0 ? creates : opens);
    }
    for (int at = 0; at < 3; at++) set(&works[at].may_end, 1);
    for (int at = 0; at < 3; at++) end(&works[at]);
    while (is_listed(name)) pause_ms(1);
  }
}

static void segments_may_be_closed_by_another_thread(void) {
  for (int round = 0; round < 20; round++) {
    struct work work = {.name = new_name(), .lock = MINE};
    begin(&work, creates);
    fd_segment *other = open_segment(work.name);
    EQUAL(fd_segment_unlink(work.segment), 1);
    close_segment(work.segment, work.mapping);
    EQUAL(fd_lock_held(other, MINE), 0);
    end(&work);
    close_segment(other, NULL);
  }
}

static int32_t alive;

/* Whatever is open when it ends. */
static fd_thread_result FD_THREAD_CALL comes_and_goes(void *argument) {
  struct work *work = argument;
  for (int at = 0; at < 3; at++) {
    fd_segment *segment = open_segment(work->name);
    map_segment(segment);
    if (at == 1) EQUAL(fd_segment_retire(segment, 16384), 0);
    if (at == 2) close_segment(segment, NULL);
  }
  fd_sleeper *sleeper = NULL;
  EQUAL(fd_sleeper_make(&sleeper), 0);
  if (get(&work->answer) % 2) {
    const int32_t socket = fd_sleeper_start(sleeper);
    CHECK(socket >= 0);
#if !defined(_WIN32)
    close(socket); /* as a runtime does */
#endif
  }
  add(&work->answer, 1);
  add(&alive, -1);
  return FD_THREAD_DONE;
}

static void threads_end_side_by_side(void) {
  const int files = count_files();
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  struct work work = {.name = name};
  for (int round = 0; round < ROUNDS; round++) {
    while (get(&alive) >= THREADS) pause_ms(1);
    add(&alive, 1);
    EQUAL(fd_thread_start(comes_and_goes, &work), 0);
  }
  await(&alive, 0);
  close_segment(segment, NULL);
  while (count_files() != files) pause_ms(1);
}

static fd_thread_result FD_THREAD_CALL makes_a_sleeper(void *argument) {
  struct work *work = argument;
  work->segment = open_segment(work->name);
  work->mapping = map_segment(work->segment);
  EQUAL(fd_sleeper_make(&work->sleeper), 0);
  int32_t *word = word_at(work->mapping, 0);
  EQUAL(fd_sleeper_watch(work->sleeper, 0, work->segment, word, 0, 0, get(word), INFINITY), 0);
  await_end(work);
  return FD_THREAD_DONE;
}

static fd_thread_result FD_THREAD_CALL sleeps(void *argument) {
  struct work *work = argument;
  set(&work->answer, fd_sleeper_sleep(work->sleeper));
  return FD_THREAD_DONE;
}

/* As in a runtime whose calls beside the event loop are made by a pool of threads. */
static void end_of_a_thread_ends_its_sleep_in_another(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  EQUAL(fd_lock(segment, THEIRS), 1);
  for (int round = 0; round < 50; round++) {
    struct work work = {.name = name, .answer = 99};
    begin(&work, makes_a_sleeper);
    EQUAL(fd_thread_start(sleeps, &work), 0);
    if (round % 2) pause_ms(2);
    end(&work);
    await(&work.answer, 1);
    EQUAL(fd_sleeper_sleep(work.sleeper), 1);
    EQUAL(fd_sleeper_stop(work.sleeper), -FD_EINVAL);
  }
  close_segment(segment, NULL);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"the end of a thread lets its segments go", end_of_a_thread_lets_its_segments_go},
      {"the end of a thread leaves the memory to others", end_of_a_thread_leaves_the_memory_to_others},
      {"the end of a thread that was no peer keeps the name", end_of_a_thread_that_was_no_peer_keeps_the_name},
      {"the end of a thread waits a while for the membership lock", end_of_a_thread_waits_for_the_membership_lock},
      {"the end of a thread with two peers frees the name", end_of_a_thread_with_two_peers_frees_the_name},
      {"the ends of threads together free the name", ends_of_threads_together_free_the_name},
      {"the end of a thread ends its sleep in another", end_of_a_thread_ends_its_sleep_in_another},
      {"fd_segment_close works in any thread", segments_may_be_closed_by_another_thread},
      {"threads end side by side", threads_end_side_by_side},
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
