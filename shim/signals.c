/* Signals that end the process: what they would do by themselves, and doing that after the depots have been closed. */
#define _GNU_SOURCE
#include "owners.h"

#include <signal.h>

int32_t fd_signal_state(int32_t number) {
#if defined(_WIN32)
  (void)number;
  return FD_SIGNAL_ENDS;
#else
  struct sigaction action;
  if (sigaction(number, NULL, &action) != 0) return -FD_EINVAL;
  if ((action.sa_flags & SA_SIGINFO) != 0) return FD_SIGNAL_HEARD;
  return action.sa_handler == SIG_DFL ? FD_SIGNAL_ENDS : action.sa_handler == SIG_IGN ? FD_SIGNAL_IGNORED
                                                                                     : FD_SIGNAL_HEARD;
#endif
}

int32_t fd_signal_end(int32_t number) {
#if defined(_WIN32)
  (void)number;
  ExitProcess(0xC000013A); /* as Ctrl-C does */
#else
  fd_owners_end(); /* what other threads have open */
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  signal(number, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &only, NULL);
  raise(number);
  return -FD_EINVAL;
#endif
}
