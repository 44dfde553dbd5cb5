/* Windows: locks and waiting. */
#include "sleep.h"
#include "windows_internal.h"

/* A lock is held by the process that made the mutex of its name; the mutex is never waited for or owned, it just is.
 * Its handle is closed by the system when the process ends. A process that looks at this very moment has a handle too,
 * so a lock may seem held a microsecond longer than it is, and is tried for again. */
int32_t fd_lock(fd_segment *segment, int32_t index) {
  if (index < 0 || index >= FD_LOCKS) return -FD_EINVAL;
  if (segment->locks[index] != NULL) return 1;
  char name[FD_OBJECT_NAME_BYTES];
  fd_object_name(name, segment->id, "lock", index, 0);
  const HANDLE made = CreateMutexA(NULL, FALSE, name);
  if (made == NULL) return GetLastError() == ERROR_ACCESS_DENIED ? 0 : fd_last_failure();
  if (GetLastError() == ERROR_ALREADY_EXISTS) {
    CloseHandle(made);
    return 0;
  }
  segment->locks[index] = made;
  return 1;
}

int32_t fd_unlock(fd_segment *segment, int32_t index) {
  if (index < 0 || index >= FD_LOCKS) return -FD_EINVAL;
  if (segment->locks[index] != NULL) CloseHandle(segment->locks[index]);
  segment->locks[index] = NULL;
  return 0;
}

int32_t fd_lock_held(fd_segment *segment, int32_t index) {
  if (index < 0 || index >= FD_LOCKS) return -FD_EINVAL;
  if (segment->locks[index] != NULL) return 0;
  char name[FD_OBJECT_NAME_BYTES];
  fd_object_name(name, segment->id, "lock", index, 0);
  const HANDLE there = OpenMutexA(SYNCHRONIZE, FALSE, name);
  if (there == NULL) return GetLastError() != ERROR_FILE_NOT_FOUND;
  CloseHandle(there);
  return 1;
}

static uint64_t *bits_of(fd_segment *segment, int32_t lane, int32_t peer) {
  return &segment->control->asleep[lane][peer / 64];
}

/* Makes the event, shows it, and only then looks at the word; a waker changes the word and then looks for events. So
 * one of them sees the other. WaitOnAddress would not do: it knows this process only. */
int32_t fd_wait(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t expected,
                double timeout_ms) {
  if (lane < 0 || lane >= FD_LANES || peer < 0 || peer >= FD_MOST_PEERS) return -FD_EINVAL;
  char name[FD_OBJECT_NAME_BYTES];
  fd_object_name(name, segment->id, "wake", lane, peer);
  const HANDLE event = CreateEventA(NULL, FALSE, FALSE, name);
  if (event == NULL) return fd_last_failure();
  const uint64_t bit = (uint64_t)1 << peer % 64;
  __atomic_fetch_or(bits_of(segment, lane, peer), bit, __ATOMIC_SEQ_CST);
  DWORD answer = WAIT_OBJECT_0;
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == expected) {
    answer = WaitForSingleObject(event, (DWORD)((fd_timeout_ns(timeout_ms) + 999999) / 1000000));
  }
  __atomic_fetch_and(bits_of(segment, lane, peer), ~bit, __ATOMIC_SEQ_CST);
  CloseHandle(event);
  return answer == WAIT_TIMEOUT;
}

int32_t fd_wake(fd_segment *segment, int32_t *word, int32_t lane) {
  (void)word;
  if (lane < 0 || lane >= FD_LANES) return -FD_EINVAL;
  int32_t woken = 0;
  for (int32_t first = 0; first < FD_MOST_PEERS; first += 64) {
    uint64_t asleep = __atomic_load_n(bits_of(segment, lane, first), __ATOMIC_SEQ_CST);
    for (; asleep != 0; asleep &= asleep - 1) {
      char name[FD_OBJECT_NAME_BYTES];
      fd_object_name(name, segment->id, "wake", lane, first + __builtin_ctzll(asleep));
      /* A sleeper that was killed leaves its bit, and no event. */
      const HANDLE event = OpenEventA(EVENT_MODIFY_STATE, FALSE, name);
      if (event == NULL) continue;
      SetEvent(event);
      CloseHandle(event);
      woken++;
    }
  }
  return woken;
}

int64_t fd_monotonic_ns(void) {
  LARGE_INTEGER ticks, frequency;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&frequency);
  const int64_t whole = ticks.QuadPart / frequency.QuadPart, part = ticks.QuadPart % frequency.QuadPart;
  return whole * 1000000000 + part * 1000000000 / frequency.QuadPart;
}

int32_t fd_system_places(void) { return 1; }

int32_t fd_system_sleep(const struct fd_sought *sought, int32_t count, int32_t *bell, int32_t silent,
                        int64_t deadline_ns) {
  (void)count, (void)bell, (void)silent;
  return fd_sleep_on_one(sought, deadline_ns);
}

void fd_system_ring(int32_t *bell) { (void)bell; }
