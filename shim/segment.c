/* A segment's mapping and its end, which are the same on every system. */
#define _GNU_SOURCE
#include "segment.h"

#include "owners.h"

static uint64_t retired; /* bytes, by the whole process */

static int32_t leave(struct fd_common *common, int32_t answer) {
  fd_mutex_unlock(&common->guard);
  return answer;
}

int32_t fd_segment_finish(fd_segment *segment, int32_t answer, fd_segment **out) {
  fd_mutex_init(&fd_common_of(segment)->guard);
  if (answer == 0) answer = fd_owners_add(segment);
  if (answer != 0) {
    fd_segment_close(segment);
    return answer;
  }
  *out = segment;
  return 0;
}

void fd_segment_locked(fd_segment *segment, int32_t index) {
  if (index >= FD_LOCK_PEER) __atomic_store_n(&fd_common_of(segment)->joined, 1, __ATOMIC_RELAXED);
}

/* A copied size below 0 is none: the mapping is the segment's own memory. */
static int32_t map(fd_segment *segment, double bytes, double copied, void **out) {
  if (fd_check_bytes(bytes) != 0 || !(copied <= bytes)) return -FD_EINVAL;
  struct fd_common *common = fd_common_of(segment);
  fd_mutex_lock(&common->guard);
  /* After the end of its process a segment has no locks, and its memory is others'. */
  if (common->base != NULL || fd_owners_ended(segment)) return leave(common, -FD_EBUSY);
  char *base;
  const int32_t answer = copied < 0 ? fd_system_map(segment, (size_t)bytes, &base)
                                    : fd_system_snapshot(segment, (size_t)bytes, (size_t)copied, &base);
  if (answer < 0) return leave(common, answer);
  common->base = base;
  common->bytes = (size_t)bytes;
  *out = base;
  return leave(common, 0);
}

int32_t fd_segment_map(fd_segment *segment, double bytes, void **out) { return map(segment, bytes, -1, out); }

int32_t fd_segment_snapshot(fd_segment *segment, double bytes, double copied, void **out) {
  return copied >= 0 ? map(segment, bytes, copied, out) : -FD_EINVAL;
}

int32_t fd_segment_unmap(fd_segment *segment) {
  struct fd_common *common = fd_common_of(segment);
  fd_mutex_lock(&common->guard);
  if (common->base == NULL) return leave(common, -FD_EINVAL);
  const int32_t answer = fd_system_unmap(segment, common->base, common->bytes);
  if (answer == 0) common->base = NULL;
  return leave(common, answer);
}

/* Under the guard. */
static int32_t retire(fd_segment *segment, size_t from) {
  struct fd_common *common = fd_common_of(segment);
  if (common->base == NULL || from >= common->bytes) return 0;
  const int32_t answer = fd_system_retire(segment, common->base, from, common->bytes);
  if (answer < 0) return answer;
  __atomic_fetch_add(&retired, common->bytes - from, __ATOMIC_SEQ_CST);
  common->bytes = from;
  if (from == 0) common->base = NULL;
  return 0;
}

int32_t fd_segment_retire(fd_segment *segment, double from) {
  if (!(from >= 0 && from <= 9007199254740991.0)) return -FD_EINVAL;
  const uint64_t offset = (uint64_t)from;
  if ((double)offset != from || offset % FD_RETIRE_BYTES != 0) return -FD_EINVAL;
  struct fd_common *common = fd_common_of(segment);
  fd_mutex_lock(&common->guard);
  return leave(common, retire(segment, (size_t)offset));
}

int32_t fd_segment_retire_all(fd_segment *segment, int patience_ms) {
  struct fd_common *common = fd_common_of(segment);
  if (!fd_mutex_lock_within(&common->guard, patience_ms)) return -FD_EBUSY;
  return leave(common, retire(segment, 0));
}

double fd_retired(void) { return (double)__atomic_load_n(&retired, __ATOMIC_SEQ_CST); }

/* Not once the process has ended for this segment: its membership lock is gone, and the name may be another's. */
int32_t fd_segment_unlink(fd_segment *segment) {
  struct fd_common *common = fd_common_of(segment);
  fd_mutex_lock(&common->guard);
  return leave(common, fd_owners_ended(segment) ? 0 : fd_system_unlink(segment));
}

int32_t fd_segment_empty(fd_segment *segment) {
  struct fd_common *common = fd_common_of(segment);
  fd_mutex_lock(&common->guard);
  return leave(common, fd_owners_ended(segment) ? 0 : fd_system_empty(segment));
}

int32_t fd_segment_close(fd_segment *segment) {
  if (!fd_owners_remove(segment)) return 0;
  /* A mapping holds the file description, and so the locks. If it cannot be retired the process ends with them. */
  (void)fd_segment_retire(segment, 0);
  fd_mutex_free(&fd_common_of(segment)->guard);
  fd_system_close(segment);
  return 0;
}
