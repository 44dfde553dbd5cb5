/* Windows: segments and their names. The kernel's object directory is the only list of them there is, and it cannot be
 * stale. */
#include "windows_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

/* Documented by Microsoft, but in no header. */
struct directory_entry {
  UNICODE_STRING name;
  UNICODE_STRING type;
};
NTSTATUS NTAPI NtOpenDirectoryObject(PHANDLE directory, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes);
NTSTATUS NTAPI NtQueryDirectoryObject(HANDLE directory, PVOID buffer, ULONG bytes, BOOLEAN single, BOOLEAN restart,
                                      PULONG context, PULONG length);

enum { NAME_PAGE_BYTES = 4096 };

/* Room for some thousand objects: what a session has comes in one answer, and between two the directory may shift. */
enum { MAY_QUERY = 1, BUFFER_BYTES = 1 << 20 };

static const NTSTATUS MORE_ENTRIES = 0x105, NOT_IMPLEMENTED = (NTSTATUS)0xc0000002, NO_MORE = (NTSTATUS)0x8000001a;

static void page_name(char *out, const char *name) {
  snprintf(out, FD_OBJECT_NAME_BYTES, "Local\\" FD_PREFIX "%s", name);
}

static int lives(uint64_t id) {
  if (id == 0) return 0;
  const HANDLE memory = fd_memory_open(id);
  if (memory == NULL) return GetLastError() != ERROR_FILE_NOT_FOUND;
  CloseHandle(memory);
  return 1;
}

/* Creates the page if it may, else opens it; returns 0 or -errno. */
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

int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out) {
  (void)mode; /* a session's objects are its user's; there are no finer permissions to give */
  if (fd_check_bytes(bytes) != 0) return -FD_EINVAL;
  MEMORYSTATUSEX status = {.dwLength = sizeof status};
  if (GlobalMemoryStatusEx(&status) && bytes > (double)status.ullTotalPageFile) return -FD_ENOSPC;
  fd_segment *segment;
  int32_t answer = new_handle(name, &segment);
  if (answer != 0) return answer;
  answer = fd_memory_make(segment, bytes);
  if (answer == 0) answer = fd_memory_take(segment);
  return fd_segment_finish(segment, answer, out);
}

int32_t fd_segment_name(fd_segment *segment) {
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

int32_t fd_segment_replace(fd_segment *segment, fd_segment *old) {
  if (segment->name != NULL) return -FD_EEXIST;
  int32_t answer = take_name(segment, 1);
  if (answer == 0 && !rename_to(segment, old->id, segment->id)) answer = -FD_ENOENT;
  if (answer != 0) drop_name(segment);
  return answer;
}

int32_t fd_segment_open(const char *name, fd_segment **out) {
  fd_segment *segment;
  int32_t answer = new_handle(name, &segment);
  if (answer != 0) return answer;
  answer = take_name(segment, 0);
  if (answer == 0) {
    do { /* again where another segment has taken the name meanwhile */
      segment->id = named_id(segment);
      segment->memory = segment->id == 0 ? NULL : fd_memory_open(segment->id);
    } while (segment->memory == NULL && named_id(segment) != segment->id);
    if (segment->memory != NULL) answer = fd_memory_take(segment);
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

int32_t fd_name_info(const char *name, double *out) {
  (void)out;
  const int32_t answer = fd_check_name(name);
  return answer != 0 ? answer : -FD_ENOTSUP;
}

int32_t fd_system_unlink(fd_segment *segment) {
  return segment->name != NULL && rename_to(segment, segment->id, 0);
}

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

/* Whether a name leads to a segment at this moment. */
static int name_leads(const char *name) {
  fd_segment *segment;
  if (new_handle(name, &segment) != 0) return 0;
  const int leads = take_name(segment, 0) == 0 && lives(named_id(segment));
  fd_system_close(segment);
  return leads;
}

static HANDLE open_directory(const wchar_t *path) {
  UNICODE_STRING name;
  OBJECT_ATTRIBUTES attributes;
  HANDLE directory = NULL;
  RtlInitUnicodeString(&name, path);
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  return NtOpenDirectoryObject(&directory, MAY_QUERY, &attributes) >= 0 ? directory : NULL;
}

/* Where "Local\" leads. Services, and many build machines, run in session 0, which has no directory of its own. */
static HANDLE open_session(void) {
  DWORD session = 0;
  wchar_t path[64];
  ProcessIdToSessionId(GetCurrentProcessId(), &session);
  swprintf(path, sizeof path / sizeof *path, L"\\Sessions\\%lu\\BaseNamedObjects", (unsigned long)session);
  const HANDLE directory = session == 0 ? NULL : open_directory(path);
  return directory != NULL ? directory : open_directory(L"\\BaseNamedObjects");
}

/* The depot's name in an object's name, or 0. */
static int depot_name(const UNICODE_STRING *object, char *out) {
  const size_t length = object->Length / sizeof(wchar_t), prefix = sizeof FD_PREFIX - 1;
  if (length <= prefix || length - prefix > FD_NAME_BYTES) return 0;
  for (size_t at = 0; at < length; at++) {
    const wchar_t letter = object->Buffer[at];
    if (letter > 127 || (at < prefix && letter != (wchar_t)FD_PREFIX[at])) return 0;
    if (at >= prefix) out[at - prefix] = (char)letter;
  }
  out[length - prefix] = 0;
  return 1;
}

static void add_entries(struct fd_names *names, const struct directory_entry *at) {
  char name[FD_NAME_BYTES + 1];
  for (; at->name.Buffer != NULL; at++) {
    if (depot_name(&at->name, name) && name_leads(name)) fd_add_name(names, name);
  }
}

static int32_t add_all(struct fd_names *names, HANDLE directory, struct directory_entry *entries) {
  BOOLEAN single = FALSE, restart = TRUE;
  ULONG context = 0, length = 0;
  for (;;) {
    const NTSTATUS status =
        NtQueryDirectoryObject(directory, entries, BUFFER_BYTES, single, restart, &context, &length);
    if (status == NOT_IMPLEMENTED && !single) {
      single = TRUE; /* Wine */
      continue;
    }
    if (status == NO_MORE) return 0;
    if (status < 0) return -FD_EIO;
    add_entries(names, entries);
    if (!single && status != MORE_ENTRIES) return 0;
    restart = FALSE;
  }
}

int32_t fd_list(char *out, int32_t capacity) {
  struct fd_names names = {.out = out, .capacity = capacity};
  struct directory_entry *entries = calloc(1, BUFFER_BYTES);
  if (entries == NULL) return -FD_ENOMEM;
  const HANDLE directory = open_session();
  const int32_t answer = directory == NULL ? -FD_EACCES : add_all(&names, directory, entries);
  if (directory != NULL) NtClose(directory);
  free(entries);
  return answer < 0 ? answer : names.needed;
}
