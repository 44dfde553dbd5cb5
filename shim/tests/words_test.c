/* The layout's account of itself, and the 64-bit words. */
#include "harness.h"

static void abi_is_the_headers(void) { EQUAL(fd_abi(), FD_ABI); }

static void layout_names_each_field_where_the_struct_has_it(void) {
  char text[8192] = {0}, expected[8192] = {0};
  size_t at = 0;
#define LINE(section, field, offset, bytes) \
  at += (size_t)snprintf(expected + at, sizeof expected - at, "%s %s %zu %zu\n", #section, #field, \
                         offsetof(struct fd_##section, field), sizeof(((struct fd_##section *)0)->field));
  FD_LAYOUT_FIELDS(LINE)
#define SIZE(section, bytes) \
  at += (size_t)snprintf(expected + at, sizeof expected - at, "%s size 0 %zu\n", #section, sizeof(struct fd_##section));
  FD_LAYOUT_SECTIONS(SIZE)
  const int32_t needed = fd_layout(text, sizeof text - 1);
  EQUAL(needed, at);
  CHECK(strcmp(text, expected) == 0);
}

static void layout_has_no_two_fields_in_one_place(void) {
  char last[32] = "";
  long end = 0;
#define AFTER(section, field, offset, bytes) \
  if (strcmp(last, #section) != 0) end = 0; \
  CHECK((offset) >= end && (offset) % ((bytes) > 8 ? 1 : (bytes)) == 0); \
  end = (offset) + (bytes); \
  snprintf(last, sizeof last, #section);
  FD_LAYOUT_FIELDS(AFTER)
}

static void layout_writes_nothing_where_there_is_no_room(void) {
  char text[16] = "untouched";
  CHECK(fd_layout(text, sizeof text) > (int32_t)sizeof text);
  CHECK(strcmp(text, "untouched") == 0);
  CHECK(fd_layout(NULL, 0) > 0);
}

static const double SEQUENCES[] = {
    0, 1, 2147483648.0, 4294967295.0, 4294967296.0, 9007199254740991.0, 9007199254740992.0};
enum { SEQUENCE_COUNT = sizeof SEQUENCES / sizeof *SEQUENCES };

static void store_and_load_hold_every_sequence(void) {
  uint64_t words[3] = {7, 7, 7};
  for (int at = 0; at < SEQUENCE_COUNT; at++) {
    fd_store(words, 8, SEQUENCES[at]);
    EQUAL(fd_load(words, 8), SEQUENCES[at]);
    CHECK(words[1] == (uint64_t)SEQUENCES[at] && words[0] == 7 && words[2] == 7);
  }
}

static void cas_replaces_only_what_is_expected(void) {
  uint64_t words[2] = {0, 0};
  for (int at = 0; at + 1 < SEQUENCE_COUNT; at++) {
    fd_store(words, 8, SEQUENCES[at]);
    EQUAL(fd_cas(words, 8, SEQUENCES[at + 1], 5), 0);
    EQUAL(fd_load(words, 8), SEQUENCES[at]);
    EQUAL(fd_cas(words, 8, SEQUENCES[at], SEQUENCES[at + 1]), 1);
    EQUAL(fd_load(words, 8), SEQUENCES[at + 1]);
  }
}

static void raise_never_lowers(void) {
  uint64_t words[2] = {0, 0};
  for (int at = 1; at < SEQUENCE_COUNT; at++) {
    EQUAL(fd_raise(words, 8, SEQUENCES[at]), 1);
    EQUAL(fd_raise(words, 8, SEQUENCES[at]), 0);
    EQUAL(fd_raise(words, 8, SEQUENCES[at - 1]), 0);
    EQUAL(fd_load(words, 8), SEQUENCES[at]);
  }
}

enum { COUNTS = 2000000, COUNTER = 1024, HIGHEST = 1032 };
/* Words of the test: how many have begun. */
enum { BEGUN };

static int count_up(const char *name) {
  fd_segment *segment = open_segment(name);
  void *mapping = map_segment(segment);
  const int32_t step = 1 + __atomic_fetch_add(word_at(mapping, BEGUN), 1, __ATOMIC_SEQ_CST);
  while (get(word_at(mapping, BEGUN)) < 2) continue; /* both at once, or nothing is tested */
  for (int count = 0; count < COUNTS; count++) {
    double seen;
    do seen = fd_load(mapping, COUNTER);
    while (!fd_cas(mapping, COUNTER, seen, seen + 1));
  }
  /* One raises by one, the other by two: the one overtaken by the smaller step has to try again. */
  for (int count = 0; count < COUNTS; count++) {
    const double value = fd_load(mapping, HIGHEST) + step;
    fd_raise(mapping, HIGHEST, value);
    CHECK(fd_load(mapping, HIGHEST) >= value);
  }
  close_segment(segment, mapping);
  return 0;
}

static void cas_and_raise_lose_nothing_between_processes(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  void *mapping = map_segment(segment);
  const process first = start_process("count", name), second = start_process("count", name);
  EQUAL(finish_process(first), 0);
  EQUAL(finish_process(second), 0);
  EQUAL(fd_load(mapping, COUNTER), 2 * COUNTS);
  CHECK(fd_load(mapping, HIGHEST) >= COUNTS);
  close_segment(segment, mapping);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_abi returns the header's version", abi_is_the_headers},
      {"fd_layout names each field where the struct has it", layout_names_each_field_where_the_struct_has_it},
      {"fd_layout has no two fields in one place", layout_has_no_two_fields_in_one_place},
      {"fd_layout writes nothing where there is no room", layout_writes_nothing_where_there_is_no_room},
      {"fd_store and fd_load hold every sequence", store_and_load_hold_every_sequence},
      {"fd_cas replaces only what is expected", cas_replaces_only_what_is_expected},
      {"fd_raise never lowers", raise_never_lowers},
      {"fd_cas and fd_raise lose nothing between processes", cas_and_raise_lose_nothing_between_processes},
      {0},
  };
  static const struct role roles[] = {{"count", count_up}, {0}};
  return run_tests(argc, argv, tests, roles);
}
