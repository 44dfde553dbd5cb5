/* Windows: locks and waiting. */
#include "sleep.h"
#include "windows_internal.h"

/* Between two looks at a word when no event is to be had. */
enum { WITHOUT_EVENT_MS = 5 };

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

static DWORD whole_ms(int64_t ns) { return (DWORD)((ns + 999999) / 1000000); }

/* Makes the event, shows it, and only then looks at the word; a waker changes the word and then looks for events. So
 * one of them sees the other. WaitOnAddress would not do: it knows this process only. */
int fd_bell_arm(struct fd_bell *bell, const struct fd_sought *sought) {
  char name[FD_OBJECT_NAME_BYTES];
  fd_object_name(name, sought->segment->id, "wake", sought->lane, sought->peer);
  bell->event = CreateEventA(NULL, FALSE, FALSE, name);
  bell->asleep = bits_of(sought->segment, sought->lane, sought->peer);
  bell->bit = (uint64_t)1 << sought->peer % 64;
  __atomic_fetch_or(bell->asleep, bell->bit, __ATOMIC_SEQ_CST);
  return __atomic_load_n(sought->word, __ATOMIC_SEQ_CST) == sought->expected;
}

/* The segment is let go of; the event stays as long as a thread is in it. */
static void hide(struct fd_bell *bell) {
  if (bell->asleep != NULL) __atomic_fetch_and(bell->asleep, ~bell->bit, __ATOMIC_SEQ_CST);
  bell->asleep = NULL;
}

void fd_bell_disarm(struct fd_bell *bell) {
  hide(bell);
  if (bell->event != NULL) CloseHandle(bell->event);
  bell->event = NULL;
}

int32_t fd_wait(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t expected,
                double timeout_ms) {
  if (lane < 0 || lane >= FD_LANES || peer < 0 || peer >= FD_MOST_PEERS) return -FD_EINVAL;
  const struct fd_sought sought = {segment, word, lane, peer, expected};
  struct fd_bell bell;
  DWORD ended = WAIT_OBJECT_0;
  const int sleeps = fd_bell_arm(&bell, &sought);
  const int32_t failed = bell.event == NULL ? fd_last_failure() : 0;
  if (sleeps && failed == 0) ended = WaitForSingleObject(bell.event, whole_ms(fd_timeout_ns(timeout_ms)));
  fd_bell_disarm(&bell);
  return failed != 0 ? failed : ended == WAIT_TIMEOUT;
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

int fd_bell_is_there(void) { return 1; }

int32_t fd_bell_sleep(struct fd_bell *bell, const struct fd_sought *sought, int32_t count, int64_t deadline_ns) {
  (void)sought, (void)count;
  const int64_t left = deadline_ns - fd_monotonic_ns();
  if (bell->event != NULL) WaitForSingleObject(bell->event, left > 0 ? whole_ms(left) : 0);
  else Sleep(WITHOUT_EVENT_MS);
  return -1;
}

void fd_bell_change(struct fd_bell *bell, const struct fd_sought *inside) {
  (void)inside;
  hide(bell);
  SetEvent(bell->event);
}

void fd_bell_wake(struct fd_bell *bell, const struct fd_sought *inside) { (void)bell, (void)inside; }

