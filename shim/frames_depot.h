/* The C side of Frames Depot: what JavaScript cannot ask of the operating system.
 *
 * Every function answers 0 or more on success and -errno on failure; the numbers are Linux's on every system. None
 * keeps global state, and none allocates except where it makes a handle. The ring itself is written in TypeScript
 * (ring/): here are segments, locks that die with their process, waiting, the 64-bit atomics that are slow there, and
 * the steps of a hand-off that come one after the other whenever nothing is in the way. */
#ifndef FRAMES_DEPOT_H
#define FRAMES_DEPOT_H

#include <stdint.h>

#if defined(_WIN32)
#define FD_API __declspec(dllexport)
#else
#define FD_API __attribute__((visibility("default")))
#endif

/* Raised whenever a signature below changes; the loader refuses another one. */
#define FD_ABI 5

/* Names are checked in TypeScript: 1 to 128 of A-Z a-z 0-9 . _ - and no leading dot. */
#define FD_NAME_BYTES 128
#define FD_PREFIX "frames-depot."

/* A segment that this process has open: a file description, not yet a mapping. */
typedef struct fd_segment fd_segment;

/* A thread that waits on behalf of a runtime that has no asynchronous foreign calls. */
typedef struct fd_waiter fd_waiter;
typedef void (*fd_woken)(int32_t token);

/* What fd_segment_info tells, in this order. */
enum {
  FD_INFO_BYTES,
  FD_INFO_MODE,
  FD_INFO_OWNER,  /* user id of the segment's owner, or -1 where the system has none */
  FD_INFO_SELF,   /* user id of this process, or -1 */
  FD_INFO_LINKED, /* 1 while the name still leads to this segment */
  FD_INFO_COUNT
};

/* What fd_space tells, in bytes; -1 where the system does not say. */
enum { FD_SPACE_FREE, FD_SPACE_TOTAL, FD_SPACE_MEMORY, FD_SPACE_COUNT };

/* Locks of a segment: one for changes of membership, then one for each peer, held as long as the peer lives. */
enum { FD_LOCK_MEMBERS = 0, FD_LOCK_PEER = 1 };

/* The two things a process waits for. */
enum { FD_LANE_PUBLISHED = 0, FD_LANE_CONSUMED = 1 };

FD_API int32_t fd_abi(void);
/* The layout as C has it: a line `section field offset bytes` each. Answers the bytes needed. */
FD_API int32_t fd_layout(char *out, int32_t capacity);
/* Nanoseconds since 1970, to a quarter of a microsecond: the runtimes' own clocks cost five times as much a look. */
FD_API double fd_now(void);
/* This process: its id and when it started (system's own unit). */
FD_API int32_t fd_identity(double *out);

/* Memory that has no name yet: zeroed, allocated for good (-ENOSPC instead of a SIGBUS later). If this process
 * dies before fd_segment_publish, the system takes it back. */
FD_API int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out);
/* Gives the segment its name in one step; -EEXIST when the name is taken. */
FD_API int32_t fd_segment_publish(fd_segment *segment);
/* -ENOENT, -EACCES, -ELOOP (a symbolic link), -EISDIR, -ENOTSUP (not a regular file). */
FD_API int32_t fd_segment_open(const char *name, fd_segment **out);
FD_API int32_t fd_segment_info(fd_segment *segment, double *out);
FD_API int32_t fd_segment_map(fd_segment *segment, double bytes, void **out);
/* Makes the page tables of a part at once, four times as fast as one fault after the other. Only a hint: pages that
 * could not be had now come at their first touch. */
FD_API void fd_populate(void *base, double offset, double bytes);
FD_API int32_t fd_segment_unmap(void *address, double bytes);
/* Removes the name if it still leads to this segment: 1 removed, 0 it leads elsewhere or nowhere. */
FD_API int32_t fd_segment_unlink(fd_segment *segment);
/* Lets go of the handle. Locks are given back when the mapping is gone as well. */
FD_API int32_t fd_segment_close(fd_segment *segment);
/* Removes a name whatever it leads to, except a directory. */
FD_API int32_t fd_unlink(const char *name);
/* The names of all segments, each ended by a line feed. Answers the bytes needed. */
FD_API int32_t fd_list(char *out, int32_t capacity);
FD_API int32_t fd_space(double *out);

/* Locks that the kernel gives back when their holder ends, whatever ends it. 1 taken, 0 somebody else has it. */
FD_API int32_t fd_lock(fd_segment *segment, int32_t index);
FD_API int32_t fd_unlock(fd_segment *segment, int32_t index);
/* 1 when another open file description holds the lock, 0 when nobody or only this one does. */
FD_API int32_t fd_lock_held(fd_segment *segment, int32_t index);

/* Sleeps while *word is `expected`: 0 woken or changed (or for no reason: look again), 1 after timeout_ms, of
 * which the system may round parts of a millisecond.
 * `lane` and `peer` say who waits for what, for systems that need an event of its own for each sleeper. */
FD_API int32_t fd_wait(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t expected,
                       double timeout_ms);
/* Lets somebody else have this processor for a moment, if anybody wants it: what is waited for may be his to do. */
FD_API void fd_yield(void);
/* Wakes every process that sleeps on the word. */
FD_API int32_t fd_wake(fd_segment *segment, int32_t *word, int32_t lane);

FD_API int32_t fd_waiter_start(fd_woken callback, fd_waiter **out);
/* Has the waiter's thread do one fd_wait and then call callback(token). -EBUSY while it is still in another. */
FD_API int32_t fd_waiter_post(fd_waiter *waiter, fd_segment *segment, int32_t *word, int32_t lane, int32_t peer,
                              int32_t expected, double timeout_ms, int32_t token);
/* Ends the thread after the wait it is in; no callback comes after this. The handle is gone. */
FD_API int32_t fd_waiter_stop(fd_waiter *waiter);

/* 64-bit words by offset from a mapping's start. Values travel as doubles, which hold every sequence below 2^53.
 * All are sequentially consistent. */
FD_API double fd_load(const void *base, int32_t offset);
FD_API void fd_store(void *base, int32_t offset, double value);
FD_API int32_t fd_cas(void *base, int32_t offset, double expected, double desired);
/* Raises the word to at least value: 1 raised, 0 it was there already. */
FD_API int32_t fd_raise(void *base, int32_t offset, double value);

/* Copies into a mapping; `past` the caches where the system can, which pays for more than they hold. */
FD_API void fd_copy(void *base, double offset, const void *source, double bytes, int32_t past);
/* Copies out of a mapping. */
FD_API void fd_copy_out(const void *base, double offset, void *target, double bytes);
/* What the largest cache of this processor holds, in bytes; 0 where copying past it is not supported. */
FD_API double fd_cache_bytes(void);

/* The hand-off, a verb a call (docs/protocol.md, the steps named). Offsets are bytes from a mapping's start, computed
 * from a checked geometry: nothing here looks at what the segment says of itself. FD_SLEEPERS in an answer says that
 * somebody may sleep on what was changed, and that the caller has to wake the lane. */
enum { FD_SLEEPERS = 8 };
/* A lane's flag: somebody may sleep; and wants to be woken as soon as a frame is being written. */
enum { FD_SLEEPS = 1, FD_SLEEPS_LIGHTLY = 2 };
/* Answers of fd_claim: the slot is ours; head is elsewhere; a reader holds the slot; another producer does; the slot is
 * ours, and the lane published is to be woken before it is written. */
enum { FD_CLAIMED = 0, FD_MOVED = 1, FD_LEASED = 2, FD_TAKEN = 3, FD_AWAITED = 4 };
/* Instead of a timestamp: the time now; what is in the slot already. */
enum { FD_TIME_NOW = -1, FD_TIME_KEPT = -2 };

/* C1, C3 to C8 for the sequence that the caller expects to be head. FD_MOVED and FD_LEASED leave no trace. */
FD_API int32_t fd_claim(void *base, int32_t slot, int32_t pin_words, double sequence, uint32_t me);
/* X1 to X7 for the sequence whose slot is ours: it gets the block of the newest frame below the gate that nobody holds.
 * 0 or FD_SLEEPERS (lane published). */
FD_API int32_t fd_reuse(void *base, int32_t slots, int32_t slot_stride, int32_t max_size, int32_t pin_words, double sequence,
                        double gate, uint32_t me);
/* C9 to C12, but for waking: 0 or FD_SLEEPERS (lane published). */
FD_API int32_t fd_publish(void *base, int32_t slot, double sequence, double frame_number, double timestamp_ns,
                          uint32_t metadata_length, double frame_bytes);
/* R1 to R4: 1 pinned, 0 not, perhaps with FD_SLEEPERS (lane consumed). `pins` is where the word with `bit` is. */
FD_API int32_t fd_pin(void *base, int32_t slot, int32_t pins, uint32_t bit, double sequence);
/* R5, and R6 unless `cursor_at` is 0: 0 or FD_SLEEPERS (lane consumed). */
FD_API int32_t fd_unpin(void *base, int32_t pins, uint32_t bit, int32_t cursor_at, double cursor);
/* G2: the smallest cursor of the gating readers but one; -1 when none gates. */
FD_API double fd_smallest_cursor(const void *base, int32_t readers, int32_t count, int32_t except);

#endif
