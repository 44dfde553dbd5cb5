/* Just enough of macOS for its files to run on Linux, so that their logic is tested where there is
 * no Mac: the registry of files, the order of names and objects, sweeping. It says nothing about the real calls. */
#ifndef FRAMES_DEPOT_TEST_DARWIN_H
#define FRAMES_DEPOT_TEST_DARWIN_H

#define _GNU_SOURCE
#define __APPLE__ 1

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define RENAME_EXCL 1 /* RENAME_NOREPLACE */
static inline int renamex_np(const char *from, const char *to, unsigned flags) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}
#define arc4random_buf(out, bytes) ((void)!getrandom(out, bytes, 0))

#endif
