/* Windows: segments and their names. */
#include "windows_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_PAGE_BYTES = 4096 };

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

static void memory_name(char *out, uint64_t id) {
  snprintf(out, FD_OBJECT_NAME_BYTES, "Local\\frames-depot!%016llx", (unsigned long long)id);
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

static void page_name(char *out, const char *name) {
  snprintf(out, FD_OBJECT_NAME_BYTES, "Local\\" FD_PREFIX "%s", name);
}

/* A runtime lets go of the library while its threads are still inside. */
void fd_stay_loaded(void) {
  HMODULE module;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     (LPCSTR)(uintptr_t)fd_stay_loaded, &module);
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

int32_t fd_space(double *out) {
  MEMORYSTATUSEX status = {.dwLength = sizeof status};
  if (!GlobalMemoryStatusEx(&status)) return fd_last_failure();
  /* Segments are charged to what memory and page files hold together. */
  out[FD_SPACE_FREE] = (double)status.ullAvailPageFile;
  out[FD_SPACE_TOTAL] = (double)status.ullTotalPageFile;
  out[FD_SPACE_MEMORY] = (double)status.ullAvailPhys;
  return 0;
}

static HANDLE open_memory(uint64_t id) {
  char name[FD_OBJECT_NAME_BYTES];
  memory_name(name, id);
  return OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
}

static int lives(uint64_t id) {
  if (id == 0) return 0;
  const HANDLE memory = open_memory(id);
  if (memory == NULL) return GetLastError() != ERROR_FILE_NOT_FOUND;
  CloseHandle(memory);
  return 1;
}

/* Maps what both ways to a segment need, and finds out how long it really is. */
static int32_t take_memory(fd_segment *segment) {
  segment->control = MapViewOfFile(segment->memory, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, sizeof *segment->control);
  if (segment->control == NULL) return fd_last_failure();
  void *ring = MapViewOfFile(segment->memory, FILE_MAP_READ, 0, FD_CONTROL_BYTES, 0);
  if (ring == NULL) return fd_last_failure();
  MEMORY_BASIC_INFORMATION info;
  const SIZE_T known = VirtualQuery(ring, &info, sizeof info);
  UnmapViewOfFile(ring);
  if (known == 0) return fd_last_failure();
  segment->bytes = (double)info.RegionSize;
  return 0;
}

/* Creates the page if it may, else opens it; answers 0 or -errno. */
static int32_t take_name(fd_segment *segment, int create) {
  char name[FD_OBJECT_NAME_BYTES];
  page_name(name, segment->label);
  segment->name_page =
      create ? CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, NAME_PAGE_BYTES, name)
             : OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
  if (segment->name_page == NULL) return fd_last_failure();
  segment->name = MapViewOfFile(segment->name_page, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, NAME_PAGE_BYTES);
  return segment->name == NULL ? fd_last_failure() : 0;
}

static void drop_name(fd_segment *segment) {
  if (segment->name != NULL) UnmapViewOfFile(segment->name);
  if (segment->name_page != NULL) CloseHandle(segment->name_page);
  segment->name = NULL;
  segment->name_page = NULL;
}

static uint64_t named_id(const fd_segment *segment) { return __atomic_load_n(segment->name, __ATOMIC_SEQ_CST); }

static int rename_to(fd_segment *segment, uint64_t from, uint64_t to) {
  return __atomic_compare_exchange_n(segment->name, &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static int32_t new_handle(const char *name, fd_segment **out) {
  const int32_t answer = fd_check_name(name);
  if (answer != 0) return answer;
  fd_segment *segment = calloc(1, sizeof *segment);
  if (segment == NULL) return -FD_ENOMEM;
  memcpy(segment->label, name, strlen(name));
  *out = segment;
  return 0;
}

static int32_t make_memory(fd_segment *segment, double bytes) {
  const uint64_t size = (uint64_t)bytes + FD_CONTROL_BYTES;
  LARGE_INTEGER now;
  QueryPerformanceCounter(&now);
  /* Need not be a secret, only another one than all that live: if it is taken, the next one is tried. */
  segment->id = (uint64_t)now.QuadPart ^ (uint64_t)GetCurrentProcessId() << 40;
  for (;;) {
    if (++segment->id == 0) continue;
    char name[FD_OBJECT_NAME_BYTES];
    memory_name(name, segment->id);
    segment->memory = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_COMMIT, (DWORD)(size >> 32),
                                         (DWORD)size, name);
    if (segment->memory == NULL) return fd_last_failure();
    if (GetLastError() != ERROR_ALREADY_EXISTS) return 0;
    CloseHandle(segment->memory);
    segment->memory = NULL;
  }
}

int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out) {
  (void)mode; /* a session's objects are its user's; there are no finer permissions to give */
  if (fd_check_bytes(bytes) != 0) return -FD_EINVAL;
  MEMORYSTATUSEX status = {.dwLength = sizeof status};
  if (GlobalMemoryStatusEx(&status) && bytes > (double)status.ullTotalPageFile) return -FD_ENOSPC;
  fd_segment *segment;
  int32_t answer = new_handle(name, &segment);
  if (answer != 0) return answer;
  answer = make_memory(segment, bytes);
  if (answer == 0) answer = take_memory(segment);
  return fd_segment_finish(segment, answer, out);
}

int32_t fd_segment_publish(fd_segment *segment) {
  if (segment->name != NULL) return -FD_EEXIST;
  int32_t answer = take_name(segment, 1);
  while (answer == 0) {
    const uint64_t seen = named_id(segment);
    if (lives(seen)) answer = -FD_EEXIST;
    else if (rename_to(segment, seen, segment->id)) return 0;
  }
  drop_name(segment);
  return answer;
}

int32_t fd_segment_open(const char *name, fd_segment **out) {
  fd_segment *segment;
  int32_t answer = new_handle(name, &segment);
  if (answer != 0) return answer;
  answer = take_name(segment, 0);
  if (answer == 0) {
    segment->id = named_id(segment);
    segment->memory = segment->id == 0 ? NULL : open_memory(segment->id);
    if (segment->memory != NULL) answer = take_memory(segment);
    else answer = segment->id == 0 ? -FD_ENOENT : fd_last_failure();
  }
  return fd_segment_finish(segment, answer, out);
}

int32_t fd_segment_info(fd_segment *segment, double *out) {
  out[FD_INFO_BYTES] = segment->bytes;
  out[FD_INFO_MODE] = 0600;
  out[FD_INFO_OWNER] = -1;
  out[FD_INFO_SELF] = -1;
  out[FD_INFO_LINKED] = segment->name != NULL && named_id(segment) == segment->id;
  return 0;
}

int32_t fd_system_unlink(fd_segment *segment) {
  return segment->name != NULL && rename_to(segment, segment->id, 0);
}

/* Handles and names go with their process by themselves, and a thread that ends closes its handles. So which
 * peers live does not matter, and fd_segment_locked is not told: no name is removed when a thread or process ends. */
int32_t fd_system_peer_lives(fd_segment *segment) {
  (void)segment;
  return 1;
}

void fd_system_unlock_peers(fd_segment *segment) { (void)segment; }

void fd_system_unlock_all(fd_segment *segment) { (void)segment; }

void fd_system_close(fd_segment *segment) {
  for (int32_t index = 0; index < FD_LOCKS; index++) {
    if (segment->locks[index] != NULL) CloseHandle(segment->locks[index]);
  }
  drop_name(segment);
  if (segment->control != NULL) UnmapViewOfFile(segment->control);
  if (segment->memory != NULL) CloseHandle(segment->memory);
  free(segment);
}

int32_t fd_unlink(const char *name) {
  fd_segment *segment;
  int32_t answer = new_handle(name, &segment);
  if (answer != 0) return answer;
  answer = take_name(segment, 0);
  if (answer == 0 && !lives(__atomic_exchange_n(segment->name, 0, __ATOMIC_SEQ_CST))) answer = -FD_ENOENT;
  fd_system_close(segment);
  return answer;
}

int fd_name_leads(const char *name) {
  fd_segment *segment;
  if (new_handle(name, &segment) != 0) return 0;
  const int leads = take_name(segment, 0) == 0 && lives(named_id(segment));
  fd_system_close(segment);
  return leads;
}
