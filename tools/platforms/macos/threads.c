/* Threads and signals. Linux's objects lie in Darwin's, which are larger or as large; one that is initialised without a
 * call has Darwin's mark instead. */
#include "darwin.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MUTEX_MARK 0x32aaaba7ul
#define ONCE_MARK 0x30b1bcbaul

_Static_assert(sizeof(pthread_mutex_t) <= 64 && sizeof(pthread_cond_t) <= 48, "Darwin's objects are larger");
_Static_assert(sizeof(pthread_attr_t) <= 64, "Darwin's objects are larger");

/* glibc's mutex that is free is all zeros. */
static pthread_mutex_t *own(void *mutex) {
  uint64_t mark = MUTEX_MARK;
  __atomic_compare_exchange_n((uint64_t *)mutex, &mark, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return mutex;
}

/* These return the error, as Darwin's number. */
DARWIN int mac_pthread_mutex_init(void *mutex, const void *attributes) {
  if (attributes != NULL) darwin_unforeseen("a mutex with attributes", 0);
  return darwin_error(pthread_mutex_init(mutex, NULL));
}
DARWIN int mac_pthread_mutex_destroy(void *mutex) { return darwin_error(pthread_mutex_destroy(own(mutex))); }
DARWIN int mac_pthread_mutex_lock(void *mutex) { return darwin_error(pthread_mutex_lock(own(mutex))); }
DARWIN int mac_pthread_mutex_trylock(void *mutex) { return darwin_error(pthread_mutex_trylock(own(mutex))); }
DARWIN int mac_pthread_mutex_unlock(void *mutex) { return darwin_error(pthread_mutex_unlock(own(mutex))); }

DARWIN int mac_pthread_cond_init(void *condition, const void *attributes) {
  if (attributes != NULL) darwin_unforeseen("a condition with attributes", 0);
  return darwin_error(pthread_cond_init(condition, NULL));
}
DARWIN int mac_pthread_cond_destroy(void *condition) { return darwin_error(pthread_cond_destroy(condition)); }
DARWIN int mac_pthread_cond_signal(void *condition) { return darwin_error(pthread_cond_signal(condition)); }
DARWIN int mac_pthread_cond_wait(void *condition, void *mutex) {
  return darwin_error(pthread_cond_wait(condition, own(mutex)));
}
DARWIN int mac_pthread_cond_timedwait(void *condition, void *mutex, const struct timespec *until) {
  return darwin_error(pthread_cond_timedwait(condition, own(mutex), until));
}

DARWIN int mac_pthread_once(uint64_t *once, void (*run)(void)) {
  enum { RUNS = 1, DONE = 2 };
  uint64_t state = ONCE_MARK;
  if (__atomic_compare_exchange_n(once, &state, RUNS, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    run();
    __atomic_store_n(once, DONE, __ATOMIC_RELEASE);
  } else if (state != RUNS && state != DONE) {
    darwin_unforeseen("pthread_once on", (long)state);
  }
  while (__atomic_load_n(once, __ATOMIC_ACQUIRE) != DONE) sched_yield();
  return 0;
}

DARWIN int mac_pthread_key_create(unsigned long *out, void (*ends)(void *)) {
  pthread_key_t key;
  const int failed = pthread_key_create(&key, ends);
  if (failed == 0) *out = key;
  return darwin_error(failed);
}
DARWIN int mac_pthread_setspecific(unsigned long key, const void *value) {
  return darwin_error(pthread_setspecific((pthread_key_t)key, value));
}
DARWIN void *mac_pthread_getspecific(unsigned long key) { return pthread_getspecific((pthread_key_t)key); }

DARWIN int mac_pthread_attr_init(void *attributes) { return darwin_error(pthread_attr_init(attributes)); }
DARWIN int mac_pthread_attr_destroy(void *attributes) { return darwin_error(pthread_attr_destroy(attributes)); }
DARWIN int mac_pthread_attr_setdetachstate(void *attributes, int state) {
  if (state != 2) darwin_unforeseen("a thread of state", state); /* PTHREAD_CREATE_DETACHED */
  return darwin_error(pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED));
}
DARWIN int mac_pthread_attr_setstacksize(void *attributes, size_t bytes) {
  if (bytes % darwin_page() != 0) return DARWIN_EINVAL;
  return darwin_error(pthread_attr_setstacksize(attributes, bytes));
}
DARWIN int mac_pthread_create(pthread_t *out, const void *attributes, void *(*run)(void *), void *argument) {
  return darwin_error(pthread_create(out, attributes, run, argument));
}
DARWIN int mac_sched_yield(void) { return sched_yield(); }

/* Darwin's numbers, from 1 on; 0 where Linux has no such signal. */
static const int signals[32] = {0,       SIGHUP,  SIGINT,  SIGQUIT,  SIGILL,  SIGTRAP, SIGABRT, 0,
                                SIGFPE,  SIGKILL, SIGBUS,  SIGSEGV,  SIGSYS,  SIGPIPE, SIGALRM, SIGTERM,
                                SIGURG,  SIGSTOP, SIGTSTP, SIGCONT,  SIGCHLD, SIGTTIN, SIGTTOU, SIGIO,
                                SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, 0,     SIGUSR1, SIGUSR2};

int darwin_signal(int number) {
  if (number < 1 || number > 31 || signals[number] == 0) darwin_unforeseen("the signal", number);
  return signals[number];
}

/* A set has bit N - 1 for signal N. Linux's others are in a set that has all of Darwin's. */
static sigset_t own_set(uint32_t mac, int is_filled) {
  sigset_t out;
  if (is_filled) sigfillset(&out);
  else sigemptyset(&out);
  for (int number = 1; number < 32; number++) {
    if (signals[number] == 0) continue;
    if (mac >> (number - 1) & 1) sigaddset(&out, signals[number]);
    else sigdelset(&out, signals[number]);
  }
  return out;
}

/* What a set of Darwin's cannot say of Linux's signals is kept for setting it back. */
DARWIN int mac_pthread_sigmask(int how, const uint32_t *set, uint32_t *old) {
  static const int hows[] = {0, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK};
  static _Thread_local sigset_t kept;
  static _Thread_local uint32_t kept_as;
  static _Thread_local int is_kept;
  if (how < 1 || how > 3 || set == NULL) darwin_unforeseen("pthread_sigmask", how);
  const int goes_back = how == 3 && old == NULL && is_kept && *set == kept_as;
  const sigset_t wanted = goes_back ? kept : own_set(*set, how == 3);
  sigset_t before;
  const int failed = pthread_sigmask(hows[how], &wanted, &before);
  is_kept = 0;
  if (failed != 0 || old == NULL) return darwin_error(failed);
  *old = 0;
  for (int number = 1; number < 32; number++) {
    if (signals[number] != 0 && sigismember(&before, signals[number]) == 1) *old |= 1u << (number - 1);
  }
  kept = before;
  kept_as = *old;
  is_kept = 1;
  return 0;
}

struct mac_sigaction {
  void *handler;
  uint32_t mask;
  int32_t flags;
};
_Static_assert(sizeof(struct mac_sigaction) == 16, "struct sigaction of Darwin");

DARWIN int mac_sigaction(int number, const void *action, struct mac_sigaction *out) {
  struct sigaction now;
  if (action != NULL || out == NULL) darwin_unforeseen("sigaction that sets", number);
  if (sigaction(darwin_signal(number), NULL, &now) != 0) return darwin_fail(), -1;
  const int has_info = (now.sa_flags & SA_SIGINFO) != 0;
  /* SIG_DFL and SIG_IGN are 0 and 1 on both. */
  out->handler = has_info ? (void *)now.sa_sigaction : (void *)now.sa_handler;
  out->mask = 0;
  out->flags = has_info ? 0x40 : 0;
  return 0;
}
DARWIN void *mac_signal(int number, void *handler) {
  if (handler != NULL) darwin_unforeseen("signal that sets", number);
  return (void *)signal(darwin_signal(number), SIG_DFL);
}
DARWIN int mac_raise(int number) { return raise(darwin_signal(number)); }
DARWIN int mac_atexit(void (*run)(void)) { return atexit(run); }
