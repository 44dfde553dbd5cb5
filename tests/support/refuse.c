/* refuse CALL=ERRNO ... -- COMMAND: runs a command for which the system refuses these calls, as the filter of a
 * container or an older kernel does. Calls: memfd_create, tmpfile (open with O_TMPFILE), linkat, fallocate, locks
 * (F_OFD_*). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter filter[128];
static unsigned short length;

static void add(unsigned short code, unsigned char yes, unsigned char no, unsigned value) {
  filter[length++] = (struct sock_filter){code, yes, no, value};
}

static void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset); }

/* Goes on with the next `steps` instructions for this call, and passes them by for others. */
static void only_for(long call, unsigned char steps) {
  load(offsetof(struct seccomp_data, nr));
  add(BPF_JMP | BPF_JEQ | BPF_K, 0, steps, (unsigned)call);
}

static void refuse(int code) { add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned)code); }

static void refuse_tmpfile(long call, size_t flags, int code) {
  only_for(call, 4);
  load(flags);
  add(BPF_ALU | BPF_AND | BPF_K, 0, 0, O_TMPFILE & ~O_DIRECTORY);
  add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
  refuse(code);
}

static int rule(const char *call, int code) {
  if (strcmp(call, "tmpfile") == 0) {
    refuse_tmpfile(SYS_openat, offsetof(struct seccomp_data, args[2]), code);
#ifdef SYS_open /* which musl calls */
    refuse_tmpfile(SYS_open, offsetof(struct seccomp_data, args[1]), code);
#endif
  } else if (strcmp(call, "locks") == 0) {
    only_for(SYS_fcntl, 4);
    load(offsetof(struct seccomp_data, args[1]));
    add(BPF_JMP | BPF_JGE | BPF_K, 0, 2, F_OFD_GETLK);
    add(BPF_JMP | BPF_JGT | BPF_K, 1, 0, F_OFD_SETLKW);
    refuse(code);
  } else {
    const long number = strcmp(call, "memfd_create") == 0 ? SYS_memfd_create
                        : strcmp(call, "linkat") == 0     ? SYS_linkat
                        : strcmp(call, "fallocate") == 0  ? SYS_fallocate
                                                          : -1;
    if (number < 0) return 0;
    only_for(number, 1);
    refuse(code);
  }
  return 1;
}

int main(int count, char **values) {
  int at = 1;
  for (; at < count && strcmp(values[at], "--") != 0; at++) {
    char *equals = strchr(values[at], '=');
    if (equals == NULL) return 2;
    *equals = 0;
    if (!rule(values[at], atoi(equals + 1))) return 2;
  }
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {length, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("refuse");
    return 3;
  }
  execvp(values[at + 1], values + at + 1);
  perror("refuse");
  return 127;
}
