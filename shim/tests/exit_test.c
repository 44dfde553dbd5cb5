/* Processes that end by themselves with segments open, and forks of them. */
#define _GNU_SOURCE
#include "../thread.h"
#include "harness.h"

#include <sys/wait.h>
#include <unistd.h>

enum { MINE = 1, THEIRS = 2, CODE = 7, THREADS = 3, ROUNDS = 40 };

static fd_segment *joined(const char *name, int32_t lock) {
  fd_segment *segment = open_segment(name);
  memset(map_segment(segment), 1, 64);
  EQUAL(fd_lock(segment, lock), 1);
  return segment;
}

static int exits(const char *name) {
  joined(name, MINE);
  exit(CODE);
}

#if !defined(__APPLE__)
static int exits_quickly(const char *name) {
  joined(name, MINE);
  quick_exit(CODE);
}
#endif

static int exits_in_an_instant(const char *name) {
  joined(name, MINE);
  _exit(CODE);
}

static void name_goes_with_the_last_process(const char *role) {
  const char *name = new_name();
  close_segment(create_segment(name), NULL);
  EQUAL(finish_process(start_process(role, name)), CODE);
  CHECK(!is_listed(name));
}

static void exit_frees_the_name(void) { name_goes_with_the_last_process("exits"); }

#if !defined(__APPLE__)
static void quick_exit_frees_the_name(void) { name_goes_with_the_last_process("exits-quickly"); }
#endif

static void exit_leaves_others_their_name(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  unsigned char *mapping = map_segment(segment);
  EQUAL(fd_lock(segment, THEIRS), 1);
  EQUAL(finish_process(start_process("exits", name)), CODE);
  CHECK(is_listed(name));
  EQUAL(fd_lock_held(segment, MINE), 0);
  EQUAL(mapping[0], 1);
  close_segment(segment, mapping);
}

static void an_instant_exit_leaves_a_stale_name(void) {
  const char *name = new_name();
  close_segment(create_segment(name), NULL);
  EQUAL(finish_process(start_process("exits-in-an-instant", name)), CODE);
  CHECK(is_listed(name));
  fd_segment *segment = open_segment(name);
  EQUAL(fd_lock_held(segment, MINE), 0);
  EQUAL(fd_segment_unlink(segment), 1);
  close_segment(segment, NULL);
}

static fd_thread_result FD_THREAD_CALL goes_on(void *argument) {
  for (int turn = 0;; turn++) {
    fd_segment *segment = NULL;
    void *mapping = NULL;
    if (fd_segment_open(argument, &segment) != 0) continue; /* the name has gone: this is the end */
    if (fd_segment_map(segment, SEGMENT_BYTES, &mapping) != 0) continue;
    fd_lock(segment, THEIRS + 1 + turn % 8);
    memset(mapping, 1, SEGMENT_BYTES);
    if (turn % 3 == 0) fd_segment_retire(segment, 16384);
    if (turn % 3 == 1) fd_segment_unmap(segment);
    if (turn % 5 == 0) fd_segment_unlink(segment);
    fd_segment_close(segment);
  }
  return FD_THREAD_DONE;
}

static fd_thread_result FD_THREAD_CALL comes_and_goes(void *argument) {
  for (;;) {
    fd_segment *segment = NULL;
    void *mapping = NULL;
    if (fd_segment_open(argument, &segment) == 0) fd_segment_map(segment, SEGMENT_BYTES, &mapping);
    fd_sleeper *sleeper = NULL;
    if (fd_sleeper_make(&sleeper) == 0 && mapping != NULL) {
      fd_sleeper_watch(sleeper, 0, segment, mapping, 0, 0, 0, 1000);
      fd_sleeper_start(sleeper);
    }
    return FD_THREAD_DONE;
  }
}

/* Other threads open, write, close and end while the process does. */
static int exits_in_full_swing(const char *name) {
  static char copy[FD_NAME_BYTES + 1];
  strcpy(copy, name);
  joined(name, MINE);
  for (int at = 0; at < THREADS; at++) EQUAL(fd_thread_start(goes_on, copy), 0);
  for (int at = 0; at < 20; at++) {
    EQUAL(fd_thread_start(comes_and_goes, copy), 0);
    if (at % 8 == 0) pause_ms(1);
  }
  exit(CODE);
}

static void exit_is_safe_in_full_swing(void) {
  for (int round = 0; round < ROUNDS; round++) {
    const char *name = new_name();
    close_segment(create_segment(name), NULL);
    EQUAL(finish_process(start_process("exits-in-full-swing", name)), CODE);
  }
}

/* A fork shares its parent's descriptions, and so its locks. */
static void a_fork_keeps_its_hands_off(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name), *other = open_segment(name);
  unsigned char *mapping = map_segment(segment);
  EQUAL(fd_lock(segment, MINE), 1);
  fflush(NULL);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) exit(mapping[0]);
  mapping[1] = 1;
  int status = 0;
  EQUAL(waitpid(child, &status, 0), child);
  EQUAL(status, 0);
  EQUAL(fd_lock_held(other, MINE), 1);
  CHECK(is_listed(name));
  EQUAL(mapping[1], 1);
  close_segment(other, NULL);
  close_segment(segment, mapping);
}

static void leaves(void *argument) {
  (void)argument;
  _exit(0);
}

static fd_thread_result FD_THREAD_CALL forks(void *argument) {
  joined(argument, MINE);
  const pid_t child = fork();
  if (child == 0) {
    /* The only thread there. Destructors run in the order in which their keys were made: this one ends the process
     * before the sanitizer looks for threads that a fork does not have. */
    pthread_key_t late;
    EQUAL(pthread_key_create(&late, leaves), 0);
    EQUAL(pthread_setspecific(late, &late), 0);
    return FD_THREAD_DONE;
  }
  int status = -1;
  waitpid(child, &status, 0);
  fd_segment *other = open_segment(argument);
  int32_t *words = map_segment(other);
  EQUAL(fd_lock_held(other, MINE), 1);
  set(word_at(words, 1), status == 0 ? 1 : 2);
  close_segment(other, words);
  return FD_THREAD_DONE;
}

static void a_fork_of_a_thread_keeps_its_hands_off(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  int32_t *words = map_segment(segment);
  EQUAL(fd_lock(segment, THEIRS), 1);
  EQUAL(fd_thread_start(forks, (void *)(uintptr_t)name), 0);
  while (get(word_at(words, 1)) == 0) pause_ms(1);
  EQUAL(get(word_at(words, 1)), 1);
  while (fd_lock_held(segment, MINE) != 0) pause_ms(1);
  close_segment(segment, words);
}

/* A fork has what it opens itself, beside what it has inherited. */
static int exits_with_both(const char *name) {
  fd_segment *segment = joined(name, MINE);
  const pid_t child = fork();
  if (child == 0) {
    EQUAL(fd_lock_held(segment, MINE), 0); /* the description is shared: its own */
    fd_segment *other = joined(name, THEIRS);
    EQUAL(fd_lock_held(other, MINE), 1);
    exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  fd_segment *other = open_segment(name);
  EQUAL(status, 0);
  EQUAL(fd_lock_held(other, MINE), 1);
  EQUAL(fd_lock_held(other, THEIRS), 0);
  CHECK(is_listed(name));
  exit(CODE);
}

static void a_fork_ends_what_it_opened(void) { name_goes_with_the_last_process("exits-with-both"); }

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"exit frees the name", exit_frees_the_name},
#if !defined(__APPLE__)
      {"quick_exit frees the name", quick_exit_frees_the_name},
#endif
      {"exit leaves others their name", exit_leaves_others_their_name},
      {"exit is safe in full swing", exit_is_safe_in_full_swing},
      {"_exit leaves a stale name and no lock", an_instant_exit_leaves_a_stale_name},
      {"a fork keeps its hands off", a_fork_keeps_its_hands_off},
      {"a fork of a thread keeps its hands off", a_fork_of_a_thread_keeps_its_hands_off},
      {"a fork ends what it opened itself", a_fork_ends_what_it_opened},
      {0},
  };
  static const struct role roles[] = {{"exits", exits},
#if !defined(__APPLE__)
                                      {"exits-quickly", exits_quickly},
#endif
                                      {"exits-in-an-instant", exits_in_an_instant},
                                      {"exits-in-full-swing", exits_in_full_swing},
                                      {"exits-with-both", exits_with_both},
                                      {0}};
  return run_tests(argc, argv, tests, roles);
}
