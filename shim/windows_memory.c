/* Windows: the memory of segments. A view is put into a placeholder, addresses that stay the process's own whatever is
 * in them: what is retired takes the place of the view, and no other allocation can come between. For microseconds the
 * addresses lead nowhere, and a thread that touches them then faults: Windows replaces nothing in one step.
 *
 * Before Windows 10 1803 there are no placeholders. Then a view is mapped as ever, another allocation may come between,
 * and what is retired begins at the next multiple of 64 KB. */
#include "windows_internal.h"

#include <stdio.h>

enum { PAGE_BYTES = 4096, GRANULE_BYTES = 65536 };
/* As in the headers of Windows 10, which not every compiler brings. */
enum { KEEPS_PLACEHOLDER = 2, REPLACES_PLACEHOLDER = 0x4000, IS_PLACEHOLDER = 0x40000 };

typedef PVOID(WINAPI *allocate)(HANDLE process, PVOID base, SIZE_T bytes, ULONG type, ULONG protection,
                                void *parameters, ULONG count);
typedef PVOID(WINAPI *map_view)(HANDLE memory, HANDLE process, PVOID base, ULONG64 offset, SIZE_T bytes, ULONG type,
                                ULONG protection, void *parameters, ULONG count);
typedef BOOL(WINAPI *unmap_view)(HANDLE process, PVOID base, ULONG flags);

struct calls {
  allocate allocate;
  map_view map;
  unmap_view unmap;
};

static void memory_name(char *out, uint64_t id) {
  snprintf(out, FD_OBJECT_NAME_BYTES, "Local\\frames-depot!%016llx", (unsigned long long)id);
}

HANDLE fd_memory_open(uint64_t id) {
  char name[FD_OBJECT_NAME_BYTES];
  memory_name(name, id);
  return OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
}

int32_t fd_memory_make(fd_segment *segment, double bytes) {
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

int32_t fd_memory_take(fd_segment *segment) {
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

static FARPROC find(const char *name) { return GetProcAddress(GetModuleHandleA("kernelbase.dll"), name); }

/* All three or none. They are looked for at the first mapping and not at the end of a thread: that may hold a lock for
 * which others wait while they hold the loader's. */
static int find_calls(struct calls *calls) {
  static struct calls known;
  static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
  BOOL is_pending;
  if (InitOnceBeginInitialize(&once, 0, &is_pending, NULL) && is_pending) {
    known.allocate = (allocate)(void (*)(void))find("VirtualAlloc2");
    known.map = (map_view)(void (*)(void))find("MapViewOfFile3");
    known.unmap = (unmap_view)(void (*)(void))find("UnmapViewOfFile2");
    InitOnceComplete(&once, 0, NULL);
  }
  *calls = known;
  return calls->allocate != NULL && calls->map != NULL && calls->unmap != NULL;
}

static SIZE_T whole(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

static char *map_into(const struct calls *calls, fd_segment *segment, char *base, size_t bytes) {
  return calls->map(segment->memory, GetCurrentProcess(), base, FD_CONTROL_BYTES, whole(bytes, PAGE_BYTES),
                    REPLACES_PLACEHOLDER, PAGE_READWRITE, NULL, 0);
}

int32_t fd_system_map(fd_segment *segment, size_t bytes, char **out) {
  struct calls calls;
  char *base;
  if (find_calls(&calls)) {
    /* Beyond the segment's end a view would be refused only when it takes the place. */
    char *place = calls.allocate(GetCurrentProcess(), NULL, whole(bytes, PAGE_BYTES), MEM_RESERVE | IS_PLACEHOLDER,
                                 PAGE_NOACCESS, NULL, 0);
    if (place == NULL) return fd_last_failure();
    base = map_into(&calls, segment, place, bytes);
    if (base == NULL) {
      const int32_t answer = fd_last_failure();
      VirtualFree(place, 0, MEM_RELEASE);
      return answer;
    }
  } else {
    base = MapViewOfFile(segment->memory, FILE_MAP_READ | FILE_MAP_WRITE, 0, FD_CONTROL_BYTES, bytes);
    if (base == NULL) return fd_last_failure();
  }
  *out = base;
  return 0;
}

int32_t fd_system_unmap(fd_segment *segment, char *base, size_t bytes) {
  (void)segment, (void)bytes;
  return UnmapViewOfFile(base) ? 0 : fd_last_failure();
}

/* From view to placeholder; that in two; the view again in the first part, private pages in the second. */
static int32_t retire_in_place(const struct calls *calls, fd_segment *segment, char *base, size_t from, size_t bytes) {
  const SIZE_T rest = whole(bytes, PAGE_BYTES) - from;
  if (!calls->unmap(GetCurrentProcess(), base, KEEPS_PLACEHOLDER)) return fd_last_failure();
  if (from > 0 && !VirtualFree(base, from, MEM_RELEASE | KEEPS_PLACEHOLDER)) return fd_last_failure();
  if (from > 0 && map_into(calls, segment, base, from) == NULL) return fd_last_failure();
  const ULONG type = MEM_RESERVE | MEM_COMMIT | REPLACES_PLACEHOLDER;
  if (calls->allocate(GetCurrentProcess(), base + from, rest, type, PAGE_READWRITE, NULL, 0) != NULL) return 0;
  return fd_last_failure();
}

static int32_t retire_around(fd_segment *segment, char *base, size_t from, size_t bytes) {
  if (!UnmapViewOfFile(base)) return fd_last_failure();
  const DWORD access = FILE_MAP_READ | FILE_MAP_WRITE;
  if (from > 0 && MapViewOfFileEx(segment->memory, access, 0, FD_CONTROL_BYTES, from, base) == NULL) {
    return fd_last_failure();
  }
  const size_t private_from = whole(from, GRANULE_BYTES);
  if (private_from >= bytes) return 0;
  const DWORD type = MEM_RESERVE | MEM_COMMIT;
  if (VirtualAlloc(base + private_from, bytes - private_from, type, PAGE_READWRITE) != NULL) return 0;
  return fd_last_failure();
}

int32_t fd_system_retire(fd_segment *segment, char *base, size_t from, size_t bytes) {
  struct calls calls;
  if (find_calls(&calls)) return retire_in_place(&calls, segment, base, from, bytes);
  return retire_around(segment, base, from, bytes);
}

/* Other users cannot open a segment, and a name goes with its last holder. */
int32_t fd_system_snapshot(fd_segment *segment, size_t bytes, size_t copied, char **out) {
  (void)segment, (void)bytes, (void)copied, (void)out;
  return -FD_ENOTSUP;
}

int32_t fd_system_empty(fd_segment *segment) {
  (void)segment;
  return -FD_ENOTSUP;
}

void fd_populate(void *base, double offset, double bytes) {
  const volatile char *start = (char *)base + (SIZE_T)offset;
  for (SIZE_T at = 0; at < (SIZE_T)bytes; at += PAGE_BYTES) (void)start[at];
}

int32_t fd_limits(double *out) {
  for (int at = 0; at < 2 * FD_LIMITS; at++) out[at] = -1;
  MEMORYSTATUSEX status = {.dwLength = sizeof status};
  if (!GlobalMemoryStatusEx(&status)) return fd_last_failure();
  /* Segments are charged to what memory and page files hold together. */
  out[2 * FD_LIMIT_FILE_SYSTEM] = (double)status.ullAvailPageFile;
  out[2 * FD_LIMIT_FILE_SYSTEM + 1] = (double)status.ullTotalPageFile;
  out[2 * FD_LIMIT_MEMORY] = (double)status.ullAvailPhys;
  out[2 * FD_LIMIT_MEMORY + 1] = (double)status.ullTotalPhys;
  return 0;
}
