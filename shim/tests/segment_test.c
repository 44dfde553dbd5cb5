/* Segments and their names. */
#include "harness.h"

#include <math.h>

static void published_segment_is_the_same_memory_for_all(void) {
  const char *name = new_name();
  fd_segment *made = create_segment(name), *opened = open_segment(name);
  unsigned char *first = map_segment(made), *second = map_segment(opened);
  for (int at = 0; at < SEGMENT_BYTES; at++) CHECK(first[at] == 0);
  first[0] = 1;
  first[SEGMENT_BYTES - 1] = 2;
  EQUAL(second[0], 1);
  EQUAL(second[SEGMENT_BYTES - 1], 2);
  close_segment(opened, second);
  close_segment(made, first);
}

static void info_tells_size_owner_and_link(void) {
  const char *name = new_name();
  fd_segment *made = create_segment(name), *opened = open_segment(name);
  double info[FD_INFO_COUNT];
  EQUAL(fd_segment_info(opened, info), 0);
  CHECK(info[FD_INFO_BYTES] >= SEGMENT_BYTES && info[FD_INFO_BYTES] < SEGMENT_BYTES + 65536);
  EQUAL(info[FD_INFO_MODE], 0600);
  EQUAL(info[FD_INFO_OWNER], info[FD_INFO_SELF]);
  EQUAL(info[FD_INFO_LINKED], 1);
  EQUAL(fd_segment_unlink(made), 1);
  EQUAL(fd_segment_info(opened, info), 0);
  EQUAL(info[FD_INFO_LINKED], 0);
  close_segment(opened, NULL);
  close_segment(made, NULL);
}

static void created_segment_has_no_name_before_publish(void) {
  const char *name = new_name();
  fd_segment *made = NULL, *opened = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &made), 0);
  EQUAL(fd_segment_open(name, &opened), -FD_ENOENT);
  CHECK(!is_listed(name));
  double info[FD_INFO_COUNT];
  EQUAL(fd_segment_info(made, info), 0);
  EQUAL(info[FD_INFO_LINKED], 0);
  EQUAL(fd_segment_unlink(made), 0);
  EQUAL(fd_segment_name(made), 0);
  CHECK(is_listed(name));
  close_segment(made, NULL);
}

static void publish_refuses_a_taken_name(void) {
  const char *name = new_name();
  fd_segment *late = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &late), 0);
  fd_segment *made = create_segment(name);
  unsigned char *mapping = map_segment(made);
  mapping[0] = 9;
  EQUAL(fd_segment_name(late), -FD_EEXIST);
  EQUAL(fd_segment_unlink(late), 0);
  close_segment(late, NULL);
  fd_segment *opened = open_segment(name);
  unsigned char *seen = map_segment(opened);
  EQUAL(seen[0], 9);
  close_segment(opened, seen);
  EQUAL(fd_segment_unlink(made), 1);
  close_segment(made, mapping);
}

static void unlink_frees_the_name_and_keeps_the_memory(void) {
  const char *name = new_name();
  fd_segment *old = create_segment(name), *none = NULL;
  unsigned char *mapping = map_segment(old);
  mapping[5] = 5;
  EQUAL(fd_segment_unlink(old), 1);
  EQUAL(fd_segment_unlink(old), 0);
  EQUAL(fd_segment_open(name, &none), -FD_ENOENT);
  CHECK(!is_listed(name));
  fd_segment *next = create_segment(name), *opened = open_segment(name);
  unsigned char *seen = map_segment(opened);
  EQUAL(seen[5], 0);
  EQUAL(mapping[5], 5);
  EQUAL(fd_segment_unlink(old), 0); /* the name is another segment's now */
  CHECK(is_listed(name));
  EQUAL(fd_segment_unlink(opened), 1);
  close_segment(opened, seen);
  close_segment(next, NULL);
  close_segment(old, mapping);
}

static void unlink_by_name_asks_no_questions(void) {
  const char *name = new_name();
  EQUAL(fd_unlink(name), -FD_ENOENT);
  fd_segment *made = create_segment(name), *none = NULL;
  EQUAL(fd_unlink(name), 0);
  EQUAL(fd_unlink(name), -FD_ENOENT);
  EQUAL(fd_segment_open(name, &none), -FD_ENOENT);
  close_segment(made, NULL);
}

static void list_tells_what_it_needs_and_writes_no_further(void) {
  const char *first = new_name(), *second = new_name();
  fd_segment *one = create_segment(first), *two = create_segment(second);
  CHECK(is_listed(first) && is_listed(second));
  CHECK(fd_list(NULL, 0) >= (int32_t)(strlen(first) + strlen(second) + 2));
  char out[64];
  memset(out, '#', sizeof out);
  CHECK(fd_list(out, 8) > 8);
  for (int at = 8; at < (int)sizeof out; at++) EQUAL(out[at], '#');
  EQUAL(fd_segment_unlink(one), 1);
  CHECK(!is_listed(first) && is_listed(second));
  close_segment(one, NULL);
  close_segment(two, NULL);
}

static void names_that_are_none_are_refused(void) {
  char name[FD_NAME_BYTES + 2];
  memset(name, 'n', sizeof name);
  name[FD_NAME_BYTES + 1] = 0;
  fd_segment *segment = NULL;
  EQUAL(fd_segment_open(name, &segment), -FD_ENAMETOOLONG);
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &segment), -FD_ENAMETOOLONG);
  EQUAL(fd_unlink(name), -FD_ENAMETOOLONG);
  name[FD_NAME_BYTES] = 0;
  EQUAL(fd_segment_open(name, &segment), -FD_ENOENT);
  static const char *const bad[] = {"", ".x", "a/b", "../a", "a b", "a\nb", "a\\b", "\xc3\xa9"};
  for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) {
    EQUAL(fd_segment_open(bad[at], &segment), -FD_EINVAL);
    EQUAL(fd_segment_create(bad[at], SEGMENT_BYTES, 0600, &segment), -FD_EINVAL);
    EQUAL(fd_unlink(bad[at]), -FD_EINVAL);
  }
  CHECK(segment == NULL);
}

static void create_takes_the_longest_name(void) {
  char name[FD_NAME_BYTES + 1];
  memset(name, 'n', sizeof name);
  const char *own = new_name();
  memcpy(name, own, strlen(own));
  name[FD_NAME_BYTES] = 0;
  fd_segment *made = create_segment(name);
  close_segment(open_segment(name), NULL);
  CHECK(is_listed(name));
  EQUAL(fd_unlink(name), 0);
  close_segment(made, NULL);
}

static void create_refuses_sizes_that_cannot_be(void) {
  const char *name = new_name();
  fd_segment *segment = NULL;
  double before[2 * FD_LIMITS], after[2 * FD_LIMITS];
  EQUAL(fd_limits(before), 0);
  const double none[] = {0, -1, 0.5, NAN, INFINITY, 1e300};
  for (size_t at = 0; at < sizeof none / sizeof *none; at++) {
    EQUAL(fd_segment_create(name, none[at], 0600, &segment), -FD_EINVAL);
  }
  /* A petabyte: more than there is anywhere, so it is refused before anything is taken. */
  const int32_t answer = fd_segment_create(name, 1125899906842624.0, 0600, &segment);
  CHECK(answer == -FD_ENOSPC || answer == -FD_ENOMEM);
  EQUAL(fd_limits(after), 0);
  const int left = 2 * FD_LIMIT_FILE_SYSTEM;
  CHECK(before[left] < 0 || after[left] > before[left] * 0.9);
  CHECK(segment == NULL && !is_listed(name));
}

static void limits_are_known_or_minus_one(void) {
  double limits[2 * FD_LIMITS];
  EQUAL(fd_limits(limits), 0);
  for (int at = 0; at < 2 * FD_LIMITS; at += 2) {
    CHECK((limits[at] == -1 && limits[at + 1] == -1) || (limits[at] >= 0 && limits[at] <= limits[at + 1]));
  }
  CHECK(limits[2 * FD_LIMIT_MEMORY] > 0);
}

static int identity(const char *name) {
  fd_segment *segment = open_segment(name);
  void *mapping = map_segment(segment);
  EQUAL(fd_identity(mapping), 0);
  close_segment(segment, mapping);
  return 0;
}

static void identity_is_stable_and_a_process_s_own(void) {
  double mine[2], again[2];
  EQUAL(fd_identity(mine), 0);
  EQUAL(fd_identity(again), 0);
  EQUAL(mine[0], again[0]);
  EQUAL(mine[1], again[1]);
  for (int at = 0; at < 2; at++) CHECK(mine[at] > 0 && mine[at] < 9007199254740992.0 && mine[at] == floor(mine[at]));
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  double *theirs = map_segment(segment);
  EQUAL(finish_process(start_process("identity", name)), 0);
  CHECK(theirs[0] > 0 && theirs[0] != mine[0]);
  CHECK(theirs[1] >= mine[1]);
  close_segment(segment, theirs);
}

static int die_unpublished(const char *name) {
  fd_segment *told = open_segment(name), *made = NULL;
  char unborn[FD_NAME_BYTES + 8];
  snprintf(unborn, sizeof unborn, "%s.u", name);
  EQUAL(fd_segment_create(unborn, SEGMENT_BYTES, 0600, &made), 0);
  memset(map_segment(made), 1, SEGMENT_BYTES);
  set(word_at(map_segment(told), 0), 1);
  hang();
}

static void death_before_publish_leaves_nothing(void) {
  const char *name = new_name();
  char unborn[FD_NAME_BYTES + 8];
  snprintf(unborn, sizeof unborn, "%s.u", name);
  fd_segment *told = create_segment(name), *none = NULL;
  void *mapping = map_segment(told);
  const process child = start_process("die-unpublished", name);
  await(word_at(mapping, 0), 1);
  kill_process(child);
  CHECK(!is_listed(unborn));
  EQUAL(fd_segment_open(unborn, &none), -FD_ENOENT);
  fd_segment *made = create_segment(unborn);
  EQUAL(fd_segment_unlink(made), 1);
  close_segment(made, NULL);
  close_segment(told, mapping);
}

static int keep(const char *name) {
  fd_segment *segment = open_segment(name);
  set(word_at(map_segment(segment), 0), 1);
  hang();
}

static void memory_lives_as_long_as_anyone_has_it(void) {
  const char *name = new_name();
  fd_segment *made = create_segment(name);
  void *mapping = map_segment(made);
  const process child = start_process("keep", name);
  await(word_at(mapping, 0), 1);
  set(word_at(mapping, 1), 42);
  close_segment(made, mapping);
  fd_segment *opened = open_segment(name);
  mapping = map_segment(opened);
  EQUAL(get(word_at(mapping, 1)), 42);
  kill_process(child);
  EQUAL(get(word_at(mapping, 1)), 42);
  close_segment(open_segment(name), NULL);
  EQUAL(fd_segment_unlink(opened), 1);
  close_segment(opened, mapping);
}

enum { PUBLISHERS = 4, ROUNDS = 40 };

/* Words: 0 round to begin, 1 winners of this round, 2 done with this round. */
static int race_to_publish(const char *name) {
  fd_segment *told = open_segment(name);
  void *mapping = map_segment(told);
  char prize[FD_NAME_BYTES + 8];
  snprintf(prize, sizeof prize, "%s.p", name);
  for (int round = 1; round <= ROUNDS; round++) {
    fd_segment *made = NULL;
    EQUAL(fd_segment_create(prize, SEGMENT_BYTES, 0600, &made), 0);
    while (get(word_at(mapping, 0)) < round) pause_ms(0);
    const int32_t answer = fd_segment_name(made);
    CHECK(answer == 0 || answer == -FD_EEXIST);
    if (answer == 0) add(word_at(mapping, 1), 1);
    add(word_at(mapping, 2), 1);
    while (get(word_at(mapping, 2)) < PUBLISHERS * round) pause_ms(0);
    if (answer == 0) EQUAL(fd_segment_unlink(made), 1);
    close_segment(made, NULL);
    add(word_at(mapping, 3), 1);
  }
  close_segment(told, mapping);
  return 0;
}

static void publish_has_one_winner(void) {
  const char *name = new_name();
  fd_segment *told = create_segment(name);
  void *mapping = map_segment(told);
  process racers[PUBLISHERS];
  for (int at = 0; at < PUBLISHERS; at++) racers[at] = start_process("race", name);
  for (int round = 1; round <= ROUNDS; round++) {
    set(word_at(mapping, 0), round);
    await(word_at(mapping, 3), PUBLISHERS * round);
    EQUAL(get(word_at(mapping, 1)), round);
  }
  for (int at = 0; at < PUBLISHERS; at++) EQUAL(finish_process(racers[at]), 0);
  close_segment(told, mapping);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_segment_name gives all the same zeroed memory", published_segment_is_the_same_memory_for_all},
      {"fd_segment_info tells size, owner and link", info_tells_size_owner_and_link},
      {"fd_segment_create gives no name before fd_segment_name", created_segment_has_no_name_before_publish},
      {"fd_segment_name refuses a taken name", publish_refuses_a_taken_name},
      {"fd_segment_name has one winner", publish_has_one_winner},
      {"fd_segment_unlink frees the name and keeps the memory", unlink_frees_the_name_and_keeps_the_memory},
      {"fd_unlink asks no questions", unlink_by_name_asks_no_questions},
      {"fd_list tells what it needs and writes no further", list_tells_what_it_needs_and_writes_no_further},
      {"fd_segment_open refuses what cannot be a name", names_that_are_none_are_refused},
      {"fd_segment_create takes the longest name", create_takes_the_longest_name},
      {"fd_segment_create refuses sizes that cannot be", create_refuses_sizes_that_cannot_be},
      {"fd_segment_create leaves nothing when its process dies", death_before_publish_leaves_nothing},
      {"fd_segment_close leaves the memory to the others", memory_lives_as_long_as_anyone_has_it},
      {"fd_limits are known or minus one", limits_are_known_or_minus_one},
      {"fd_identity is stable and a process's own", identity_is_stable_and_a_process_s_own},
      {0},
  };
  static const struct role roles[] = {
      {"die-unpublished", die_unpublished}, {"keep", keep}, {"race", race_to_publish}, {"identity", identity}, {0}};
  return run_tests(argc, argv, tests, roles);
}
