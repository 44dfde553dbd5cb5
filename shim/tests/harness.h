/* What the tests of the shim share: checks, names that are removed even when a test fails, a watchdog for each test,
 * and second processes. The same tests run on every system that has a shim. */
#ifndef FRAMES_DEPOT_TEST_HARNESS_H
#define FRAMES_DEPOT_TEST_HARNESS_H

#include "../internal.h"
#include "../layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
typedef HANDLE process;
#else
#include <sys/types.h>
typedef pid_t process;
#endif

/* A test's name is a sentence that begins with the function it is about. */
struct test {
  const char *name;
  void (*run)(void);
};

/* What a second process does, given a segment's name; the result is its exit code. */
struct role {
  const char *name;
  int (*run)(const char *segment);
};

int run_tests(int argc, char **argv, const struct test *tests, const struct role *roles);

process start_process(const char *role, const char *segment);
/* Waits for the end: the exit code, or -1 when it was killed. */
int finish_process(process child);
/* Kills it with no chance to clean up, and waits for its end. */
void kill_process(process child);

/* A unique name; the harness removes it at the end of the test. */
const char *new_name(void);
void pause_ms(int ms);
double now_ms(void);
/* Waits for ever, in a process that the test kills. */
_Noreturn void hang(void);

_Noreturn void fail_at(const char *file, int line, const char *what, double actual, double expected);
#define EQUAL(actual, expected) \
  do { \
    const double is_ = (double)(actual), should_ = (double)(expected); \
    if (is_ != should_) fail_at(__FILE__, __LINE__, #actual, is_, should_); \
  } while (0)
#define CHECK(condition) \
  do { \
    if (!(condition)) fail_at(__FILE__, __LINE__, #condition, 0, 1); \
  } while (0)

enum { SEGMENT_BYTES = 256 * 1024 };

/* Steps that most tests begin or end with, checked. */
fd_segment *create_segment(const char *name);
fd_segment *open_segment(const char *name);
void *map_segment(fd_segment *segment);
void close_segment(fd_segment *segment, void *mapping);
int is_listed(const char *name);

/* Words inside a segment that the test itself uses. */
static inline int32_t *word_at(void *mapping, int index) { return (int32_t *)mapping + 32 * index; }
static inline int32_t get(int32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
static inline void set(int32_t *word, int32_t value) { __atomic_store_n(word, value, __ATOMIC_SEQ_CST); }
static inline void add(int32_t *word, int32_t value) { __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST); }
/* Waits until a word has a value; if it never has, the watchdog ends the test. */
void await(int32_t *word, int32_t value);

#endif
