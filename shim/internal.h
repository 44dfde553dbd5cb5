/* What the files of the shim share. */
#ifndef FRAMES_DEPOT_INTERNAL_H
#define FRAMES_DEPOT_INTERNAL_H

#include "frames_depot.h"

/* -errno as the header promises it, from this system's own errno. */
#if defined(__APPLE__)
int32_t fd_failure(int code);
#else
static inline int32_t fd_failure(int code) { return -code; }
#endif

/* fd_failure of a named call: see FD_CALL. */
static inline int32_t fd_call_failure(int call, int code) { return fd_failure(code) - FD_CALL * call; }

/* 0, or why this cannot be a depot's name. TypeScript has checked it; here it guards the paths made from it. */
int32_t fd_check_name(const char *name);
/* 0, or -EINVAL for what is no size at all. A cast of such a double would be undefined. */
int32_t fd_check_bytes(double bytes);
/* Nanoseconds of a timeout: none below zero, at most a month. */
#define FD_LONGEST_MS 2678400000.0
static inline int64_t fd_timeout_ns(double timeout_ms) {
  return timeout_ms > 0 ? timeout_ms < FD_LONGEST_MS ? (int64_t)(timeout_ms * 1e6) : 2678400000000000 : 0;
}
/* Keeps the library in the process for good: it may be unloaded while a thread sleeps inside. */
void fd_stay_loaded(void);

/* The list that fd_list fills. Names that no depot can have are left out: a file's name may hold
 * line feeds and worse. */
struct fd_names {
  char *out;
  int32_t capacity;
  int32_t needed;
};
void fd_add_name(struct fd_names *names, const char *name);

/* A place to stand still: a build with FD_TRACE (tests alone) stops or kills the process right after a named step. */
#ifdef FD_TRACE
void fd_step(const char *step);
#define FD_STEP(step) fd_step(#step)
#else
#define FD_STEP(step) ((void)0)
#endif

#endif
