/* The C side of Frames Depot: what JavaScript cannot ask of the operating system.
 *
 * Every function returns 0 or more on success and -errno on failure; the numbers are Linux's on every system. None
 * allocates except where it makes a handle. The ring itself is written in TypeScript (ring/): here are segments, locks
 * that die with their process or thread, waiting, the 64-bit atomics that are slow there, and the steps of a hand-off
 * that come one after the other whenever nothing is in the way.
 *
 * `deno task layout` makes TypeScript's table of these functions and numbers (ffi/symbols.ts) from this file. Handles,
 * and pointers named `base` and `word`, are addresses there; every other pointer is a typed array of the caller's.
 *
 * The library keeps one list: the segments and sleepers of each thread of this process. No runtime says that a worker
 * was terminated, and some end the process without asking any of its JavaScript. What is open then has to be let go
 * in order, memory first, locks after it, and the list is what the system's handlers at the end of a thread and of the
 * process go by. It belongs to one process: a fork leaves its parent's segments alone. */
#ifndef FRAMES_DEPOT_H
#define FRAMES_DEPOT_H

#include <stdint.h>

#if defined(_WIN32)
#define FD_API __declspec(dllexport)
#else
#define FD_API __attribute__((visibility("default")))
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/* Raised whenever a signature below changes; the loader refuses another one. */
#define FD_ABI 10

/* Linux's numbers: what every system's errors are translated to. */
enum {
  FD_EPERM = 1,
  FD_ENOENT = 2,
  FD_EIO = 5,
  FD_EAGAIN = 11,
  FD_ENOMEM = 12,
  FD_EACCES = 13,
  FD_EBUSY = 16,
  FD_EEXIST = 17,
  FD_ENODEV = 19,
  FD_ENOTDIR = 20,
  FD_EISDIR = 21,
  FD_EINVAL = 22,
  FD_ENFILE = 23,
  FD_EMFILE = 24,
  FD_EFBIG = 27,
  FD_ENOSPC = 28,
  FD_EROFS = 30,
  FD_EDEADLK = 35,
  FD_ENAMETOOLONG = 36,
  FD_ENOLCK = 37,
  FD_ENOSYS = 38,
  FD_ELOOP = 40,
  FD_EOVERFLOW = 75,
  FD_ENOTSUP = 95,
  FD_ETIMEDOUT = 110,
  FD_EDQUOT = 122
};

/* Where errno alone does not tell what the system refused, the answer is -(errno + FD_CALL * one of these). */
enum {
  FD_CALL = 4096,
  FD_CALL_FOLDER = 1,   /* reaching the folder of segments */
  FD_CALL_MAKE = 2,     /* making a file there */
  FD_CALL_ALLOCATE = 3, /* giving it its memory */
  FD_CALL_MODE = 4,     /* giving it its mode */
  FD_CALL_LINK = 5,     /* giving it its name */
  FD_CALL_LOCK = 6      /* a lock that belongs to the open file */
};

/* Names are checked in TypeScript: 1 to 128 of A-Z a-z 0-9 . _ - and no leading dot. */
#define FD_NAME_BYTES 128
#define FD_PREFIX "frames-depot."

/* A segment that this process has open, and at most one mapping of it. It belongs to the thread that made or opened it,
 * and is let go when that thread ends: the handle is gone then, the addresses stay valid (fd_segment_retire). Until
 * then any thread may use and close it. */
typedef struct fd_segment fd_segment;

/* Watches words for a thread of JavaScript. A number that is never used twice, not an address: a call that comes after
 * fd_sleeper_stop, as from a pool of threads, finds out. */
typedef struct fd_sleeper fd_sleeper;

/* What fd_segment_info tells, in this order. */
enum {
  FD_INFO_BYTES,
  FD_INFO_MODE,
  FD_INFO_OWNER,  /* user id of the segment's owner, or -1 where the system has none */
  FD_INFO_SELF,   /* user id of this process, or -1; also where other users are shown by the same id */
  FD_INFO_LINKED, /* 1 while the name still leads to this segment */
  FD_INFO_COUNT
};

/* What can limit a new segment: bytes, but for inodes. */
enum {
  FD_LIMIT_FILE_SYSTEM,
  FD_LIMIT_INODES,
  FD_LIMIT_QUOTA,     /* of this user */
  FD_LIMIT_GROUP,     /* memory of the control groups that this process is in: the one with the least left */
  FD_LIMIT_FILE,      /* the largest file (RLIMIT_FSIZE) */
  FD_LIMIT_ADDRESSES, /* of this process (RLIMIT_AS) */
  FD_LIMIT_MEMORY,    /* of the machine */
  FD_LIMITS
};

/* The two things a process waits for. */
enum { FD_LANE_PUBLISHED = 0, FD_LANE_CONSUMED = 1 };

FD_API int32_t fd_abi(void);
/* The layout as C has it: a line `section field offset bytes` each. Returns the bytes needed. */
FD_API int32_t fd_layout(char *out, int32_t capacity);
/* Nanoseconds since 1970, to a quarter of a microsecond: the runtimes' own clocks cost five times as much a look. */
FD_API double fd_now(void);
/* This process: its id and when it started (system's own unit). */
FD_API int32_t fd_identity(double *out);
/* When the process that has an id here started; 0 when none has it, -1 where the system does not say. */
FD_API double fd_started(double pid);

/* What a signal does now: it ends the process, it is ignored, or the process has a handler for it. */
enum { FD_SIGNAL_ENDS, FD_SIGNAL_IGNORED, FD_SIGNAL_HEARD };
FD_API int32_t fd_signal_state(int32_t number);
/* Ends the process as that signal does without a handler; segments of all threads are let go first. */
FD_API int32_t fd_signal_end(int32_t number);

/* Memory that has no name yet: zeroed, allocated for good (-ENOSPC instead of a SIGBUS later). If this process
 * dies before fd_segment_name, the system takes it back. */
FD_API int32_t fd_segment_create(const char *name, double bytes, uint32_t mode, fd_segment **out);
/* Gives the segment its name in one step; -EEXIST when the name is taken. */
FD_API int32_t fd_segment_name(fd_segment *segment);
/* T3: gives the segment the name that `old` has, in one step. The caller has the membership lock of `old`, and has seen
 * under it that the name leads there. -ENOTSUP where the system cannot. */
FD_API int32_t fd_segment_replace(fd_segment *segment, fd_segment *old);
/* -ENOENT, -EACCES, -ELOOP (a symbolic link), -EISDIR, -ENOTSUP (not a regular file). -ENOENT with FD_CALL_FOLDER:
 * there is no place for segments. */
FD_API int32_t fd_segment_open(const char *name, fd_segment **out);
FD_API int32_t fd_segment_info(fd_segment *segment, double *out);
/* What fd_segment_info tells, of a name, for a process that may not open it; of the folder of segments, if the name is
 * empty. -ENOTSUP where there is no such thing. */
FD_API int32_t fd_name_info(const char *name, double *out);
/* -EBUSY while the segment has a mapping. */
FD_API int32_t fd_segment_map(fd_segment *segment, double bytes, void **out);
/* Maps memory of its own in place of the segment's, with a copy of the first `copied` bytes: for a look at what another
 * user may change, or cut short, at any time. -ENOTSUP where there is no such thing. */
FD_API int32_t fd_segment_snapshot(fd_segment *segment, double bytes, double copied, void **out);
/* Makes the page tables of a part at once, four times as fast as one fault after the other. Only a hint: pages that
 * could not be had now come at their first touch. */
FD_API void fd_populate(void *base, double offset, double bytes);
/* Gives the addresses back, except those that were retired. The segment may be mapped again. */
FD_API int32_t fd_segment_unmap(fd_segment *segment);
/* Puts private pages of zeros in place of the mapping from an offset (a multiple of 16384) to its end: a buffer or a
 * system call that still uses them keeps a valid address, reaches no other process and costs no memory. Those addresses
 * stay taken for ever. A second call with a smaller offset does the rest; after 0 the segment has no mapping. */
FD_API int32_t fd_segment_retire(fd_segment *segment, double from);
/* Bytes that this process has retired so far. */
FD_API double fd_retired(void);
/* Removes the name if it still leads to this segment: 1 removed, 0 it leads elsewhere or nowhere. */
FD_API int32_t fd_segment_unlink(fd_segment *segment);
/* For the last one out that may not remove the name: withdraws `ready`, so that no process joins any more, and gives
 * the memory back. The caller holds the membership lock and no peer lives. -ENOTSUP where there is no such thing. */
FD_API int32_t fd_segment_empty(fd_segment *segment);
/* Lets go of the handle and gives the locks back. What is still mapped is retired. */
FD_API int32_t fd_segment_close(fd_segment *segment);
/* Removes a name whatever it leads to, except a directory. */
FD_API int32_t fd_unlink(const char *name);
/* The names of all segments, each ended by a line feed. Returns the bytes needed. */
FD_API int32_t fd_list(char *out, int32_t capacity);
/* Two numbers for each limit: what is left, and the whole; -1 where there is no limit, or the system does not say. */
FD_API int32_t fd_limits(double *out);

/* Locks that the kernel gives back when their holder ends, whatever ends it; layout.h has their numbers. 1 taken, 0
 * another description has it. */
FD_API int32_t fd_lock(fd_segment *segment, int32_t index);
FD_API int32_t fd_unlock(fd_segment *segment, int32_t index);
/* 1 when another open file description holds the lock, 0 when none or only this one does. */
FD_API int32_t fd_lock_held(fd_segment *segment, int32_t index);

/* Sleeps while *word is `expected`: 0 woken or changed (or for no reason: look again), 1 after timeout_ms, of
 * which the system may round parts of a millisecond.
 * `lane` and `peer` say what is waited for and by which peer, for systems that need an event for each sleeper. Where
 * another sleep has that peer's event already, this one looks at its word every few milliseconds (Windows). */
FD_API int32_t fd_wait(fd_segment *segment, int32_t *word, int32_t lane, int32_t peer, int32_t expected,
                       double timeout_ms);
/* Lets another thread have this processor for a moment: what is waited for may be its to do. */
FD_API void fd_yield(void);
/* Wakes every process that sleeps on the word. */
FD_API int32_t fd_wake(fd_segment *segment, int32_t *word, int32_t lane);

/* How many words one sleeper watches: 127 where the kernel waits for several futexes at once, else 1. */
FD_API int32_t fd_sleeper_places(void);
/* Made by the thread that will use it, and stopped at the latest when that thread ends. */
FD_API int32_t fd_sleeper_make(fd_sleeper **out);
/* Gives the sleeper a thread of its own, for runtimes without asynchronous calls. Returns a socket that gets a byte
 * when there is something to take and no byte is unread, and that ends when the sleeper is stopped. It is the caller's,
 * to be closed after that. On Windows 0, see fd_sleeper_pipe. -EAGAIN: no thread to be had; -EMFILE; -EBUSY: it has
 * one, or a sleep is under way. After a failure it may be tried again. */
FD_API int32_t fd_sleeper_start(fd_sleeper *sleeper);
/* Windows: the path of the named pipe that takes the place of the socket, not ended by a zero. Returns its bytes; 0
 * elsewhere, and before fd_sleeper_start. */
FD_API int32_t fd_sleeper_pipe(fd_sleeper *sleeper, char *out, int32_t capacity);
/* Watches a word at a place (0 .. places - 1) until it differs from `expected`, is woken, or timeout_ms (may be
 * Infinity) is over. Replaces what was watched there. A sleep that is under way goes on with it. -EBUSY:
 * fd_sleeper_forget has returned 1 for the place, and fd_sleeper_take has not reported it yet. */
FD_API int32_t fd_sleeper_watch(fd_sleeper *sleeper, int32_t place, fd_segment *segment, int32_t *word, int32_t lane,
                                int32_t peer, int32_t expected, double timeout_ms);
/* Watches there no more. 0: from now on the sleeper touches neither word nor segment. 1: a sleep is still in it (only
 * where places is 1, and not on Windows); it has been woken, and fd_sleeper_take reports the place when it is out. */
FD_API int32_t fd_sleeper_forget(fd_sleeper *sleeper, int32_t place);
/* One sleep, blocking, for runtimes that call beside the event loop: 0 when there is something to take, 1 when nothing
 * is watched any more or the sleeper is stopped. -EBUSY: another is under way. */
FD_API int32_t fd_sleeper_sleep(fd_sleeper *sleeper);
/* Which places have woken or timed out since the last take: bit p % 32 of out[p / 32], four words. Returns how many.
 * They are not watched any more. Also says that the socket's byte has been read. */
FD_API int32_t fd_sleeper_take(fd_sleeper *sleeper, uint32_t *out);
/* Ends it: it touches no word from now on, its thread ends by itself, its socket ends, a sleep under way returns 1.
 * -EINVAL: it was stopped before. */
FD_API int32_t fd_sleeper_stop(fd_sleeper *sleeper);

/* 64-bit words by offset from a mapping's start. Values travel as doubles, which hold every sequence below 2^53.
 * All are sequentially consistent. */
FD_API double fd_load(const void *base, int32_t offset);
FD_API void fd_store(void *base, int32_t offset, double value);
FD_API int32_t fd_cas(void *base, int32_t offset, double expected, double desired);
/* Raises the word to at least value: 1 raised, 0 it was there already. */
FD_API int32_t fd_raise(void *base, int32_t offset, double value);

/* The number in header.head, or -1 less the number where CLOSED is set. */
FD_API double fd_head(const void *base);
/* N1, T5: sets CLOSED. 1 set, 0 it was. */
FD_API int32_t fd_end(void *base);

/* Copies into a mapping; `past` the caches where the system can, which pays for more than they hold. */
FD_API void fd_copy(void *base, double offset, const void *source, double bytes, int32_t past);
/* Copies out of a mapping. */
FD_API void fd_copy_out(const void *base, double offset, void *target, double bytes);
/* What the largest cache of this processor holds, in bytes; 0 where copying past it is not supported. */
FD_API double fd_cache_bytes(void);

/* The hand-off: one call for each verb, with its steps in docs/internals/protocol.md. Offsets are bytes from a
 * mapping's start, computed from a checked geometry: nothing here looks at what the segment says of itself. FD_SLEEPERS
 * in a result says that what was changed may have sleepers, and that the caller has to wake the lane; FD_PRODUCERS says
 * it of the lane consumed where FD_SLEEPERS is the lane published: a writer that leaves a slot may leave room. */
enum { FD_SLEEPERS = 8, FD_PRODUCERS = 16 };
/* The flag that a sleeper stores in a lane; the second one is woken as soon as a frame is being written. */
enum { FD_SLEEPS = 1, FD_SLEEPS_LIGHTLY = 2 };
/* Results of fd_claim: the slot is ours; head is elsewhere; a reader holds the slot; another producer does; the slot is
 * ours, and the lane published has to be woken before it is written. */
enum { FD_CLAIMED = 0, FD_MOVED = 1, FD_LEASED = 2, FD_TAKEN = 3, FD_AWAITED = 4 };
/* Results of fd_publish, perhaps with the two above: the name is another segment's, and nothing was published (C9a), or
 * it was too late for every reader to see it (C11a). */
enum { FD_REPLACED = 32, FD_LATE = 64 };
/* header.replaced. */
enum { FD_BEING_REPLACED = 1, FD_IS_REPLACED = 2 };
/* Instead of a timestamp: the time now; what is in the slot already. */
enum { FD_TIME_NOW = -1, FD_TIME_KEPT = -2 };

/* C1, C3 to C8 for the sequence that the caller expects to be head. FD_MOVED and FD_LEASED leave no trace; either may
 * carry FD_SLEEPERS and FD_PRODUCERS. */
FD_API int32_t fd_claim(void *base, int32_t slot, int32_t pin_words, double sequence, uint32_t me);
/* C9 to C11a: 0, or FD_SLEEPERS and FD_PRODUCERS; FD_REPLACED, FD_LATE. */
FD_API int32_t fd_publish(void *base, int32_t slot, double sequence, double frame_number, double timestamp_ns,
                          uint32_t metadata_length, double byte_length);
/* R1 to R4: 1 pinned, 0 not, perhaps with FD_SLEEPERS (lane consumed). `pins` is where the word with `bit` is. */
FD_API int32_t fd_pin(void *base, int32_t slot, int32_t pins, uint32_t bit, double sequence);
/* R5, and R6 unless `cursor_at` is 0: 0 or FD_SLEEPERS (lane consumed). */
FD_API int32_t fd_unpin(void *base, int32_t pins, uint32_t bit, int32_t cursor_at, double cursor);
/* The frame number of a sequence that seems to be in its slot, without a pin: a hint, to be confirmed under one. NaN:
 * the sequence is not there. */
FD_API double fd_look(const void *base, int32_t slot, double sequence);
/* P0 and P1 for the slots from .. to - 1: clears the bits of masks[i] in word i of their pins, and frees those whose
 * writer is `id`. A number that this writer took with it is counted in `skipped`. Before that, the frames that these
 * readers have of formed groups are offered again if the peer is dead, and done otherwise; `groups` has three words for
 * each: the offset of its entry, that of its take words, the index of its own reader entry. Returns how many slots
 * changed. */
FD_API int32_t fd_give_back(void *base, int32_t slots, int32_t slot_stride, int32_t pin_words, int32_t from, int32_t to,
                            const uint32_t *masks, uint32_t id, const uint32_t *groups, int32_t group_count,
                            int32_t is_dead);
/* D2: frees a slot whose writer is dead, and counts the number it took with it. 1 freed, 0 it is not its writer. */
FD_API int32_t fd_recover_slot(void *base, int32_t slot, uint32_t dead);
/* G2: the smallest cursor of the gating readers but one. FD_NOT_ATTACHED without any reader, FD_ATTACHED_ONLY where
 * readers are attached and none gates. */
enum { FD_NOT_ATTACHED = -1, FD_ATTACHED_ONLY = -2 };
FD_API double fd_smallest_cursor(const void *base, int32_t readers, int32_t count, int32_t except);

/* Sharing work. `take` is where a group's take word of a slot is, `takes` where that of slot 0 is, `member` the index
 * of the member's reader entry plus one. Results of fd_take: the frame is not there; it is the member's; it is, and it
 * was another's that died; another member has it or has had it. */
enum { FD_NOT_THERE = 0, FD_GOT = 1, FD_GOT_AGAIN = 2, FD_OTHERS = 3 };
/* M1, M2. Any of the results may carry FD_SLEEPERS (lane consumed). */
FD_API int32_t fd_take(void *base, int32_t take, int32_t slot, int32_t pins, uint32_t bit, double sequence,
                       uint32_t member);
/* M5 without R5: 0 or FD_SLEEPERS (lane published). */
FD_API int32_t fd_complete(void *base, int32_t take, double sequence, uint32_t member);
/* M4 over what is taken or done, at most for a lap. The cursor, or -1 less the cursor where it was moved and the lane
 * consumed has to be woken. */
FD_API double fd_pass(void *base, int32_t takes, int32_t max_size, int32_t cursor);
/* M0: the smallest sequence from `from` on that is offered again; -1: none is. */
FD_API double fd_again(const void *base, int32_t takes, int32_t max_size, double from);
/* Whether a member with nothing fresh waits: a frame is offered again, or another has one; if `member` has one too, it
 * waits for those with a smaller index only, so that no two wait for each other. */
FD_API int32_t fd_is_held(const void *base, int32_t takes, int32_t max_size, uint32_t member);
/* How many of the sequences from .. to - 1 were taken last in their slots. */
FD_API int32_t fd_taken(const void *base, int32_t takes, int32_t max_size, double from, double to);

#if defined(__cplusplus)
}
#endif

#endif
