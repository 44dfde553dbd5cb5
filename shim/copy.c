/* Copying a frame into its slot. */
#include "internal.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <emmintrin.h>

enum { LINE_BYTES = 64 };

/* Stores that go to memory without asking for the line first: a ring that the caches cannot hold would fetch from
 * memory every line that is about to be overwritten as a whole. */
static void copy_past(char *target, const char *source, size_t bytes) {
  const size_t head = (size_t)(-(uintptr_t)target % LINE_BYTES);
  if (bytes < head + LINE_BYTES) {
    memcpy(target, source, bytes);
    return;
  }
  memcpy(target, source, head);
  size_t at = head;
  for (; at + LINE_BYTES <= bytes; at += LINE_BYTES) {
    const __m128i *from = (const void *)(source + at);
    __m128i *to = (void *)(target + at);
    const __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1), c = _mm_loadu_si128(from + 2),
                  d = _mm_loadu_si128(from + 3);
    _mm_stream_si128(to, a);
    _mm_stream_si128(to + 1, b);
    _mm_stream_si128(to + 2, c);
    _mm_stream_si128(to + 3, d);
  }
  memcpy(target + at, source + at, bytes - at);
  _mm_sfence(); /* such stores keep no order: they have to be there before the frame is published */
}

/* Deterministic cache parameters: leaf 4 of Intel's, 0x8000001D of AMD's, of the same form. */
static double largest_cache(unsigned leaf) {
  double largest = 0;
  unsigned a, b, c, d;
  for (unsigned index = 0; index < 16 && __get_cpuid_count(leaf, index, &a, &b, &c, &d) && (a & 31) != 0; index++) {
    const double ways = (b >> 22) + 1, partitions = (b >> 12 & 1023) + 1, line = (b & 4095) + 1, sets = (double)c + 1;
    if (ways * partitions * line * sets > largest) largest = ways * partitions * line * sets;
  }
  return largest;
}

double fd_cache_bytes(void) {
  const double bytes = largest_cache(4);
  return bytes > 0 ? bytes : largest_cache(0x8000001Du);
}

#else

static void copy_past(char *target, const char *source, size_t bytes) { memcpy(target, source, bytes); }

double fd_cache_bytes(void) { return 0; }

#endif

void fd_copy(void *base, double offset, const void *source, double bytes, int32_t past) {
  char *target = (char *)base + (size_t)offset;
  if (past) copy_past(target, source, (size_t)bytes);
  else memmove(target, source, (size_t)bytes); /* metadata may come out of the slot itself */
}

void fd_copy_out(const void *base, double offset, void *target, double bytes) {
  memmove(target, (const char *)base + (size_t)offset, (size_t)bytes); /* the target may be a view of the slot */
}
