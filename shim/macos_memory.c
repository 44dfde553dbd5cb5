/* macOS: the memory of segments. */
#include "macos_internal.h"

#include <errno.h>
#include <mach/mach.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysctl.h>
#include <unistd.h>

static void touch(const void *address, size_t bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t at = 0; at < bytes; at += page) (void)*((const volatile char *)address + at);
}

/* The memory behind an object is the kernel's promise, kept by compressing and swapping. There is no allocation that
 * could fail in time, and no SIGBUS either: pages are brought into being here, so that a system without room for them
 * shows it now and not in the middle of a frame. */
int32_t fd_allocate(int memory, double bytes) {
  if (ftruncate(memory, (off_t)bytes) != 0) return fd_failure(errno);
  void *address = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (address == MAP_FAILED) return fd_failure(errno);
  touch(address, (size_t)bytes);
  munmap(address, (size_t)bytes);
  return 0;
}

int32_t fd_system_map(fd_segment *segment, size_t bytes, char **out) {
  void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment->memory, 0);
  if (address == MAP_FAILED) return fd_failure(errno);
  *out = address;
  return 0;
}

int32_t fd_system_unmap(fd_segment *segment, char *base, size_t bytes) {
  (void)segment;
  return munmap(base, bytes) == 0 ? 0 : fd_failure(errno);
}

/* One call, so that there is no moment without a page. */
int32_t fd_system_retire(fd_segment *segment, char *base, size_t from, size_t bytes) {
  (void)segment;
  const int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANON;
  if (mmap(base + from, bytes - from, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED) return 0;
  return mmap(base + from, bytes - from, PROT_READ, flags, -1, 0) != MAP_FAILED ? 0 : fd_failure(errno);
}

/* An object of shared memory cannot be read as a file. But it keeps its size for good, so that no other user cuts short
 * what is mapped for the copy. */
int32_t fd_system_snapshot(fd_segment *segment, size_t bytes, size_t copied, char **out) {
  struct stat memory;
  if (fstat(segment->memory, &memory) != 0) return fd_failure(errno);
  const size_t there = (size_t)memory.st_size < copied ? (size_t)memory.st_size : copied;
  char *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (address == MAP_FAILED) return fd_failure(errno);
  if (there > 0) {
    void *from = mmap(NULL, there, PROT_READ | PROT_WRITE, MAP_SHARED, segment->memory, 0);
    if (from == MAP_FAILED) return munmap(address, bytes), fd_failure(errno);
    memcpy(address, from, there);
    munmap(from, there);
  }
  *out = address;
  return 0;
}

int32_t fd_system_empty(fd_segment *segment) {
  (void)segment;
  return -FD_ENOTSUP;
}

void fd_populate(void *base, double offset, double bytes) { touch((char *)base + (size_t)offset, (size_t)bytes); }

/* What Activity Monitor does not call used. Objects have no limit of their own. */
int32_t fd_limits(double *out) {
  for (int at = 0; at < 2 * FD_LIMITS; at++) out[at] = -1;
  vm_statistics64_data_t memory;
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  vm_size_t page = 0;
  uint64_t total = 0;
  size_t length = sizeof total;
  const mach_port_t host = mach_host_self();
  const int known = host_statistics64(host, HOST_VM_INFO64, (host_info64_t)&memory, &count) == KERN_SUCCESS &&
                    host_page_size(host, &page) == KERN_SUCCESS &&
                    sysctlbyname("hw.memsize", &total, &length, NULL, 0) == 0;
  mach_port_deallocate(mach_task_self(), host);
  if (!known) return 0;
  const double used = (double)memory.wire_count + (double)memory.compressor_page_count +
                      (double)memory.internal_page_count - (double)memory.purgeable_count;
  const double left = (double)total - used * (double)page;
  out[2 * FD_LIMIT_MEMORY] = left > 0 ? left : 0;
  out[2 * FD_LIMIT_MEMORY + 1] = (double)total;
  return 0;
}
