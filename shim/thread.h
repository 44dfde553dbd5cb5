/* The few words of threading that the shim needs, for POSIX and for Windows. */
#ifndef FRAMES_DEPOT_THREAD_H
#define FRAMES_DEPOT_THREAD_H

#include "internal.h"

enum { FD_THREAD_STACK_BYTES = 256 * 1024 };

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef SRWLOCK fd_mutex;
typedef CONDITION_VARIABLE fd_condition;
typedef DWORD fd_thread_result;
typedef DWORD fd_key;
#define FD_MUTEX_INIT SRWLOCK_INIT
#define FD_THREAD_CALL WINAPI
#define FD_KEY_CALL NTAPI
#define FD_THREAD_DONE 0

static inline void fd_mutex_init(fd_mutex *mutex) { InitializeSRWLock(mutex); }
static inline void fd_mutex_lock(fd_mutex *mutex) { AcquireSRWLockExclusive(mutex); }
static inline int fd_mutex_try(fd_mutex *mutex) { return TryAcquireSRWLockExclusive(mutex); }
static inline void fd_mutex_unlock(fd_mutex *mutex) { ReleaseSRWLockExclusive(mutex); }
static inline void fd_mutex_free(fd_mutex *mutex) { (void)mutex; }
static inline void fd_condition_init(fd_condition *condition) { InitializeConditionVariable(condition); }
static inline void fd_condition_signal(fd_condition *condition) { WakeConditionVariable(condition); }
static inline void fd_condition_free(fd_condition *condition) { (void)condition; }
static inline void fd_condition_wait(fd_condition *condition, fd_mutex *mutex) {
  SleepConditionVariableSRW(condition, mutex, INFINITE, 0);
}
static inline void fd_condition_wait_ms(fd_condition *condition, fd_mutex *mutex, int ms) {
  SleepConditionVariableSRW(condition, mutex, (DWORD)ms, 0);
}

/* A slot of the calling thread, and what is called with it when the thread ends. */
static inline int32_t fd_key_make(fd_key *key, void(FD_KEY_CALL *ends)(void *)) {
  *key = FlsAlloc(ends);
  return *key == FLS_OUT_OF_INDEXES ? -FD_EAGAIN : 0;
}
static inline int32_t fd_key_set(fd_key key, void *value) { return FlsSetValue(key, value) ? 0 : -FD_ENOMEM; }
static inline void *fd_key_get(fd_key key) { return FlsGetValue(key); }

BOOLEAN NTAPI RtlDllShutdownInProgress(void);
/* Whether the thread ends because the process does: then the others are gone, perhaps in the middle of a lock. */
static inline int fd_process_ends(void) { return RtlDllShutdownInProgress(); }
static inline int fd_process(void) { return 0; } /* there is no fork */
static inline void fd_pause_ms(int ms) { Sleep((DWORD)ms); }

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
#include <time.h>
#include <unistd.h>

typedef pthread_mutex_t fd_mutex;
typedef pthread_cond_t fd_condition;
typedef void *fd_thread_result;
typedef pthread_key_t fd_key;
#define FD_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define FD_THREAD_CALL
#define FD_KEY_CALL
#define FD_THREAD_DONE NULL

static inline void fd_mutex_init(fd_mutex *mutex) { pthread_mutex_init(mutex, NULL); }
static inline void fd_mutex_lock(fd_mutex *mutex) { pthread_mutex_lock(mutex); }
static inline int fd_mutex_try(fd_mutex *mutex) { return pthread_mutex_trylock(mutex) == 0; }
static inline void fd_mutex_unlock(fd_mutex *mutex) { pthread_mutex_unlock(mutex); }
static inline void fd_mutex_free(fd_mutex *mutex) { pthread_mutex_destroy(mutex); }
static inline void fd_condition_init(fd_condition *condition) { pthread_cond_init(condition, NULL); }
static inline void fd_condition_signal(fd_condition *condition) { pthread_cond_signal(condition); }
static inline void fd_condition_free(fd_condition *condition) { pthread_cond_destroy(condition); }
static inline void fd_condition_wait(fd_condition *condition, fd_mutex *mutex) { pthread_cond_wait(condition, mutex); }
static inline void fd_condition_wait_ms(fd_condition *condition, fd_mutex *mutex, int ms) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += ms % 1000 * 1000000L;
  until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_cond_timedwait(condition, mutex, &until);
}

/* A slot of the calling thread, and what is called with it when the thread ends. */
static inline int32_t fd_key_make(fd_key *key, void (*ends)(void *)) {
  const int failed = pthread_key_create(key, ends);
  return failed == 0 ? 0 : fd_failure(failed);
}
static inline int32_t fd_key_set(fd_key key, void *value) {
  const int failed = pthread_setspecific(key, value);
  return failed == 0 ? 0 : fd_failure(failed);
}
static inline void *fd_key_get(fd_key key) { return pthread_getspecific(key); }

/* Whether the thread ends because the process does. */
static inline int fd_process_ends(void) { return 0; }
static inline int fd_process(void) { return (int)getpid(); }
static inline void fd_pause_ms(int ms) {
  const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  nanosleep(&time, NULL);
}

static inline int32_t fd_thread_start(fd_thread_result (*run)(void *), void *argument) {
  /* Signals are for the runtime's own threads; those that a fault raises must still reach the thread at fault. */
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

/* Whether the mutex was locked within the time. */
static inline int fd_mutex_lock_within(fd_mutex *mutex, int ms) {
  for (int tries = 0; !fd_mutex_try(mutex); tries++) {
    if (tries == ms) return 0;
    fd_pause_ms(1);
  }
  return 1;
}

#endif
