#define _GNU_SOURCE
#include "harness.h"

#include <time.h>

#if !defined(_WIN32)
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { WATCHDOG_SECONDS = 60, MAX_NAMES = 64, MAX_PROCESSES = 32 };

static char names[MAX_NAMES][FD_NAME_BYTES + 1];
static int name_count;
static process processes[MAX_PROCESSES];
static int process_count;
static const char *running = "before the first test";
static const struct role *all_roles;
static int is_child;

#if defined(_WIN32)
static int own_id(void) { return (int)GetCurrentProcessId(); }
static void end_process(process child) { TerminateProcess(child, 99); }
void pause_ms(int ms) { Sleep((DWORD)ms); }

double now_ms(void) {
  LARGE_INTEGER ticks, frequency;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&frequency);
  return (double)ticks.QuadPart * 1000 / (double)frequency.QuadPart;
}
#else
static int own_id(void) { return (int)getpid(); }
static void end_process(process child) { kill(child, SIGKILL); }

void pause_ms(int ms) {
  struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}
#endif

void hang(void) {
  for (;;) pause_ms(1000);
}

static void clean_up(void) {
  for (int at = 0; at < process_count; at++) end_process(processes[at]);
  for (int at = 0; at < name_count; at++) fd_unlink(names[at]);
  process_count = name_count = 0;
}

void fail_at(const char *file, int line, const char *what, double actual, double expected) {
  fprintf(stderr, "%s:%d: %s is %.17g, not %.17g (%s)\n", file, line, what, actual, expected, running);
  fflush(stderr);
  if (!is_child) clean_up();
  _Exit(1);
}

static _Noreturn void watchdog_bites(void) {
  fprintf(stderr, "still not done after %d seconds: %s%s\n", WATCHDOG_SECONDS, running, is_child ? " (child)" : "");
  fflush(stderr);
  if (!is_child) clean_up();
  _Exit(1);
}

const char *new_name(void) {
  const char *prefix = getenv("FD_TEST_PREFIX");
  static int counter;
  CHECK(name_count < MAX_NAMES);
  char *name = names[name_count++];
  snprintf(name, sizeof names[0], "%s-%d-%d", prefix == NULL ? "shim-test" : prefix, own_id(), ++counter);
  return name;
}

static int run_role(const char *role, const char *segment) {
  is_child = 1;
  running = role;
  for (const struct role *at = all_roles; at->name != NULL; at++) {
    if (strcmp(at->name, role) == 0) return at->run(segment);
  }
  return 98;
}

static void remember(process child) {
  CHECK(process_count < MAX_PROCESSES);
  processes[process_count++] = child;
}

static void forget(process child) {
  for (int at = 0; at < process_count; at++) {
    if (processes[at] == child) processes[at--] = processes[--process_count];
  }
}

#if defined(_WIN32)
static DWORD WINAPI watchdog_thread(void *argument) {
  (void)argument;
  Sleep(WATCHDOG_SECONDS * 1000);
  watchdog_bites();
}

static HANDLE watchdog;
static void watch(void) { watchdog = CreateThread(NULL, 0, watchdog_thread, NULL, 0, NULL); }
static void unwatch(void) { TerminateThread(watchdog, 0); }

process start_process(const char *role, const char *segment) {
  char program[MAX_PATH], line[MAX_PATH + 256];
  GetModuleFileNameA(NULL, program, sizeof program);
  snprintf(line, sizeof line, "\"%s\" --role %s %s", program, role, segment);
  STARTUPINFOA startup = {.cb = sizeof startup};
  PROCESS_INFORMATION made;
  CHECK(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made));
  CloseHandle(made.hThread);
  remember(made.hProcess);
  return made.hProcess;
}

int finish_process(process child) {
  DWORD code = 0;
  WaitForSingleObject(child, INFINITE);
  GetExitCodeProcess(child, &code);
  forget(child);
  CloseHandle(child);
  return code == 99 ? -1 : (int)code;
}
#else
static void on_alarm(int signal) {
  (void)signal;
  watchdog_bites();
}

static void watch(void) {
  signal(SIGALRM, on_alarm);
  alarm(WATCHDOG_SECONDS);
}
static void unwatch(void) { alarm(0); }

process start_process(const char *role, const char *segment) {
  fflush(NULL);
  const process child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    process_count = name_count = 0;
    alarm(WATCHDOG_SECONDS); /* a child does not inherit it */
    _Exit(run_role(role, segment));
  }
  remember(child);
  return child;
}

int finish_process(process child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  forget(child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#endif

void kill_process(process child) {
  end_process(child);
  EQUAL(finish_process(child), -1);
}

int run_tests(int argc, char **argv, const struct test *tests, const struct role *roles) {
  all_roles = roles;
  if (argc == 4 && strcmp(argv[1], "--role") == 0) {
    watch();
    return run_role(argv[2], argv[3]);
  }
  for (const struct test *at = tests; at->name != NULL; at++) {
    running = at->name;
    watch();
    at->run();
    unwatch();
    EQUAL(process_count, 0);
    clean_up();
    printf("  ok  %s\n", at->name);
    fflush(stdout);
  }
  return 0;
}

fd_segment *create_segment(const char *name) {
  fd_segment *segment = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &segment), 0);
  EQUAL(fd_segment_name(segment), 0);
  return segment;
}

fd_segment *open_segment(const char *name) {
  fd_segment *segment = NULL;
  EQUAL(fd_segment_open(name, &segment), 0);
  return segment;
}

void *map_segment(fd_segment *segment) {
  void *mapping = NULL;
  EQUAL(fd_segment_map(segment, SEGMENT_BYTES, &mapping), 0);
  return mapping;
}

void close_segment(fd_segment *segment, void *mapping) {
  if (mapping != NULL) EQUAL(fd_segment_unmap(segment), 0);
  EQUAL(fd_segment_close(segment), 0);
}

int is_listed(const char *name) {
  static char list[1 << 20];
  char line[FD_NAME_BYTES + 3];
  list[0] = '\n';
  const int32_t needed = fd_list(list + 1, sizeof list - 2);
  CHECK(needed >= 0 && (size_t)needed < sizeof list - 2);
  list[1 + needed] = 0;
  snprintf(line, sizeof line, "\n%s\n", name);
  return strstr(list, line) != NULL;
}

void await(int32_t *word, int32_t value) {
  while (get(word) != value) pause_ms(1);
}
