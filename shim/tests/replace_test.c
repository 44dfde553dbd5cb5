/* A name that is taken from a segment which others have open. */
#include "harness.h"

static fd_segment *replace(const char *name, fd_segment *old) {
  fd_segment *next = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &next), 0);
  EQUAL(fd_segment_replace(next, old), 0);
  return next;
}

static int is_linked(fd_segment *segment) {
  double info[FD_INFO_COUNT];
  EQUAL(fd_segment_info(segment, info), 0);
  return info[FD_INFO_LINKED] == 1;
}

static void replace_leaves_the_old_segment_its_memory(void) {
  const char *name = new_name();
  fd_segment *old = create_segment(name), *peer = open_segment(name), *next = replace(name, old);
  unsigned char *before = map_segment(old), *seen = map_segment(peer), *after = map_segment(next);
  before[7] = 7;
  EQUAL(seen[7], 7);
  EQUAL(after[7], 0);
  CHECK(!is_linked(old) && !is_linked(peer) && is_linked(next) && is_listed(name));
  EQUAL(fd_segment_unlink(old), 0);
  EQUAL(fd_segment_unlink(peer), 0);
  fd_segment *opened = open_segment(name), *last = replace(name, opened);
  CHECK(!is_linked(next) && !is_linked(opened) && is_linked(last));
  EQUAL(fd_segment_unlink(last), 1);
  CHECK(!is_listed(name));
  close_segment(last, NULL);
  close_segment(opened, NULL);
  close_segment(next, after);
  close_segment(peer, seen);
  close_segment(old, before);
}

static int opens(const char *name) {
  for (int found = 0; !found;) {
    fd_segment *segment = NULL;
    void *mapping = NULL;
    if (fd_segment_open(name, &segment) != 0) return 1;
    if (fd_segment_map(segment, SEGMENT_BYTES, &mapping) != 0) return 2;
    found = get(word_at(mapping, 1));
    close_segment(segment, mapping);
  }
  return 0;
}

static void replace_never_leaves_the_name_free(void) {
  const char *name = new_name();
  fd_segment *last = create_segment(name);
  const process first = start_process("opens", name), second = start_process("opens", name);
  for (int times = 0; times < 2000; times++) {
    fd_segment *next = replace(name, last);
    close_segment(last, NULL); /* its memory goes while the others open it */
    last = next;
  }
  void *mapping = map_segment(last);
  set(word_at(mapping, 1), 1);
  EQUAL(finish_process(first), 0);
  EQUAL(finish_process(second), 0);
  close_segment(last, mapping);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_segment_replace leaves the old segment its memory", replace_leaves_the_old_segment_its_memory},
      {"fd_segment_replace never leaves the name free", replace_never_leaves_the_name_free},
      {0},
  };
  static const struct role roles[] = {{"opens", opens}, {0}};
  return run_tests(argc, argv, tests, roles);
}
