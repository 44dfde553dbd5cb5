/* What may lie in /dev/shm under a depot's name, and permissions. */
#define _GNU_SOURCE
#include "../linux_internal.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path_of(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "/dev/shm/" FD_PREFIX "%s", name);
  return path;
}

static int32_t try_open(const char *name) {
  fd_segment *segment = NULL;
  const int32_t answer = fd_segment_open(name, &segment);
  if (answer == 0) close_segment(segment, NULL);
  return answer;
}

static int32_t try_name(const char *name) {
  fd_segment *segment = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &segment), 0);
  const int32_t answer = fd_segment_name(segment);
  close_segment(segment, NULL);
  return answer;
}

static void open_follows_no_symbolic_link(void) {
  const char *target = new_name(), *link = new_name();
  fd_segment *made = create_segment(target);
  char target_path[512];
  snprintf(target_path, sizeof target_path, "%s", path_of(target));
  EQUAL(symlink(target_path, path_of(link)), 0);
  EQUAL(try_open(link), -ELOOP);
  EQUAL(try_name(link), -EEXIST);
  EQUAL(fd_unlink(link), 0);
  EQUAL(symlink("/nowhere/at/all", path_of(link)), 0);
  EQUAL(try_open(link), -ELOOP);
  EQUAL(try_name(link), -EEXIST);
  EQUAL(access("/nowhere", F_OK), -1);
  EQUAL(try_open(target), 0);
  close_segment(made, NULL);
}

static void open_refuses_a_directory(void) {
  const char *name = new_name();
  EQUAL(mkdir(path_of(name), 0700), 0);
  const int32_t opened = try_open(name), named = try_name(name), unlinked = fd_unlink(name);
  rmdir(path_of(name)); /* the harness removes files only */
  EQUAL(opened, -EISDIR);
  EQUAL(named, -EEXIST);
  EQUAL(unlinked, -EISDIR);
}

static void open_does_not_hang_on_a_named_pipe(void) {
  const char *name = new_name();
  EQUAL(mkfifo(path_of(name), 0600), 0);
  EQUAL(try_open(name), -ENOTSUP);
  EQUAL(fd_unlink(name), 0);
}

static void open_knows_a_socket(void) {
  const char *name = new_name();
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  CHECK(strlen(path_of(name)) < sizeof address.sun_path);
  strcpy(address.sun_path, path_of(name));
  const int socket_file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EQUAL(bind(socket_file, (struct sockaddr *)&address, sizeof address), 0);
  close(socket_file);
  EQUAL(try_open(name), -ENOTSUP);
  EQUAL(fd_unlink(name), 0);
}

static void open_takes_an_empty_file_for_what_it_is(void) {
  const char *name = new_name();
  const int file = open(path_of(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(file >= 0);
  close(file);
  fd_segment *segment = open_segment(name);
  double info[FD_INFO_COUNT];
  EQUAL(fd_segment_info(segment, info), 0);
  EQUAL(info[FD_INFO_BYTES], 0);
  close_segment(segment, NULL);
}

static void info_shows_a_replaced_file_as_not_linked(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  EQUAL(unlink(path_of(name)), 0);
  const int file = open(path_of(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(file >= 0);
  close(file);
  double info[FD_INFO_COUNT];
  EQUAL(fd_segment_info(segment, info), 0);
  EQUAL(info[FD_INFO_LINKED], 0);
  EQUAL(fd_segment_unlink(segment), 0);
  EQUAL(access(path_of(name), F_OK), 0);
  close_segment(segment, NULL);
}

static const char *temporary_of(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "/dev/shm/." FD_PREFIX "%s", name);
  return path;
}

/* What a process leaves that dies between naming its segment for a moment and renaming it (T3). */
static void leave_temporary(const char *name) {
  const int file = open(temporary_of(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(file >= 0);
  close(file);
}

static void what_a_replacer_left_goes_with_the_name(void) {
  const char *name = new_name();
  leave_temporary(name);
  fd_segment *old = create_segment(name), *next = NULL;
  EQUAL(access(temporary_of(name), F_OK), -1);
  leave_temporary(name);
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &next), 0);
  EQUAL(fd_segment_replace(next, old), 0);
  EQUAL(access(temporary_of(name), F_OK), -1);
  leave_temporary(name);
  CHECK(is_listed(name));
  EQUAL(fd_segment_unlink(old), 0); /* the name is not its own */
  EQUAL(access(temporary_of(name), F_OK), 0);
  EQUAL(fd_segment_unlink(next), 1);
  EQUAL(access(temporary_of(name), F_OK), -1);
  leave_temporary(name);
  EQUAL(fd_unlink(name), -ENOENT);
  EQUAL(access(temporary_of(name), F_OK), -1);
  close_segment(next, NULL);
  close_segment(old, NULL);
}

static void list_leaves_out_names_that_are_none(void) {
  const char *name = new_name();
  char odd[256];
  snprintf(odd, sizeof odd, "%s\n\x1b[31m", name);
  const int file = open(path_of(odd), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(file >= 0);
  close(file);
  const int listed = is_listed(name);
  unlink(path_of(odd));
  CHECK(!listed);
}

static void create_obeys_the_mode_and_not_the_umask(void) {
  const char *name = new_name();
  const mode_t before = umask(0777);
  fd_segment *segment = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0660, &segment), 0);
  EQUAL(fd_segment_name(segment), 0);
  umask(before);
  double info[FD_INFO_COUNT];
  EQUAL(fd_segment_info(segment, info), 0);
  EQUAL(info[FD_INFO_MODE], 0660);
  close_segment(segment, NULL);
}

static void create_allocates_every_byte(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  struct stat status;
  EQUAL(stat(path_of(name), &status), 0);
  EQUAL(status.st_size, SEGMENT_BYTES);
  CHECK(status.st_blocks * 512 >= SEGMENT_BYTES);
  close_segment(segment, NULL);
}

static void put(const char *root, const char *path, const char *text) {
  char file[512];
  const int length = snprintf(file, sizeof file, "%s/%s", root, path);
  for (char *at = file + strlen(root) + 1; at < file + length; at++) {
    if (*at != '/') continue;
    *at = 0;
    mkdir(file, 0700);
    *at = '/';
  }
  FILE *out = fopen(file, "w");
  CHECK(out != NULL);
  fputs(text, out);
  fclose(out);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

/* What is left and the limit, where /proc and /sys hold these pairs of a path and a text. */
static void expect_group(const char *const *files, double left, double limit) {
  const char *temporary = getenv("TMPDIR");
  char root[256];
  snprintf(root, sizeof root, "%s/frames-depot-test-XXXXXX", temporary != NULL ? temporary : P_tmpdir);
  CHECK(mkdtemp(root) != NULL);
  for (; files[0] != NULL; files += 2) put(root, files[0], files[1]);
  double out[2];
  fd_group_limit(root, out);
  nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  EQUAL(out[0], left);
  EQUAL(out[1], limit);
}

#define GROUPS "sys/fs/cgroup/"
static void group_limit_is_the_one_that_leaves_the_least(void) {
  expect_group((const char *const[]){NULL}, -1, -1);
  expect_group((const char *const[]){"proc/self/cgroup", "0::/a\n", GROUPS "a/memory.max", "max\n",
                                     GROUPS "a/memory.current", "5\n", NULL}, -1, -1);
  const char *const nested[] = {
      "proc/self/cgroup", "0::/a/b\n", GROUPS "a/memory.max", "3000\n", GROUPS "a/memory.current", "2500\n",
      GROUPS "a/b/memory.max", "2000\n", GROUPS "a/b/memory.current", "1000\n",
      /* what is not of files is not given back */
      GROUPS "a/b/memory.stat", "anon 400\nfile 600\nshmem 300\ninactive_file 200\nactive_file 100\n", NULL};
  expect_group(nested, 500, 3000);
  /* In a container the path may lead outside: its limit is at the top. */
  expect_group((const char *const[]){"proc/self/cgroup", "0::/../x\n", GROUPS "memory.max", "5000\n",
                                     GROUPS "memory.current", "1000\n", NULL}, 4000, 5000);
  const char *const first[] = {
      "proc/self/cgroup", "9:cpu:/x\n4:pids,memory:/docker/1\n0::/\n",
      GROUPS "memory/memory.limit_in_bytes", "9223372036854771712\n", GROUPS "memory/memory.usage_in_bytes", "1\n",
      GROUPS "memory/docker/1/memory.limit_in_bytes", "7000\n",
      GROUPS "memory/docker/1/memory.usage_in_bytes", "6000\n",
      GROUPS "memory/docker/1/memory.stat", "inactive_file 1\ntotal_inactive_file 500\ntotal_active_file 0\n", NULL};
  expect_group(first, 1500, 7000);
  expect_group((const char *const[]){"proc/self/cgroup", "0::/a\n", GROUPS "a/memory.max", "10\n",
                                     GROUPS "a/memory.current", "90\n", NULL}, 0, 10);
}

static void create_refuses_a_file_that_is_too_large_without_a_signal(void) {
  struct rlimit before, small = {.rlim_cur = SEGMENT_BYTES / 2};
  EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
  small.rlim_max = before.rlim_max;
  EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
  fd_segment *segment = NULL;
  double limits[2 * FD_LIMITS];
  const int32_t answer = fd_segment_create(new_name(), SEGMENT_BYTES, 0600, &segment);
  EQUAL(fd_limits(limits), 0);
  EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
  EQUAL(answer, -FD_EFBIG);
  EQUAL(limits[2 * FD_LIMIT_FILE], SEGMENT_BYTES / 2);
}

enum { NOBODY = 65534 };

static int open_as_nobody(const char *name) {
  if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0) return 2;
  return try_open(name) == -EACCES ? 0 : 1;
}

static void open_is_refused_to_another_user(void) {
  if (geteuid() != 0) {
    printf("      (not root: cannot become another user, not tested)\n");
    return;
  }
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  EQUAL(finish_process(start_process("nobody", name)), 0);
  close_segment(segment, NULL);
}

static void on_signal(int signal) { (void)signal; }

/* As often as a profiler does. The handler has no SA_RESTART, or the kernel would go on by itself. */
static int interrupt(const char *name) {
  fd_segment *segment = open_segment(name);
  int32_t *words = map_segment(segment);
  while (get(word_at(words, 1)) == 0) {
    kill(getppid(), SIGUSR1);
    pause_ms(1);
  }
  close_segment(segment, words);
  return 0;
}

static void wait_ends_for_a_signal(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  int32_t *words = map_segment(segment);
  const process child = start_process("interrupt", name);
  EQUAL(fd_wait(segment, word_at(words, 0), FD_LANE_PUBLISHED, 0, 0, 600000), 0);
  set(word_at(words, 1), 1);
  EQUAL(finish_process(child), 0);
  close_segment(segment, words);
}

static void create_survives_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  const char *name = new_name();
  fd_segment *told = create_segment(name);
  int32_t *words = map_segment(told);
  const process child = start_process("interrupt", name);
  for (int round = 0; round < 4; round++) {
    fd_segment *made = NULL;
    EQUAL(fd_segment_create(name, 128.0 * 1024 * 1024, 0600, &made), 0);
    close_segment(made, NULL);
  }
  set(word_at(words, 1), 1);
  EQUAL(finish_process(child), 0);
  close_segment(told, words);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_segment_open follows no symbolic link", open_follows_no_symbolic_link},
      {"fd_segment_open refuses a directory", open_refuses_a_directory},
      {"fd_segment_open does not hang on a named pipe", open_does_not_hang_on_a_named_pipe},
      {"fd_segment_open knows a socket", open_knows_a_socket},
      {"fd_segment_open takes an empty file for what it is", open_takes_an_empty_file_for_what_it_is},
      {"fd_segment_open is refused to another user", open_is_refused_to_another_user},
      {"fd_segment_info shows a replaced file as not linked", info_shows_a_replaced_file_as_not_linked},
      {"what a replacer left goes with the name", what_a_replacer_left_goes_with_the_name},
      {"fd_list leaves out names that are none", list_leaves_out_names_that_are_none},
      {"fd_segment_create obeys the mode and not the umask", create_obeys_the_mode_and_not_the_umask},
      {"fd_segment_create allocates every byte", create_allocates_every_byte},
      {"fd_segment_create survives signals", create_survives_signals},
      {"fd_segment_create refuses a file that is too large without a signal",
       create_refuses_a_file_that_is_too_large_without_a_signal},
      {"fd_group_limit is the one that leaves the least", group_limit_is_the_one_that_leaves_the_least},
      {"fd_wait ends for a signal", wait_ends_for_a_signal},
      {0},
  };
  static const struct role roles[] = {{"nobody", open_as_nobody}, {"interrupt", interrupt}, {0}};
  return run_tests(argc, argv, tests, roles);
}
