/* Copies, whatever their length and wherever they begin; nothing beside them changes. Under the address sanitizer a
 * read beyond the source shows too: it ends where its memory ends. */
#include "harness.h"

#include <stdlib.h>

enum { MOST = 700, EDGE = 96 };

static void copy_moves_exactly_the_bytes(void) {
  static _Alignas(64) uint8_t target[MOST + 2 * EDGE];
  for (int past = 0; past < 2; past++) {
    for (int start = 0; start < 67; start++) {
      for (int bytes = 0; bytes <= MOST; bytes += bytes < 200 ? 1 : 37) {
        uint8_t *source = malloc((size_t)bytes + 1);
        for (int at = 0; at < bytes; at++) source[at + 1] = (uint8_t)(at * 7 + start + 1);
        memset(target, 0xee, sizeof target);
        fd_copy(target, EDGE + start, source + 1, bytes, past);
        int wrong = 0;
        for (int at = 0; at < (int)sizeof target; at++) {
          const int inside = at >= EDGE + start && at < EDGE + start + bytes;
          wrong += target[at] != (inside ? (uint8_t)((at - EDGE - start) * 7 + start + 1) : 0xee);
        }
        EQUAL(wrong, 0);
        free(source);
      }
    }
  }
}

static void copy_out_moves_exactly_the_bytes(void) {
  uint8_t source[MOST], target[MOST + EDGE];
  for (int at = 0; at < MOST; at++) source[at] = (uint8_t)(at * 7 + 1);
  for (int bytes = 0; bytes <= MOST - 5; bytes += 13) {
    memset(target, 0xee, sizeof target);
    fd_copy_out(source, 5, target + 3, bytes);
    EQUAL(memcmp(target + 3, source + 5, (size_t)bytes), 0);
    EQUAL(target[2], 0xee);
    EQUAL(target[3 + bytes], 0xee);
  }
}

static void cache_bytes_are_a_size_or_unknown(void) {
  const double bytes = fd_cache_bytes();
  CHECK(bytes == 0 || (bytes >= 4096 && bytes < 1e12));
#if defined(__x86_64__)
  CHECK(bytes > 0);
#endif
}

static void populate_changes_nothing(void) {
  fd_segment *segment = create_segment(new_name());
  uint8_t *mapping = map_segment(segment);
  mapping[5000] = 7;
  fd_populate(mapping, 0, SEGMENT_BYTES);
  fd_populate(mapping, 4097, 1);
  EQUAL(mapping[5000], 7);
  EQUAL(mapping[4999], 0);
  close_segment(segment, mapping);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_copy moves exactly the bytes", copy_moves_exactly_the_bytes},
      {"fd_copy_out moves exactly the bytes", copy_out_moves_exactly_the_bytes},
      {"fd_cache_bytes is a size, or unknown", cache_bytes_are_a_size_or_unknown},
      {"fd_populate changes nothing", populate_changes_nothing},
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
