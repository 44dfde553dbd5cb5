/* Darwin's calling interface, as far as the shipped libraries use it, over Linux. A function `f` of macOS is `mac_f`
 * here. Numbers and structures are those of Apple's public headers; a call in a form that is not foreseen ends the
 * process, so that no test passes over it. */
#ifndef FRAMES_DEPOT_PLATFORMS_DARWIN_H
#define FRAMES_DEPOT_PLATFORMS_DARWIN_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>

/* The layer is built with hidden symbols but for these. */
#define DARWIN __attribute__((visibility("default")))

/* Darwin's sign of an error: sets its errno from Linux's. */
#define RETURN(type, call)                \
  do {                                    \
    type const answer_ = (call);          \
    if (answer_ == (type)-1) darwin_fail(); \
    return answer_;                       \
  } while (0)

/* Darwin's numbers of errors that the layer itself gives. */
enum { DARWIN_ENOENT = 2, DARWIN_ENXIO = 6, DARWIN_EINVAL = 22, DARWIN_ENAMETOOLONG = 63 };

/* Sets Darwin's errno to its number for Linux's errno. */
void darwin_fail(void);
void darwin_fail_with(int code);
/* Linux's number of an error as Darwin's. */
int darwin_error(int code);
/* Linux's number of a signal that Darwin's code names, and whether there is one. */
int darwin_signal(int number);

/* Ends the process: the layer does not know this call. */
_Noreturn void darwin_unforeseen(const char *call, long value);

/* 16 KB, as on Apple's processors, unless DARWIN_PAGE says otherwise. */
size_t darwin_page(void);
size_t darwin_whole_pages(size_t bytes);

/* Whether the system is older than macOS 14.4: DARWIN_OLD. */
int darwin_is_old(void);

/* What fills Dl_info of an address inside a loaded image; 0 for others. */
int darwin_image_of(const void *address, const char **path, void **base);
/* The image of a path, if it is loaded. */
void *darwin_loaded(const char *path);

#endif
