/* Locks that die with their holder. */
#include "harness.h"

enum { LAST_LOCK = 1 + 1023 + 32 }; /* the last peer that there can be */

static void lock_excludes_other_handles_only(void) {
  const char *name = new_name();
  fd_segment *one = create_segment(name), *two = open_segment(name);
  const int32_t indices[] = {FD_LOCK_MEMBERS, FD_LOCK_PEER, LAST_LOCK};
  for (int at = 0; at < 3; at++) {
    const int32_t index = indices[at];
    EQUAL(fd_lock_held(one, index), 0);
    EQUAL(fd_lock(one, index), 1);
    EQUAL(fd_lock(one, index), 1);
    EQUAL(fd_lock(two, index), 0);
    EQUAL(fd_lock_held(one, index), 0); /* its own does not count */
    EQUAL(fd_lock_held(two, index), 1);
    EQUAL(fd_unlock(two, index), 0);
    EQUAL(fd_lock_held(two, index), 1); /* only its holder gives it back */
    EQUAL(fd_unlock(one, index), 0);
    EQUAL(fd_lock_held(two, index), 0);
    EQUAL(fd_lock(two, index), 1);
    EQUAL(fd_lock_held(one, index), 1);
    EQUAL(fd_unlock(two, index), 0);
  }
  close_segment(two, NULL);
  close_segment(one, NULL);
}

static void locks_do_not_touch_each_other(void) {
  const char *name = new_name();
  fd_segment *one = create_segment(name), *two = open_segment(name);
  for (int index = 0; index < 8; index++) EQUAL(fd_lock(index % 2 ? one : two, index), 1);
  for (int index = 0; index < 8; index++) {
    EQUAL(fd_lock_held(one, index), index % 2 == 0);
    EQUAL(fd_lock_held(two, index), index % 2 == 1);
  }
  EQUAL(fd_unlock(one, 3), 0);
  for (int index = 0; index < 8; index++) EQUAL(fd_lock_held(two, index), index % 2 == 1 && index != 3);
  close_segment(one, NULL);
  close_segment(two, NULL);
}

static void close_gives_locks_back(void) {
  const char *name = new_name();
  fd_segment *one = create_segment(name), *two = open_segment(name);
  void *mapping = map_segment(two);
  EQUAL(fd_lock(two, 5), 1);
  close_segment(two, mapping);
  EQUAL(fd_lock_held(one, 5), 0);
  EQUAL(fd_lock(one, 5), 1);
  close_segment(one, NULL);
}

static void segments_of_one_name_have_locks_of_their_own(void) {
  const char *name = new_name();
  fd_segment *old = create_segment(name);
  EQUAL(fd_lock(old, 1), 1);
  EQUAL(fd_segment_unlink(old), 1);
  fd_segment *next = create_segment(name);
  EQUAL(fd_lock_held(next, 1), 0);
  EQUAL(fd_lock(next, 1), 1);
  close_segment(next, NULL);
  close_segment(old, NULL);
}

static void lock_can_be_taken_before_the_name(void) {
  const char *name = new_name();
  fd_segment *made = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &made), 0);
  EQUAL(fd_lock(made, 1), 1);
  EQUAL(fd_segment_name(made), 0);
  fd_segment *opened = open_segment(name);
  EQUAL(fd_lock_held(opened, 1), 1);
  close_segment(opened, NULL);
  close_segment(made, NULL);
}

static int hold(const char *name) {
  fd_segment *segment = open_segment(name);
  void *mapping = map_segment(segment);
  EQUAL(fd_lock(segment, 1), 1);
  EQUAL(fd_lock(segment, LAST_LOCK), 1);
  set(word_at(mapping, 0), 1);
  hang();
}

static void death_gives_locks_back(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  void *mapping = map_segment(segment);
  for (int round = 0; round < 5; round++) {
    set(word_at(mapping, 0), 0);
    const process child = start_process("hold", name);
    await(word_at(mapping, 0), 1);
    EQUAL(fd_lock(segment, 1), 0);
    EQUAL(fd_lock_held(segment, LAST_LOCK), 1);
    kill_process(child);
    while (fd_lock_held(segment, LAST_LOCK) != 0 || fd_lock_held(segment, 1) != 0) pause_ms(1);
    EQUAL(fd_lock(segment, 1), 1);
    EQUAL(fd_unlock(segment, 1), 0);
  }
  close_segment(segment, mapping);
}

enum { RIVALS = 3, TURNS = 500 };

/* The counter is plain memory: only the lock keeps the rivals from losing each other's turns. */
static int count_in_turn(const char *name) {
  fd_segment *segment = open_segment(name);
  volatile int32_t *counter = word_at(map_segment(segment), 0);
  for (int turn = 0; turn < TURNS; turn++) {
    int32_t answer;
    while ((answer = fd_lock(segment, FD_LOCK_MEMBERS)) == 0) pause_ms(0);
    EQUAL(answer, 1);
    const int32_t seen = *counter;
    if (turn % 16 == 0) pause_ms(0);
    *counter = seen + 1;
    EQUAL(fd_unlock(segment, FD_LOCK_MEMBERS), 0);
  }
  return 0;
}

static void lock_lets_one_process_in(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  void *mapping = map_segment(segment);
  process rivals[RIVALS];
  for (int at = 0; at < RIVALS; at++) rivals[at] = start_process("turns", name);
  for (int at = 0; at < RIVALS; at++) EQUAL(finish_process(rivals[at]), 0);
  EQUAL(get(word_at(mapping, 0)), RIVALS * TURNS);
  close_segment(segment, mapping);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_lock excludes other handles only", lock_excludes_other_handles_only},
      {"fd_lock leaves other locks alone", locks_do_not_touch_each_other},
      {"fd_lock lets one process in", lock_lets_one_process_in},
      {"fd_lock is another one in another segment of the name", segments_of_one_name_have_locks_of_their_own},
      {"fd_lock can be taken before the name", lock_can_be_taken_before_the_name},
      {"fd_segment_close gives locks back", close_gives_locks_back},
      {"fd_lock_held is 0 when the holder was killed", death_gives_locks_back},
      {0},
  };
  static const struct role roles[] = {{"hold", hold}, {"turns", count_in_turn}, {0}};
  return run_tests(argc, argv, tests, roles);
}
