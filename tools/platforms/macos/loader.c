/* dlopen for libraries of macOS: where a path leads to a Mach-O file for this processor, its segments are laid into
 * memory, its addresses are moved to where they lie, and what it imports is bound to the functions of this layer. All
 * other libraries are left to Linux. The format is that of Apple's mach-o/loader.h. */
#include "darwin.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__aarch64__)
#define SYMBOLS_SINCE "GLIBC_2.17"
enum { CPU = 0x0100000c, SEGMENTS_BEGIN_AT = 0x4000 };
#else
#define SYMBOLS_SINCE "GLIBC_2.2.5"
enum { CPU = 0x01000007, SEGMENTS_BEGIN_AT = 0x1000 };
#endif

struct header { uint32_t magic, cpu, cpu_kind, kind, commands, command_bytes, flags, reserved; };
struct command { uint32_t kind, bytes; };
struct segment { uint32_t kind, bytes; char name[16]; uint64_t address, size, offset, filled; int32_t most, first; };
struct symbols { uint32_t kind, bytes, offset, count, names, names_bytes; };
struct symbol { uint32_t name; uint8_t kind, section; uint16_t about; uint64_t value; };
/* Offsets and sizes of tables: rebase, bind, weak, lazy, export. */
struct fixups { uint32_t kind, bytes, table[10]; };
enum { MAGIC = 0xfeedfacf, LIBRARY = 6, SEGMENT = 0x19, SYMBOLS = 2, FIXUPS = 0x80000022, CHAINED = 0x80000034 };
enum { SYMBOL_KIND = 0x0e, SYMBOL_IN_SECTION = 0x0e, SYMBOL_EXTERNAL = 0x01 };
enum { IMAGES = 16, SEGMENTS = 8 };

struct image {
  char path[4096];
  dev_t device;
  ino_t file;
  char *bytes, *base;
  size_t size;
  const struct segment *segments[SEGMENTS];
  int segment_count;
  const struct symbols *symbols;
};

static struct image images[IMAGES];
static int image_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char system_library; /* its address is the handle of macOS's own library */

typedef void *(*find)(void *, const char *);
typedef void *(*open_library)(const char *, int);
typedef int (*close_library)(void *);

static find linux_find(void) {
  static find found;
  if (found == NULL) found = (find)dlvsym(RTLD_NEXT, "dlsym", SYMBOLS_SINCE);
  return found;
}

static _Noreturn void refuse(const struct image *image, const char *why) {
  fprintf(stderr, "macOS layer: %s: %s\n", image->path, why);
  abort();
}

/* A function or variable of the layer by its name in a Mach-O file, where C's names begin with an underscore. */
static void *provided(const char *name) {
  char own[256];
  if (name[0] == '_') name++;
  const int length = (int)strcspn(name, "$"); /* $INODE64: the form of the structures that there is */
  snprintf(own, sizeof own, "mac_%.*s", length, name);
  return linux_find()(RTLD_DEFAULT, own);
}

static uint64_t number(const uint8_t **at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

static char *place(const struct image *image, unsigned segment, uint64_t offset) {
  if (segment >= (unsigned)image->segment_count) refuse(image, "a fixup is in no segment");
  return image->base + image->segments[segment]->address + offset;
}

/* Adds where the image lies to the pointers that it names. */
static void rebase(const struct image *image, const uint8_t *at, const uint8_t *end) {
  unsigned segment = 0;
  uint64_t offset = 0;
  while (at < end) {
    const uint8_t what = *at & 0xf0, small = *at & 0x0f;
    uint64_t times = 0, skip = 0;
    at++;
    switch (what) {
      case 0x00: return;
      case 0x10: continue; /* the kind, a pointer */
      case 0x20: segment = small, offset = number(&at); continue;
      case 0x30: offset += number(&at); continue;
      case 0x40: offset += small * 8u; continue;
      case 0x50: times = small; break;
      case 0x60: times = number(&at); break;
      case 0x70: times = 1, skip = number(&at); break;
      case 0x80: times = number(&at), skip = number(&at); break;
      default: refuse(image, "an unknown step of rebasing");
    }
    for (; times > 0; times--, offset += 8 + skip) *(uint64_t *)place(image, segment, offset) += (uint64_t)image->base;
  }
}

/* Stores the addresses of what the image imports. `lazy`: the table's records end one by one. */
static void bind(const struct image *image, const uint8_t *at, const uint8_t *end, int lazy) {
  const char *name = "";
  unsigned segment = 0;
  uint64_t offset = 0;
  int64_t addend = 0;
  while (at < end) {
    const uint8_t what = *at & 0xf0, small = *at & 0x0f;
    uint64_t times = 1, skip = 0;
    at++;
    switch (what) {
      case 0x00:
        if (!lazy) return;
        continue;
      case 0x10: case 0x30: case 0x50: continue; /* which library, and the kind */
      case 0x20: (void)number(&at); continue;
      case 0x40: name = (const char *)at, at += strlen(name) + 1; continue;
      case 0x60: addend = (int64_t)number(&at); continue;
      case 0x70: segment = small, offset = number(&at); continue;
      case 0x80: offset += number(&at); continue;
      case 0x90: break;
      case 0xa0: skip = number(&at); break;
      case 0xb0: skip = small * 8u; break;
      case 0xc0: times = number(&at), skip = number(&at); break;
      default: refuse(image, "an unknown step of binding");
    }
    char *const to = provided(name);
    if (to == NULL) refuse(image, name);
    for (; times > 0; times--, offset += 8 + skip) *(char **)place(image, segment, offset) = to + addend;
  }
}

static void fix(const struct image *image, const struct fixups *fixups) {
  const uint8_t *const bytes = (const uint8_t *)image->bytes;
  const uint32_t *const table = fixups->table;
  rebase(image, bytes + table[0], bytes + table[0] + table[1]);
  bind(image, bytes + table[2], bytes + table[2] + table[3], 0);
  bind(image, bytes + table[6], bytes + table[6] + table[7], 1);
}

static void lay(struct image *image) {
  for (int at = 0; at < image->segment_count; at++) {
    const struct segment *segment = image->segments[at];
    if (segment->address % SEGMENTS_BEGIN_AT != 0) refuse(image, "a segment does not begin at a whole page");
    if (segment->address + segment->size > image->size) image->size = segment->address + segment->size;
  }
  const int fresh = MAP_PRIVATE | MAP_ANONYMOUS;
  image->base = mmap(NULL, image->size, PROT_READ | PROT_WRITE, fresh, -1, 0);
  if (image->base == MAP_FAILED) refuse(image, "no memory");
  for (int at = 0; at < image->segment_count; at++) {
    const struct segment *segment = image->segments[at];
    memcpy(image->base + segment->address, image->bytes + segment->offset, segment->filled);
  }
}

static void protect(const struct image *image) {
  for (int at = 0; at < image->segment_count; at++) {
    const struct segment *segment = image->segments[at];
    if (mprotect(image->base + segment->address, segment->size, segment->first) != 0) refuse(image, "mprotect failed");
  }
}

static void load(struct image *image) {
  const struct header *header = (const struct header *)image->bytes;
  if (header->cpu != CPU || header->kind != LIBRARY) refuse(image, "no library for this processor");
  const char *at = image->bytes + sizeof *header;
  const struct fixups *fixups = NULL;
  for (uint32_t left = header->commands; left > 0; left--, at += ((const struct command *)at)->bytes) {
    const uint32_t kind = ((const struct command *)at)->kind;
    if (kind == SEGMENT && image->segment_count == SEGMENTS) refuse(image, "too many segments");
    if (kind == SEGMENT) image->segments[image->segment_count++] = (const struct segment *)at;
    if (kind == SYMBOLS) image->symbols = (const struct symbols *)at;
    if (kind == FIXUPS) fixups = (const struct fixups *)at;
    if (kind == CHAINED) refuse(image, "chained fixups, which this loader does not know");
  }
  if (fixups == NULL || image->symbols == NULL) refuse(image, "no fixups or no symbols");
  lay(image);
  fix(image, fixups);
  protect(image);
}

static char *read_file(int file, size_t bytes) {
  char *const text = malloc(bytes);
  size_t got = 0;
  for (ssize_t part; text != NULL && got < bytes && (part = pread(file, text + got, bytes - got, (off_t)got)) > 0;) {
    got += (size_t)part;
  }
  if (got == bytes) return text;
  free(text);
  return NULL;
}

/* The image of a Mach-O file, or NULL for any other file. */
static struct image *open_image(const char *path, int file) {
  struct stat status;
  uint32_t magic = 0;
  if (pread(file, &magic, sizeof magic, 0) != sizeof magic || magic != MAGIC || fstat(file, &status) != 0) return NULL;
  for (int at = 0; at < image_count; at++) {
    if (images[at].device == status.st_dev && images[at].file == status.st_ino) return &images[at];
  }
  if (image_count == IMAGES) darwin_unforeseen("dlopen of so many images", image_count);
  struct image *image = &images[image_count];
  snprintf(image->path, sizeof image->path, "%s", path);
  image->device = status.st_dev;
  image->file = status.st_ino;
  image->bytes = read_file(file, (size_t)status.st_size);
  if (image->bytes == NULL) return NULL;
  load(image);
  image_count++;
  return image;
}

static void *exported(const struct image *image, const char *name) {
  const struct symbol *symbols = (const struct symbol *)(image->bytes + image->symbols->offset);
  for (uint32_t at = 0; at < image->symbols->count; at++) {
    const char *own = image->bytes + image->symbols->names + symbols[at].name;
    const int is_here = (symbols[at].kind & (SYMBOL_KIND | SYMBOL_EXTERNAL)) == (SYMBOL_IN_SECTION | SYMBOL_EXTERNAL);
    if (is_here && own[0] == '_' && strcmp(own + 1, name) == 0) return image->base + symbols[at].value;
  }
  return NULL;
}

int darwin_image_of(const void *address, const char **path, void **base) {
  for (int at = 0; at < image_count; at++) {
    const char *const from = images[at].base;
    if ((const char *)address < from || (const char *)address >= from + images[at].size) continue;
    *path = images[at].path;
    *base = images[at].base;
    return 1;
  }
  return 0;
}

void *darwin_loaded(const char *path) {
  for (int at = 0; at < image_count; at++) {
    if (strcmp(images[at].path, path) == 0) return &images[at];
  }
  return NULL;
}

/* What this process starts is not on macOS unless it is started so. */
__attribute__((constructor)) static void begin(void) { unsetenv("LD_PRELOAD"); }

/* In place of Linux's. A call that is left to Linux is left with its caller: some handles depend on that. */
DARWIN void *dlopen(const char *path, int mode) {
  static open_library linux_open;
  if (linux_open == NULL) linux_open = (open_library)linux_find()(RTLD_NEXT, "dlopen");
  if (path != NULL && strcmp(path, "/usr/lib/libSystem.B.dylib") == 0) return &system_library;
  const int file = path != NULL && strchr(path, '/') != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file >= 0) {
    pthread_mutex_lock(&lock);
    struct image *const image = open_image(path, file);
    pthread_mutex_unlock(&lock);
    close(file);
    if (image != NULL) return image;
  }
  __attribute__((musttail)) return linux_open(path, mode);
}

static int is_image(const void *handle) {
  return (const char *)handle >= (const char *)images && (const char *)handle < (const char *)(images + IMAGES);
}

/* Images stay, as a library of macOS does that has asked for it. */
DARWIN int dlclose(void *handle) {
  static close_library linux_close;
  if (handle == &system_library || is_image(handle)) return 0;
  if (linux_close == NULL) linux_close = (close_library)linux_find()(RTLD_NEXT, "dlclose");
  return linux_close(handle);
}

DARWIN void *dlsym(void *handle, const char *name) {
  const find linux_dlsym = linux_find();
  if (handle == &system_library) {
    char own[256];
    snprintf(own, sizeof own, "mac_%s", name);
    return linux_dlsym(RTLD_DEFAULT, own);
  }
  if (is_image(handle)) {
    void *const found = exported(handle, name);
    return found != NULL ? found : linux_dlsym(RTLD_DEFAULT, "a function that the library does not export");
  }
  __attribute__((musttail)) return linux_dlsym(handle, name);
}
