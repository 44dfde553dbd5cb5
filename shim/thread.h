/* The few words of threading that waiter.c needs, for POSIX and for Windows. */
#ifndef FRAMES_DEPOT_THREAD_H
#define FRAMES_DEPOT_THREAD_H

#include "internal.h"

enum { FD_THREAD_STACK_BYTES = 256 * 1024 };

#if defined(_WIN32)
#include <windows.h>

typedef SRWLOCK fd_mutex;
typedef CONDITION_VARIABLE fd_condition;
typedef DWORD fd_thread_result;
#define FD_THREAD_CALL WINAPI
#define FD_THREAD_DONE 0

static inline void fd_mutex_init(fd_mutex *mutex) { InitializeSRWLock(mutex); }
static inline void fd_mutex_lock(fd_mutex *mutex) { AcquireSRWLockExclusive(mutex); }
static inline void fd_mutex_unlock(fd_mutex *mutex) { ReleaseSRWLockExclusive(mutex); }
static inline void fd_mutex_free(fd_mutex *mutex) { (void)mutex; }
static inline void fd_condition_init(fd_condition *condition) { InitializeConditionVariable(condition); }
static inline void fd_condition_signal(fd_condition *condition) { WakeConditionVariable(condition); }
static inline void fd_condition_free(fd_condition *condition) { (void)condition; }
static inline void fd_condition_wait(fd_condition *condition, fd_mutex *mutex) {
  SleepConditionVariableSRW(condition, mutex, INFINITE, 0);
}

static inline int32_t fd_thread_start(fd_thread_result(FD_THREAD_CALL *run)(void *), void *argument) {
  const HANDLE thread =
      CreateThread(NULL, FD_THREAD_STACK_BYTES, run, argument, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  if (thread == NULL) return -FD_EAGAIN;
  CloseHandle(thread);
  return 0;
}

#else
#include <pthread.h>
#include <signal.h>

typedef pthread_mutex_t fd_mutex;
typedef pthread_cond_t fd_condition;
typedef void *fd_thread_result;
#define FD_THREAD_CALL
#define FD_THREAD_DONE NULL

static inline void fd_mutex_init(fd_mutex *mutex) { pthread_mutex_init(mutex, NULL); }
static inline void fd_mutex_lock(fd_mutex *mutex) { pthread_mutex_lock(mutex); }
static inline void fd_mutex_unlock(fd_mutex *mutex) { pthread_mutex_unlock(mutex); }
static inline void fd_mutex_free(fd_mutex *mutex) { pthread_mutex_destroy(mutex); }
static inline void fd_condition_init(fd_condition *condition) { pthread_cond_init(condition, NULL); }
static inline void fd_condition_signal(fd_condition *condition) { pthread_cond_signal(condition); }
static inline void fd_condition_free(fd_condition *condition) { pthread_cond_destroy(condition); }
static inline void fd_condition_wait(fd_condition *condition, fd_mutex *mutex) { pthread_cond_wait(condition, mutex); }

static inline int32_t fd_thread_start(fd_thread_result (*run)(void *), void *argument) {
  /* Signals are for the runtime's own threads; ones that a fault raises must still arrive where they belong. */
  sigset_t mask, before;
  sigfillset(&mask);
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
  for (size_t at = 0; at < sizeof faults / sizeof *faults; at++) sigdelset(&mask, faults[at]);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, FD_THREAD_STACK_BYTES);
  pthread_t thread;
  pthread_sigmask(SIG_SETMASK, &mask, &before);
  const int failed = pthread_create(&thread, &attributes, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed == 0 ? 0 : fd_failure(failed);
}
#endif

#endif
