/* "Taking a name from a live depot" (docs/internals/protocol.md): T1 to T7.
 *
 * Segment 0 has the name, a producer that claims (claim is one step), a lossless reader and a producer that waits for room. NREP processes
 * take the name for their own segments; the first may die at any step (CRASH). REMOVE: one removes the name. JOIN: one joins whatever
 * has the name. NAMES: only the processes that care for names. ENDS: these, one that ends segment 0, and one that asks why it is
 * closed. Producers may stop for good with a slot in their hands. Lanes as in ring.pml: a sleeper blocks until it is woken; a death
 * lets all look once more (the tick), and from then on a finder does what each wait does at its tick (T7).
 *
 * What is promised: in the end each segment that lost its name to another is marked and closed, and no other; a publication that
 * succeeds is read; one that begins after a replacement has returned is never visible; no reader waits for a producer of a replaced
 * segment; no peer enters a segment that has no name, and a peer that finds one closed finds it marked; what had ended before its name
 * was taken is ended, and not replaced, at whatever time a process asks. */
#ifndef NREP
#define NREP 2
#endif
#ifndef LAST
#define LAST 2                   /* claims */
#endif
#define SEGMENTS (NREP + 1)
#define NONE 255
#define CLOSED 64                /* in head */
#define LINKED(s) (name == (s))
/* of a number */
#define WRITTEN 1
#define THERE 2
#define GONE 3

byte name = 0;                   /* the segment that it leads to */
byte members[SEGMENTS];          /* the holder of each membership lock */
byte replaced[SEGMENTS];         /* 1: a process is about to take the name, 2: it is another segment's */
byte head[SEGMENTS];             /* and CLOSED */
bool before[SEGMENTS];           /* endedBefore */
byte slot[LAST];                 /* of segment 0 */
byte dead;
bool readerSleeps, producerSleeps;
/* ghosts: segments that have had the name, those whose name was removed, by bit; publications that succeeded, those that were read, by
 * bit; the reader has ended; a replacement of segment 0 has returned */
byte named = 1, removed, succeeded, got;
bool ended, returned;
#ifdef ENDS
#define NAMES
#define MAY_END(s) ((s) == 0)
bool hadEnded;                   /* ghost: segment 0 was closed when its name was about to be taken */
#else
#define MAY_END(s) false
#endif

#define LOCK(s, me) atomic { members[s] == 0 || members[s] == dead -> members[s] = me }
#define UNLOCK(s) members[s] = 0
#if defined(MUT_REPLACING_WAKES_READERS)
#define WAKE(s) d_step { if :: s == 0 -> readerSleeps = false :: else fi }
#elif defined(MUT_REPLACING_WAKES_PRODUCERS)
#define WAKE(s) d_step { if :: s == 0 -> producerSleeps = false :: else fi }
#else
#define WAKE(s) d_step { if :: s == 0 -> readerSleeps = false; producerSleeps = false :: else fi }
#endif

inline mark(s) {
#ifdef MUT_CLOSES_FIRST
  head[s] = head[s] | CLOSED;
  replaced[s] = 2;
#else
  replaced[s] = 2;                                         /* T4 */
  head[s] = head[s] | CLOSED;                              /* T5 */
#endif
  WAKE(s)                                                  /* T6 */
}

proctype Replacer(byte me, own) {
  byte o;
  {
  skip;
again:
  atomic {
    o = name;
    if :: o == NONE -> name = own; named = named | (1 << own); goto out :: else fi                    /* a free name: as ever */
  };
#ifndef MUT_REPLACES_UNLOCKED
  LOCK(o, me);                                             /* T1 */
#endif
#ifndef MUT_REPLACES_UNLOOKED
  if :: !LINKED(o) -> atomic { UNLOCK(o); o = 0 }; goto again :: LINKED(o) fi;
#endif
#ifdef ENDS
  if                                                       /* T1a */
  :: atomic { head[o] >= CLOSED -> if :: o == 0 -> hadEnded = true :: else fi };
#ifndef MUT_KEEPS_NO_END
     before[o] = true
#endif
  :: head[o] < CLOSED
  fi;
#endif
#ifndef MUT_REPLACES_WITHOUT_WORD
  replaced[o] = 1;                                         /* T2 */
#endif
#ifdef MUT_MARKS_BEFORE_RENAMING
  mark(o);
#endif
  atomic { name = own; named = named | (1 << own) };       /* T3 */
#ifndef MUT_MARKS_BEFORE_RENAMING
  mark(o);
#endif
  atomic { if :: o == 0 -> returned = true :: else fi; UNLOCK(o); o = 0 }
  } unless { dead == me };
out: skip
}

#ifdef ENDS
proctype Ender() { head[0] = head[0] | CLOSED }            /* N1 */

proctype Asker() {               /* why is it closed? */
  bool marked, was;
end:
  head[0] >= CLOSED ->
#ifdef MUT_READS_MARK_LAST
  was = before[0];
  marked = (replaced[0] == 2);
#else
  marked = (replaced[0] == 2);
  was = before[0];
#endif
  assert(!hadEnded || was || !marked);                     /* else it says replaced */
  assert(!was || hadEnded)
}
#endif

#ifdef REMOVE
proctype Remover(byte me) {
  byte o;
again:
  atomic { o = name; if :: o == NONE -> goto out :: else fi };
  LOCK(o, me);
  if
  :: !LINKED(o) -> atomic { UNLOCK(o); o = 0 }; goto again
  :: LINKED(o) ->
#ifndef MUT_REMOVES_WITHOUT_WORD
     replaced[o] = 0;                                           /* U2 */
#endif
     atomic { name = NONE; removed = removed | (1 << o) };
     atomic { UNLOCK(o); o = 0 }
  fi;
out: skip
}
#endif

#ifdef JOIN
proctype Joiner(byte me) {
  byte o;
again:
  atomic { o = name; if :: o == NONE -> goto out :: else fi };
  LOCK(o, me);
#ifndef MUT_JOINS_UNLOOKED
  if :: !LINKED(o) -> atomic { UNLOCK(o); o = 0 }; goto again :: LINKED(o) fi;
#endif
  atomic { assert(LINKED(o)); UNLOCK(o); o = 0 };          /* enters */
out: skip
}
#endif

#ifdef CRASH
proctype Killer() { atomic { dead = 1; readerSleeps = false; producerSleeps = false } }

#ifndef MUT_NONE_LOOKS
#ifdef MUT_REPLACES_WITHOUT_WORD
#define LOST(s) (named & (1 << s) && !LINKED(s))
#else
#define LOST(s) (!LINKED(s) && replaced[s] != 0)
#endif
#define UNMARKED(s) (LOST(s) && (replaced[s] != 2 || head[s] < CLOSED))

proctype Finder() {              /* T7 */
  byte s;
end:
  do
  :: atomic { dead && UNMARKED(0) -> s = 0 }; mark(s)
  :: atomic { dead && UNMARKED(1) -> s = 1 }; mark(s)
#if NREP > 1
  :: atomic { dead && UNMARKED(2) -> s = 2 }; mark(s)
#endif
  od
}
#endif
#endif

proctype Producer() {
  byte h; bool late;
  do
  :: atomic { head[0] < LAST -> h = head[0]; head[0] = h + 1; slot[h] = WRITTEN };                    /* C7 */
     if
     :: true -> end: false                                 /* stopped, with the slot in its hands */
     :: true
     fi;
     late = returned;
     if                                                    /* C9a */
#ifndef MUT_LOOKS_NOT_BEFORE
     :: replaced[0] == 2 -> atomic { slot[h] = GONE; h = 0 }; atomic { late = false; readerSleeps = false }; break
     :: replaced[0] != 2
#else
     :: true
#endif
     fi;
     atomic { slot[h] = THERE; assert(!late) };            /* C10 */
     if                                                    /* C11a */
#ifndef MUT_LOOKS_NOT_AFTER
     :: atomic { replaced[0] != 2 ->
#else
     :: atomic { true ->
#endif
          succeeded = succeeded | (1 << h); assert(!ended || (got & (1 << h))) }
#ifndef MUT_LOOKS_NOT_AFTER
     :: replaced[0] == 2
#endif
     fi;
     atomic { readerSleeps = false; h = 0; late = false }  /* C12 */
  :: head[0] >= LAST -> break
  od
}

proctype Waiting() {             /* a producer that has no room, whatever comes */
  do
  :: atomic { head[0] >= CLOSED -> assert(replaced[0] == 2); break }                                  /* says why */
  :: head[0] < CLOSED ->
     producerSleeps = true;
     if
     :: atomic { head[0] >= CLOSED -> producerSleeps = false; assert(replaced[0] == 2); break }
     :: head[0] < CLOSED -> end: !producerSleeps
     fi
  od
}

proctype Reader() {
  byte r, was; bool marked, announced;
  do
  :: true ->
#ifndef MUT_READS_MARK_AFTER
     marked = (replaced[0] == 2);
#endif
     if
     :: atomic { head[0] == (CLOSED | r) -> assert((succeeded & ~got) == 0); ended = true; break }     /* N3 */
     :: (head[0] & 63) > r ->
        was = slot[r];                                     /* D1 */
#ifdef MUT_READS_MARK_AFTER
        marked = (replaced[0] == 2);
#endif
        if
        :: atomic { was == THERE -> got = got | (1 << r); r++; announced = false }
        :: atomic { was == GONE -> r++; announced = false }
#ifndef MUT_WAITS_FOR_WRITER
        :: atomic { was == WRITTEN && marked -> r++; announced = false }
        :: was == WRITTEN && !marked -> goto nothing
#else
        :: was == WRITTEN -> goto nothing
#endif
        fi
     :: head[0] == r ->
nothing: if
        :: !announced -> atomic { announced = true; readerSleeps = true }
        :: announced -> end: atomic { !readerSleeps -> announced = false }
        fi
     fi;
     atomic { was = 0; marked = false }
  od
}

init {
  byte n;
  atomic {
    n = 1; do :: n <= NREP -> run Replacer(n, n); n++ :: else -> break od;
#ifndef NAMES
    run Producer(); run Waiting(); run Reader();
#endif
#ifdef ENDS
    run Ender(); run Asker();
#endif
#ifdef REMOVE
    run Remover(100);
#endif
#ifdef JOIN
    run Joiner(101);
#endif
#ifdef CRASH
    run Killer();
#ifndef MUT_NONE_LOOKS
    run Finder();
#endif
#endif
    n = 0
  };
  timeout ->                                               /* nothing can move any more */
  d_step {
    for (n : 0 .. SEGMENTS - 1) {
      if
      :: (named & (1 << n)) && !LINKED(n) && !(removed & (1 << n)) -> assert(replaced[n] == 2 && head[n] >= CLOSED)
      :: else -> assert(replaced[n] != 2 && (MAY_END(n) || head[n] < CLOSED))
      fi
    };
#ifndef NAMES
    assert(head[0] < CLOSED || (ended && !producerSleeps))
#endif
  }
}
