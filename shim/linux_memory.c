/* Linux: the memory of segments. */
#define _GNU_SOURCE
#include "linux_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14; an older one refuses it */
#endif

/* In many kernels a signal undoes the fallocate call that it interrupts. So allocation goes in parts, which
 * get smaller until one fits between two signals: profilers send one every millisecond. */
enum { ALLOCATE_BYTES = 256 * 1024 * 1024, ALLOCATE_LEAST_BYTES = 64 * 1024 };

int32_t fd_allocate(int file, double bytes) {
  /* What the tmpfs can never give is refused before the first part is taken. Its limit may be above the memory there
   * is: to ask fd_limits first is the caller's part. No blocks at all are no limit. */
  struct statvfs space;
  if (fstatvfs(file, &space) == 0 && space.f_blocks > 0 &&
      bytes > (double)space.f_bavail * (double)space.f_frsize) {
    return -ENOSPC;
  }
  /* Beyond this limit the system would send a signal that few programs expect. */
  struct rlimit most_bytes;
  if (getrlimit(RLIMIT_FSIZE, &most_bytes) == 0 && most_bytes.rlim_cur != RLIM_INFINITY &&
      bytes > (double)most_bytes.rlim_cur) {
    return -FD_EFBIG;
  }
  const off_t end = (off_t)bytes;
  if (ftruncate(file, end) != 0) return fd_call_failure(FD_CALL_ALLOCATE, errno);
  off_t at = 0, most = ALLOCATE_BYTES;
  while (at < end) {
    const off_t part = end - at < most ? end - at : most;
    if (fallocate(file, 0, at, part) == 0) {
      at += part;
    } else if (errno != EINTR) {
      return fd_call_failure(FD_CALL_ALLOCATE, errno);
    } else if (most > ALLOCATE_LEAST_BYTES) {
      most /= 2;
    }
  }
  return 0;
}

int32_t fd_system_map(fd_segment *segment, size_t bytes, char **out) {
  void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment->common.file, 0);
  if (address == MAP_FAILED) return -errno;
  *out = address;
  return 0;
}

int32_t fd_system_snapshot(fd_segment *segment, size_t bytes, size_t copied, char **out) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  char *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (address == MAP_FAILED) return -errno;
  for (size_t at = 0; at < copied;) { /* what is missing at the end stays zero */
    const ssize_t length = pread(segment->common.file, address + at, copied - at, (off_t)at);
    if (length == 0) break;
    if (length > 0) at += (size_t)length;
    else if (errno != EINTR) break;
  }
  *out = address;
  return 0;
}

/* `ready` first: what joins after it finds nothing to join. */
int32_t fd_system_empty(fd_segment *segment) {
  static const uint32_t not_ready;
  const off_t header = (off_t)sizeof(struct fd_header), ready = (off_t)offsetof(struct fd_header, ready);
  struct stat status;
  const int file = segment->common.file;
  if (fstat(file, &status) != 0) return -errno;
  if (status.st_size <= header) return 0;
  if (pwrite(file, &not_ready, sizeof not_ready, ready) < 0) return -errno;
  const int flags = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return fallocate(file, flags, header, status.st_size - header) == 0 ? 0 : -errno;
}

int32_t fd_system_unmap(fd_segment *segment, char *base, size_t bytes) {
  (void)segment;
  return munmap(base, bytes) == 0 ? 0 : -errno;
}

/* One call, so that there is no moment without a page. Where memory is never promised beyond what there is, pages that
 * may be written are refused, and the old ones may be gone by then: read-only ones are not counted. */
int32_t fd_system_retire(fd_segment *segment, char *base, size_t from, size_t bytes) {
  (void)segment;
  const int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (mmap(base + from, bytes - from, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED) return 0;
  return mmap(base + from, bytes - from, PROT_READ, flags, -1, 0) != MAP_FAILED ? 0 : -errno;
}

void fd_populate(void *base, double offset, double bytes) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)base + (uintptr_t)offset;
  const uintptr_t from = start & ~(page - 1);
  (void)madvise((void *)from, start + (uintptr_t)bytes - from, MADV_POPULATE_WRITE);
}
