/* A segment's one mapping: made, given back, retired. */
#include "harness.h"

#include <math.h>

enum { PART = 16384, CYCLES = 1000, RETIRED = SEGMENT_BYTES - 4 * PART };

static void map_is_refused_while_there_is_one(void) {
  fd_segment *segment = create_segment(new_name());
  void *again = NULL;
  unsigned char *mapping = map_segment(segment);
  EQUAL(fd_segment_map(segment, SEGMENT_BYTES, &again), -FD_EBUSY);
  mapping[1] = 1;
  EQUAL(fd_segment_unmap(segment), 0);
  EQUAL(fd_segment_unmap(segment), -FD_EINVAL);
  mapping = map_segment(segment);
  EQUAL(mapping[1], 1);
  close_segment(segment, mapping);
}

static void retire_refuses_what_is_no_offset(void) {
  fd_segment *segment = create_segment(new_name());
  void *mapping = map_segment(segment);
  const double none[] = {-1, -PART, 0.5, 1, PART - 1, PART + 4096, NAN, INFINITY, -INFINITY, 1e300};
  for (size_t at = 0; at < sizeof none / sizeof *none; at++) EQUAL(fd_segment_retire(segment, none[at]), -FD_EINVAL);
  EQUAL(fd_segment_retire(segment, SEGMENT_BYTES), 0);
  EQUAL(fd_segment_retire(segment, 2.0 * SEGMENT_BYTES), 0);
  close_segment(segment, mapping);
  EQUAL(fd_segment_close(create_segment(new_name())), 0);
}

static void retire_leaves_the_addresses_and_nothing_else(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name), *other = open_segment(name);
  unsigned char *mine = map_segment(segment), *theirs = map_segment(other);
  memset(mine, 7, SEGMENT_BYTES);
  const double before = fd_retired();
  EQUAL(fd_segment_retire(segment, 4 * PART), 0);
  EQUAL(fd_retired() - before, RETIRED);
  for (int at = 0; at < 4 * PART; at++) CHECK(mine[at] == 7);
  for (int at = 4 * PART; at < SEGMENT_BYTES; at++) CHECK(mine[at] == 0);
  memset(mine, 9, SEGMENT_BYTES);
  EQUAL(theirs[4 * PART - 1], 9);
  for (int at = 4 * PART; at < SEGMENT_BYTES; at++) CHECK(theirs[at] == 7);
  theirs[0] = 3;
  theirs[4 * PART] = 3;
  EQUAL(mine[0], 3);
  EQUAL(mine[4 * PART], 9);
  void *again = NULL;
  EQUAL(fd_segment_map(segment, SEGMENT_BYTES, &again), -FD_EBUSY);
  EQUAL(fd_segment_retire(segment, 4 * PART), 0);
  EQUAL(fd_segment_retire(segment, PART), 0);
  EQUAL(mine[PART], 0);
  EQUAL(fd_segment_retire(segment, 0), 0);
  EQUAL(fd_retired() - before, SEGMENT_BYTES);
  EQUAL(mine[0], 0);
  EQUAL(fd_segment_unmap(segment), -FD_EINVAL);
  unsigned char *next = map_segment(segment);
  CHECK(next != mine);
  EQUAL(next[0], 3);
  mine[0] = 1;
  EQUAL(next[0], 3);
  close_segment(segment, next);
  close_segment(other, theirs);
}

static void unmap_leaves_what_was_retired(void) {
  fd_segment *segment = create_segment(new_name());
  unsigned char *mapping = map_segment(segment);
  EQUAL(fd_segment_retire(segment, PART), 0);
  EQUAL(fd_segment_unmap(segment), 0);
  mapping[PART] = 1;
  mapping[SEGMENT_BYTES - 1] = 2;
  EQUAL(mapping[PART] + mapping[SEGMENT_BYTES - 1], 3);
  close_segment(segment, NULL);
}

/* A mapping holds the file description, and that the locks. */
static void close_retires_what_is_mapped(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name), *other = open_segment(name);
  unsigned char *mapping = map_segment(segment);
  mapping[0] = 1;
  EQUAL(fd_lock(segment, 1), 1);
  EQUAL(fd_segment_close(segment), 0);
  EQUAL(mapping[0], 0);
  EQUAL(fd_lock_held(other, 1), 0);
  close_segment(other, NULL);
}

#if defined(__linux__)
static int count_mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps != NULL);
  int lines = 0;
  for (int byte; (byte = getc(maps)) != EOF;) lines += byte == '\n';
  fclose(maps);
  return lines;
}

static double resident_bytes(void) {
  FILE *status = fopen("/proc/self/statm", "r");
  double pages = 0;
  CHECK(status != NULL && fscanf(status, "%*f %lf", &pages) == 1);
  fclose(status);
  return pages * 4096;
}

static void retiring_again_and_again_costs_nothing(void) {
  fd_segment *segment = create_segment(new_name());
  int after_some = 0;
  double resident = 0;
  for (int cycle = 0; cycle < CYCLES; cycle++) {
    unsigned char *mapping = map_segment(segment);
    memset(mapping, 1, SEGMENT_BYTES);
    EQUAL(fd_segment_retire(segment, cycle % 2 * 2 * PART), 0);
    if (cycle % 2) EQUAL(fd_segment_retire(segment, 0), 0);
    if (cycle == 100) after_some = count_mappings(), resident = resident_bytes();
  }
  const int mappings = count_mappings();
  const double grown = resident_bytes() - resident;
  if (mappings > after_some + 3) fail_at(__FILE__, __LINE__, "mappings", mappings, after_some);
  if (grown > (CYCLES - 100) * SEGMENT_BYTES / 8) fail_at(__FILE__, __LINE__, "memory", grown, 0);
  close_segment(segment, NULL);
}
#endif

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_segment_map is refused while there is a mapping", map_is_refused_while_there_is_one},
      {"fd_segment_retire refuses what is no offset", retire_refuses_what_is_no_offset},
      {"fd_segment_retire leaves the addresses and nothing else", retire_leaves_the_addresses_and_nothing_else},
      {"fd_segment_unmap leaves what was retired", unmap_leaves_what_was_retired},
      {"fd_segment_close retires what is mapped", close_retires_what_is_mapped},
#if defined(__linux__)
      {"fd_segment_retire costs nothing a thousand times over", retiring_again_and_again_costs_nothing},
#endif
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
