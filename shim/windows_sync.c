/* Windows: locks, waiting, and a named pipe whose bytes wake an event loop. */
#include "sleep.h"
#include "windows_internal.h"

#include <stdio.h>

/* Between two looks at a word of a sleep that has no event. */
enum { WITHOUT_EVENT_MS = 5, PIPE_BYTES = 64 };

int32_t fd_last_failure(void) {
  switch (GetLastError()) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND: return -FD_ENOENT;
    case ERROR_TOO_MANY_OPEN_FILES: return -FD_EMFILE;
    case ERROR_ACCESS_DENIED: return -FD_EACCES;
    case ERROR_INVALID_HANDLE: return -FD_ENOTSUP; /* the name is another kind of object's */
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES: return -FD_ENOMEM;
    case ERROR_NOT_SUPPORTED: return -FD_ENOTSUP;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS: return -FD_EEXIST;
    case ERROR_BUSY: return -FD_EBUSY;
    case ERROR_INVALID_PARAMETER: return -FD_EINVAL;
    case ERROR_DISK_FULL:
    case ERROR_COMMITMENT_LIMIT: return -FD_ENOSPC;
    case ERROR_FILENAME_EXCED_RANGE: return -FD_ENAMETOOLONG;
    default: return -FD_EIO;
  }
}

static char *put_text(char *to, const char *text) {
  while (*text != 0) *to++ = *text++;
  return to;
}

static char *put_number(char *to, int32_t number) {
  char digits[10];
  int count = 0;
  for (uint32_t left = (uint32_t)number; count == 0 || left > 0; left /= 10) digits[count++] = (char)('0' + left % 10);
  while (count > 0) *to++ = digits[--count];
  return to;
}

/* By hand: printing takes a slot of the thread, and that may wait for another thread to end, which may wait for us. */
void fd_object_name(char *out, uint64_t id, const char *kind, int32_t first, int32_t second) {
  char *to = put_text(out, "Local\\frames-depot!");
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[id >> shift & 15];
  *to++ = '.';
  to = put_text(to, kind);
  *to++ = '.';
  to = put_number(to, first);
  *to++ = '.';
  to = put_number(to, second);
  *to = 0;
}

/* A runtime lets go of the library while its threads are still inside. */
void fd_stay_loaded(void) {
  HMODULE module;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     (LPCSTR)(uintptr_t)fd_stay_loaded, &module);
}

/* There is one space of process ids: the id is proof enough. */
double fd_started(double pid) {
  (void)pid;
  return -1;
}

int32_t fd_identity(double *out) {
  FILETIME started, ended, kernel, user;
  out[0] = (double)GetCurrentProcessId();
  out[1] = 0;
  if (!GetProcessTimes(GetCurrentProcess(), &started, &ended, &kernel, &user)) return 0;
  /* From 100 ns since 1601 to microseconds since 1970, which a double holds. */
  const uint64_t ticks = (uint64_t)started.dwHighDateTime << 32 | started.dwLowDateTime;
  out[1] = (double)(ticks / 10 - 11644473600000000u);
  return 0;
}

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

/* Handles and names go with their process by themselves, and a thread that ends closes its handles. So which
 * peers live does not matter, and fd_segment_locked is not told: no name is removed when a thread or process ends. */
int32_t fd_system_peer_lives(fd_segment *segment) {
  (void)segment;
  return 1;
}

void fd_system_unlock_peers(fd_segment *segment) { (void)segment; }

void fd_system_unlock_all(fd_segment *segment) { (void)segment; }

static uint64_t *bits_of(fd_segment *segment, int32_t lane, int32_t peer) {
  return &segment->control->asleep[lane][peer / 64];
}

static DWORD whole_ms(int64_t ns) { return (DWORD)((ns + 999999) / 1000000); }

/* Makes the event, shows it, and only then looks at the word; a waker changes the word and then looks for events. So
 * one of them sees the other. WaitOnAddress would not do: it knows this process only.
 *
 * An event wakes one sleep. So where a peer sleeps in a lane already, a second sleep has no event, shows nothing, and
 * looks at its word every few milliseconds. The lock is for two that come together: peers are of one process. A peer
 * that was killed leaves its bit, and no event. */
int fd_bell_arm(struct fd_bell *bell, const struct fd_sought *sought) {
  static SRWLOCK arming = SRWLOCK_INIT;
  char name[FD_OBJECT_NAME_BYTES];
  fd_object_name(name, sought->segment->id, "wake", sought->lane, sought->peer);
  uint64_t *const asleep = bits_of(sought->segment, sought->lane, sought->peer);
  const uint64_t bit = (uint64_t)1 << sought->peer % 64;
  AcquireSRWLockExclusive(&arming);
  const HANDLE event = CreateEventA(NULL, FALSE, FALSE, name);
  const int is_there = event != NULL && GetLastError() == ERROR_ALREADY_EXISTS;
  const int is_shown = (__atomic_fetch_or(asleep, bit, __ATOMIC_SEQ_CST) & bit) != 0;
  ReleaseSRWLockExclusive(&arming);
  const int is_second = is_there && is_shown;
  if (is_second) CloseHandle(event);
  *bell = (struct fd_bell){is_second ? NULL : event, is_second ? NULL : asleep, bit};
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

/* Without an event it ends soon and for no reason, unless its time is up by then. */
static DWORD sleep_in(const struct fd_bell *bell, DWORD ms) {
  if (bell->event != NULL) return WaitForSingleObject(bell->event, ms);
  Sleep(ms < WITHOUT_EVENT_MS ? ms : WITHOUT_EVENT_MS);
  return ms <= WITHOUT_EVENT_MS ? WAIT_TIMEOUT : WAIT_OBJECT_0;
}

int32_t fd_wait(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t expected,
                double timeout_ms) {
  if (lane < 0 || lane >= FD_LANES || peer < 0 || peer >= FD_MOST_PEERS) return -FD_EINVAL;
  const struct fd_sought sought = {segment, word, lane, peer, expected};
  struct fd_bell bell;
  DWORD ended = WAIT_OBJECT_0;
  const int sleeps = fd_bell_arm(&bell, &sought);
  const int32_t failed = bell.event == NULL && bell.asleep != NULL ? fd_last_failure() : 0;
  if (sleeps && failed == 0) ended = sleep_in(&bell, whole_ms(fd_timeout_ns(timeout_ms)));
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
  sleep_in(bell, left > 0 ? whole_ms(left) : 0);
  return -1;
}

void fd_bell_change(struct fd_bell *bell, const struct fd_sought *inside) {
  (void)inside;
  hide(bell);
  SetEvent(bell->event);
}

void fd_bell_wake(struct fd_bell *bell, const struct fd_sought *inside) { (void)bell, (void)inside; }

int32_t fd_pipe_open(struct fd_pipe *pipe) {
  static LONG counter;
  snprintf(pipe->path, sizeof pipe->path, "\\\\.\\pipe\\frames-depot-%lu-%ld", (unsigned long)GetCurrentProcessId(),
           (long)InterlockedIncrement(&counter));
  /* Both ways, because some clients ask for both. Nothing is read from it. */
  const DWORD access = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE;
  const DWORD mode = PIPE_TYPE_BYTE | PIPE_NOWAIT | PIPE_REJECT_REMOTE_CLIENTS;
  pipe->server = CreateNamedPipeA(pipe->path, access, mode, 1, PIPE_BYTES, PIPE_BYTES, 0, NULL);
  if (pipe->server != INVALID_HANDLE_VALUE) return 0;
  return GetLastError() == ERROR_TOO_MANY_OPEN_FILES ? -FD_EMFILE : -FD_EAGAIN;
}

/* A full pipe takes nothing and says so without an error: it has something to read. */
int fd_pipe_write(struct fd_pipe *pipe) {
  DWORD written = 0;
  return WriteFile(pipe->server, "", 1, &written, NULL) != 0;
}

void fd_pipe_close(struct fd_pipe *pipe) { CloseHandle(pipe->server); }

void fd_pipe_drop(struct fd_pipe *pipe) { CloseHandle(pipe->server); }
