/* Words of a mapping by offset, and the atomics on them. All are sequentially consistent. */
#ifndef FRAMES_DEPOT_WORDS_H
#define FRAMES_DEPOT_WORDS_H

#include <stdint.h>

static inline void *at(const void *base, int32_t offset) { return (void *)((uintptr_t)base + (uintptr_t)offset); }
static inline uint64_t *word(const void *base, int32_t offset) { return at(base, offset); }

static inline uint32_t load32(const uint32_t *from) { return __atomic_load_n(from, __ATOMIC_SEQ_CST); }
static inline void store32(uint32_t *to, uint32_t value) { __atomic_store_n(to, value, __ATOMIC_SEQ_CST); }
static inline uint64_t load64(const uint64_t *from) { return __atomic_load_n(from, __ATOMIC_SEQ_CST); }
static inline void store64(uint64_t *to, uint64_t value) { __atomic_store_n(to, value, __ATOMIC_SEQ_CST); }

static inline int cas32(uint32_t *to, uint32_t expected, uint32_t desired) {
  return __atomic_compare_exchange_n(to, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline int cas64(uint64_t *to, uint64_t expected, uint64_t desired) {
  return __atomic_compare_exchange_n(to, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#endif
