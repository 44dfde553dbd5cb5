/* Windows: finding the segments of this session. The kernel's object directory is the only list there is, and it
 * cannot be stale. */
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

/* Room for some thousand objects: what a session has comes in one answer, and between two the directory may shift. */
enum { MAY_QUERY = 1, BUFFER_BYTES = 1 << 20 };

static const NTSTATUS MORE_ENTRIES = 0x105, NOT_IMPLEMENTED = (NTSTATUS)0xc0000002, NO_MORE = (NTSTATUS)0x8000001a;

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
    if (depot_name(&at->name, name) && fd_name_leads(name)) fd_add_name(names, name);
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
