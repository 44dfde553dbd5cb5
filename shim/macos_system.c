/* macOS: locks, listing, and what the system says of itself. */
#include "macos_internal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <mach/mach.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysctl.h>
#include <unistd.h>

/* A runtime lets go of the library while its threads are still inside. */
void fd_stay_loaded(void) {
  Dl_info info;
  if (dladdr((const void *)fd_stay_loaded, &info) != 0) dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

int32_t fd_identity(double *out) {
  out[0] = (double)getpid();
  out[1] = 0;
  struct kinfo_proc process;
  size_t length = sizeof process;
  int query[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid()};
  if (sysctl(query, 4, &process, &length, NULL, 0) != 0 || length < sizeof process) return 0;
  const struct timeval started = process.kp_proc.p_starttime;
  out[1] = (double)started.tv_sec * 1e6 + (double)started.tv_usec;
  return 0;
}

/* What Activity Monitor does not call used. Objects have no limit of their own. */
int32_t fd_space(double *out) {
  for (int at = 0; at < FD_SPACE_COUNT; at++) out[at] = -1;
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
  out[FD_SPACE_MEMORY] = left > 0 ? left : 0;
  return 0;
}

/* Open-file-description locks: they belong to the description, not to the process, and the kernel drops them with its
 * last reference. */
int32_t fd_lock_file(int file, int32_t index, int32_t count, short type) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = index, .l_len = count};
  for (;;) {
    if (fcntl(file, F_OFD_SETLK, &range) == 0) return 1;
    if (errno == EAGAIN || errno == EACCES) return 0;
    if (errno != EINTR) return fd_failure(errno);
  }
}

int32_t fd_lock(fd_segment *segment, int32_t index) {
  const int32_t answer = fd_lock_file(segment->file, index, 1, F_WRLCK);
  if (answer == 1) fd_segment_locked(segment, index);
  return answer;
}

int32_t fd_unlock(fd_segment *segment, int32_t index) {
  const int32_t answer = fd_lock_file(segment->file, index, 1, F_UNLCK);
  return answer < 0 ? answer : 0;
}

void fd_system_unlock_peers(fd_segment *segment) {
  (void)fd_lock_file(segment->file, FD_LOCK_PEER, FD_MOST_PEERS, F_UNLCK);
}

static int32_t held(fd_segment *segment, int32_t index, int32_t count) {
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = index, .l_len = count};
  if (fcntl(segment->file, F_OFD_GETLK, &range) != 0) return fd_failure(errno);
  return range.l_type != F_UNLCK;
}

int32_t fd_lock_held(fd_segment *segment, int32_t index) { return held(segment, index, 1); }

int32_t fd_system_peer_lives(fd_segment *segment) { return held(segment, FD_LOCK_PEER, FD_MOST_PEERS); }

int32_t fd_list(char *out, int32_t capacity) {
  DIR *directory = opendir(FD_DIRECTORY);
  if (directory == NULL) return fd_failure(errno);
  struct fd_names names = {.out = out, .capacity = capacity};
  const size_t prefix = sizeof FD_PREFIX - 1;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strncmp(entry->d_name, FD_PREFIX, prefix) == 0) fd_add_name(&names, entry->d_name + prefix);
  }
  closedir(directory);
  return names.needed;
}

static void sweep_one(const char *path) {
  const int file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return;
  char object[FD_OBJECT_BYTES + 1];
  struct stat status;
  /* Others' files are theirs to sweep. The lock is taken and not just asked for, so that a creator that is about to
   * lock its new file finds out. */
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
      fd_lock_file(file, FD_LOCK_ALIVE, 1, F_WRLCK) == 1 && fd_leads_to(path, file)) {
    if (fd_read_object(file, object) == 0) shm_unlink(object);
    unlink(path);
  }
  close(file);
}

void fd_sweep(void) {
  DIR *directory = opendir(FD_DIRECTORY);
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strncmp(entry->d_name, FD_UNPUBLISHED, sizeof FD_UNPUBLISHED - 1) != 0) continue;
    char path[sizeof FD_DIRECTORY + sizeof entry->d_name];
    snprintf(path, sizeof path, FD_DIRECTORY "%s", entry->d_name);
    sweep_one(path);
  }
  closedir(directory);
}
