/* Mappings. Addresses and sizes are whole pages of Darwin's size, which may be larger than Linux's: what Darwin would
 * refuse is refused. */
#include "darwin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MAC_SHARED = 1, MAC_PRIVATE = 2, MAC_FIXED = 0x10, MAC_ANONYMOUS = 0x1000 };

size_t darwin_page(void) {
  static size_t page;
  if (page == 0) page = getenv("DARWIN_PAGE") != NULL ? strtoul(getenv("DARWIN_PAGE"), NULL, 10) : 16384;
  return page;
}

size_t darwin_whole_pages(size_t bytes) { return (bytes + darwin_page() - 1) / darwin_page() * darwin_page(); }

static int is_page(const void *address) { return (uintptr_t)address % darwin_page() == 0; }

/* Room for a mapping, at an address that is whole pages. */
static void *room_for(size_t bytes) {
  char *const wide = mmap(NULL, bytes + darwin_page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (wide == MAP_FAILED) return MAP_FAILED;
  char *const address = (char *)darwin_whole_pages((size_t)wide);
  if (address > wide) munmap(wide, (size_t)(address - wide));
  munmap(address + bytes, (size_t)(wide + darwin_page() - address));
  return address;
}

static void *shared(size_t bytes, int file, int64_t from) {
  struct stat status;
  if (fstat(file, &status) != 0) return darwin_fail(), MAP_FAILED;
  /* No part of a mapping is past an object's end. */
  if (from != 0 || bytes > (size_t)status.st_size) return darwin_fail_with(DARWIN_EINVAL), MAP_FAILED;
  void *const room = room_for(bytes);
  if (room == MAP_FAILED) return darwin_fail(), MAP_FAILED;
  RETURN(void *, mmap(room, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0));
}

static void *private(size_t bytes, int file, int64_t from) {
  if (file != -1 || from != 0) darwin_unforeseen("a private mapping of file", file);
  void *const room = room_for(bytes);
  if (room == MAP_FAILED) return darwin_fail(), MAP_FAILED;
  RETURN(void *, mmap(room, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

static void *emptied(void *address, size_t bytes, int protection) {
  if (!is_page(address)) return darwin_fail_with(DARWIN_EINVAL), MAP_FAILED;
  RETURN(void *, mmap(address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

DARWIN void *mac_mmap(void *address, size_t bytes, int protection, int flags, int file, int64_t from) {
  const size_t whole = darwin_whole_pages(bytes);
  if (flags == MAC_SHARED && address == NULL && protection == 3) return shared(whole, file, from);
  if (flags == (MAC_PRIVATE | MAC_ANONYMOUS) && address == NULL && protection == 3) return private(whole, file, from);
  const int is_anonymous = flags == (MAC_FIXED | MAC_PRIVATE | MAC_ANONYMOUS) && file == -1 && from == 0;
  if (is_anonymous && (protection == 1 || protection == 3)) return emptied(address, whole, protection);
  darwin_unforeseen("mmap with flags", flags);
}

DARWIN int mac_munmap(void *address, size_t bytes) {
  if (!is_page(address)) return darwin_fail_with(DARWIN_EINVAL), -1;
  RETURN(int, munmap(address, darwin_whole_pages(bytes)));
}

DARWIN void *mac_memcpy(void *to, const void *from, size_t bytes) { return memcpy(to, from, bytes); }
DARWIN void *mac_memmove(void *to, const void *from, size_t bytes) { return memmove(to, from, bytes); }
DARWIN void mac_memset_pattern16(char *to, const char *pattern, size_t bytes) {
  for (size_t at = 0; at < bytes; at++) to[at] = pattern[at % 16];
}
DARWIN void *mac_calloc(size_t count, size_t bytes) { return calloc(count, bytes); }
DARWIN void mac_free(void *address) { free(address); }
