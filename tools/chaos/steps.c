/* Standing still or dying right after a named step of shim/ring.c, which a build with FD_TRACE announces, or of a
 * thread's end in shim/owners.c, whose calls the linker leads through here (--wrap, ENDS in steps.ts). */
#define _GNU_SOURCE
#include "../../shim/owners.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct {
  char name[16];
  int32_t left;
  int32_t freezes;
  int note_file;
  double note_at;
  double note;
} plan;

/* Arms the library: at the `count`th `step` the double `note` is written into the file, if there is one, and the
 * process dies or stands still. A count of 0 disarms. */
FD_API int32_t fd_trace(const char *step, int32_t count, const char *file, double note_at, double note,
                        int32_t freezes) {
  if (strlen(step) >= sizeof plan.name) return -FD_EINVAL;
  strcpy(plan.name, step);
  plan.freezes = freezes;
  plan.note_file = *file == '\0' ? -1 : open(file, O_WRONLY | O_CLOEXEC);
  plan.note_at = note_at;
  plan.note = note;
  plan.left = count;
  return 0;
}

void fd_step(const char *step) {
  if (plan.left == 0 || strcmp(step, plan.name) != 0 || --plan.left > 0) return;
  if (plan.note_file >= 0 && pwrite(plan.note_file, &plan.note, sizeof plan.note, (off_t)plan.note_at) < 0) _exit(1);
  while (plan.freezes) pause();
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

void __real_fd_sleepers_end(const struct fd_owner *owner);
void __wrap_fd_sleepers_end(const struct fd_owner *owner) {
  __real_fd_sleepers_end(owner);
  fd_step("end.sleepers");
}

int32_t __real_fd_segment_retire_all(fd_segment *segment, int patience_ms);
int32_t __wrap_fd_segment_retire_all(fd_segment *segment, int patience_ms) {
  const int32_t answer = __real_fd_segment_retire_all(segment, patience_ms);
  fd_step("end.retired");
  return answer;
}

/* The membership lock is held from before the peers' locks are dropped until after the look at the others'. */
void __real_fd_system_unlock_peers(fd_segment *segment);
void __wrap_fd_system_unlock_peers(fd_segment *segment) {
  fd_step("end.members");
  __real_fd_system_unlock_peers(segment);
  fd_step("end.peers");
}

void __real_fd_system_close(fd_segment *segment);
void __wrap_fd_system_close(fd_segment *segment) {
  __real_fd_system_close(segment);
  fd_step("end.closed");
}
