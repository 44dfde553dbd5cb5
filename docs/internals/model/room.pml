/* "Room, tail, joining, clearing" (docs/internals/protocol.md): joining J1..J4, leaving, the gate G1..G4, clearQueue, and P2's leaving for the dead.
 *
 * Claim, write and publish are one step here, and so are reading a frame and passing it (ring.pml takes them apart); every other
 * access to a shared word is a step of its own. OLD readers gate from the start and leave whenever they like; NJOIN readers join and
 * leave whenever they like, in any free entry (entry FREE is free from the start). What is promised: a lossless reader finds every
 * sequence from its own start on, except those cleared, and a reader that joins holds no producer below the tail that it met. Without
 * joiners also: what every reader has passed does not wait any more.
 *
 * LOSSY: a reader that joins may first attach without gating (gating = 2), and stay so or become lossless. Then what is written over
 * was passed by a lossless reader, cleared or burned; or, with DROP (the policy "drop"; without it "wait"), it was given up by a
 * producer that has met an attached reader, and no gating one, since it began to look.
 *
 * CRASH: one reader may stop at any step of joining, reading or leaving; recoverers leave in its name, and may die as well.
 *
 * LANES: a producer that is full sleeps in the lane consumed, without a time-out: look, lie down, look again, block until a step wakes
 * the lane (how: wake.pml). When nothing can move any more, none lies down where there is room. Readers may then wait for the next
 * frame for ever, one that joins may stop for good before it gates, and a producer may have nothing to write any more. BURN: claiming
 * and publishing are two steps, and what is claimed may be given back (G5). */
#ifndef N
#define N 1                      /* maxSize */
#endif
#ifndef LAST
#define LAST 3                   /* sequences */
#endif
#ifndef NPROD
#define NPROD 1
#endif
#ifndef OLD
#define OLD 2
#endif
#ifndef NJOIN
#define NJOIN 1
#endif
#ifndef FREE
#define FREE 1
#endif
#ifndef R
#define R (OLD + 1)              /* entries */
#endif
#define NONE 255

byte head, tail, joins, cleared;
byte owner[R];                   /* 0: free; else the process that has the entry */
byte cursor[R];
byte gating[R];                  /* 0: not attached, 1: gates, 2: attached and does not gate */
byte slot[N] = NONE;
byte dead = NONE;                /* the reader that has stopped */
byte asleep;                     /* by process: producers that lie in the lane consumed */
byte burned;                     /* ghost, by bit: numbers that carry no frame */
byte lowest = NONE, left = 0;    /* ghost: smallest cursor with which a reader left, and how many have left */
byte furthest, givenUp;          /* ghost: the largest cursor of any lossless reader; below it, frames were given up for want of one */
byte met;                        /* ghost, by process: a reader that does not gate was attached at some time since G1 */

#ifdef LANES
#define WAKE asleep = 0
#define MAY_FREEZE(end) ; if :: true :: true -> end: false fi
#else
#define WAKE skip
#define MAY_FREEZE(end)
#endif
#define WRITTEN(x) (128 + x)     /* claimed, and its frame is not there */
#define TAKEN(x) (slot[x % N] >= 128 && slot[x % N] != NONE)
#define GONE(x) (x < head && slot[x % N] != x && slot[x % N] != WRITTEN(x))             /* D5 */

inline atLeast(to, v) { atomic { if :: to < v -> to = v :: else fi } }

#ifdef LOSSY
#define MAY_OVERWRITE(h) (h < N || h - N < furthest || h - N < cleared || h - N < givenUp || (burned & (1 << (h - N))))
#define PASSES(e) if :: cursor[e] > furthest -> furthest = cursor[e] :: else fi
#else
#define MAY_OVERWRITE(h) true
#define PASSES(e) skip
#endif

/* t = smallest cursor of the gating readers, entry `not` left out (NONE: no reader gates); other: a reader is attached that does not */
inline scan(not) {
  t = NONE; i = 0;
  do
  :: i == R -> break
  :: i < R && i == not -> i++
  :: i < R && i != not ->
     if
#if !defined(LOSSY) || defined(MUT_READS_GATING_ONCE)      /* admits more gates: what holds without LOSSY does not need the second look */
     :: gating[i] == 1 -> atomic { if :: cursor[i] < t -> t = cursor[i] :: else fi; i++ }
#else
     :: gating[i] == 1 -> seen = cursor[i]; atomic { if :: gating[i] == 1 -> if :: seen < t -> t = seen :: else fi; i++ :: else fi; seen = 0 }
#endif
#ifdef LOSSY
     :: atomic { gating[i] == 2 -> other = true; i++ }
#endif
     :: else -> i++
     fi
  od;
  i = 0
}

inline computeGate() {           /* leaves it in t */
  do
#ifdef MUT_REMEMBERS_NO_READER                             /* does not look again once none gated */
  :: other -> atLeast(tail, want); t = tail; atLeast(t, cleared); break
#endif
#ifdef LOSSY
  :: atomic { !other -> j = joins; met = met & ~(1 << _pid);                                          /* G1 */
       do :: i < R && gating[i] == 2 -> met = met | (1 << _pid); i++ :: i < R && gating[i] != 2 -> i++ :: i == R -> i = 0; break od };
#else
  :: j = joins;                                            /* G1 */
#endif
     scan(NONE);                                           /* G2 */
#ifdef MUT_CHECK_BEFORE_RAISE                              /* looks at joins before raising tail, not after */
     if :: joins != j -> goto again :: else fi;
#endif
     if
     :: t != NONE -> atLeast(tail, t)                      /* G3 */
#if defined(LOSSY) && (defined(DROP) || defined(MUT_WAITS_FOR_NO_READER))
#ifdef MUT_GIVES_UP_UNMET
     :: t == NONE ->
#else
     :: t == NONE && other ->
#endif
        atomic {
#ifdef DROP
          assert(met & (1 << _pid));
          if :: want > givenUp -> givenUp = want :: else fi;
#endif
#ifdef MUT_RAISES_AFTER_LOOK                               /* the gate first, tail after G4 */
          t = want
#else
          atLeast(tail, want)
#endif
        };
#ifndef MUT_RAISES_AFTER_LOOK
        t = tail
#endif
#endif
     :: else -> t = tail
     fi;
#ifdef MUT_GATE_TAKES_TAIL                                 /* tail counts even while a reader gates */
     atLeast(t, tail);
#endif
     atLeast(t, cleared);
#if defined(MUT_CHECK_BEFORE_RAISE) || defined(MUT_IGNORE_JOINS)
     break;
#else
     if :: joins == j -> break :: else fi;                 /* G4 */
#endif
again:
#if defined(LOSSY) && !defined(MUT_REMEMBERS_NO_READER)
     other = false
#else
     skip
#endif
  od;
#ifdef MUT_RAISES_AFTER_LOOK
  if :: t == want -> atLeast(tail, want) :: t != want fi;
#endif
#ifdef LOSSY
  atomic {
    j = 0; want = 0; met = met & ~(1 << _pid);
#ifndef MUT_REMEMBERS_NO_READER
    other = false
#endif
  }
#else
  j = 0
#endif
}

proctype Producer() {
  byte gate = 0, t, j, i, h, want; bool announced, other; byte seen;
top:
  do
  :: head == LAST -> break
#ifdef LANES
  :: atomic { asleep = asleep & ~(1 << _pid); break }      /* has nothing to write any more */
#endif
  :: atomic { head < LAST && head < gate + N && !TAKEN(head) -> assert(MAY_OVERWRITE(head));
#ifdef BURN
       h = head; slot[head % N] = WRITTEN(head);
#else
       slot[head % N] = head;
#endif
       head++;
#ifdef LANES
       asleep = asleep & ~(1 << _pid); announced = false
#endif
     }
#ifdef BURN
     ; if
     :: atomic { slot[h % N] = h; h = 0 }
     :: atomic { burned = burned | (1 << h); slot[h % N] = NONE; h = 0 };         /* gives it back */
#ifndef MUT_GIVING_BACK_WAKES_NONE
        WAKE
#endif
     fi
  :: atomic { head < LAST && head < gate + N && TAKEN(head) -> burned = burned | (1 << head); head++ }                /* skips it */
#endif
#ifdef LOSSY
  :: atomic { head < LAST && head >= gate + N -> want = head - N + 1 };
#else
  :: head < LAST && head >= gate + N ->
#endif
     computeGate(); atomic { atLeast(gate, t); t = 0 };    /* never back */
#if defined(BURN) && !defined(MUT_PASSES_NO_BURNED)
     if
     :: head < gate + N
     :: head >= gate + N ->                                /* G5 */
        scan(NONE);
        if
        :: t == NONE ->
           t = gate;
           do :: GONE(t) -> t++ :: !GONE(t) -> break od;
           if :: t > gate -> atLeast(tail, t); atomic { t = 0; other = false }; goto top :: t <= gate fi
        :: t != NONE
        fi;
        atomic { t = 0; other = false }
     fi;
#endif
#ifdef LANES
     if
     :: head < gate + N
     :: head >= gate + N && !announced -> atomic { asleep = asleep | (1 << _pid); announced = true }
     :: head >= gate + N && announced ->
end:    atomic { (asleep & (1 << _pid)) == 0 -> announced = false }
     fi
#endif
  od
}

/* Also for a dead reader, and again from the top if the recoverer died: hence only while the entry gates. */
inline leave(e) {
  if
  :: gating[e] == 1 ->
#if defined(MUT_LEAVE_WITHOUT_TAIL)
     skip;
#elif defined(MUT_LEAVE_ASKS_FOR_OTHERS)                   /* raises tail to its own cursor, if no other reader gates */
     scan(e);
     if :: t == NONE -> atLeast(tail, cursor[e]) :: else fi;
#else
     scan(NONE);
     if :: t != NONE -> atLeast(tail, t) :: else fi;
#endif
     t = 0;
     atomic {
       gating[e] = 0; left++;
       if :: cursor[e] < lowest -> lowest = cursor[e] :: else fi;
       assert(NJOIN > 0 || left < OLD || tail >= lowest)
     };
#if defined(LANES) && !defined(MUT_LEAVING_WAKES_NONE)
     WAKE
#endif
#if defined(LOSSY) && !defined(MUT_STAYS_ATTACHED)
  :: gating[e] == 2 -> gating[e] = 0
#endif
  :: else
  fi;
  atomic { assert(gating[e] == 0); owner[e] = 0; other = false }
}

proctype Reader(byte e; bool joining) {
  byte t, i, came, seen; bool other;
  {
  if
  :: joining ->
     atomic {                                              /* J1 */
       do
       :: e < R && owner[e] == 0 -> owner[e] = _pid; came = tail; break
       :: e < R && owner[e] != 0 -> e++
       :: e == R -> goto out
       od
     };
#ifdef LOSSY
     if
     :: atomic { gating[e] = 2; met = NONE };              /* A1 */
        if :: goto leaving :: atomic { came = tail } fi    /* a look-up may become lossless later */
     :: true
     fi;
#endif
     scan(NONE);                                           /* J2: its own entry does not gate yet */
     if :: t == NONE -> t = 0 :: else fi;
#ifndef MUT_JOIN_IGNORES_TAIL
     atLeast(t, tail);
#endif
     atLeast(t, cleared);
     atomic { if :: true :: head > t -> t = head fi }      /* its wish: everything, or only what comes now */
     MAY_FREEZE(end2);
#if defined(MUT_STANDS_AT_ZERO)
     cursor[e] = 0;
#elif !defined(MUT_GATES_BEFORE_CURSOR)
     cursor[e] = t                                         /* J3 */
     MAY_FREEZE(end3);
#endif
     atomic { gating[e] = 1; assert(cursor[e] >= came); came = 0; PASSES(e) };
#ifdef MUT_GATES_BEFORE_CURSOR
     cursor[e] = t;
#endif
#if !defined(MUT_JOINER_WITHOUT_JOINS) && !defined(MUT_COUNTS_JOIN_LATE)
     joins++;
#endif
#if !defined(MUT_JOIN_LOOKS_ONCE) && !defined(MUT_JOIN_IGNORES_TAIL)
     atLeast(t, tail);                                     /* J4 */
#endif
     atomic { cursor[e] = t; PASSES(e) };
#if defined(LANES) && !defined(MUT_JOINING_WAKES_NONE)
     WAKE;
#endif
     t = 0
#ifdef MUT_COUNTS_JOIN_LATE
     ; joins++
#endif
  :: else
  fi;
  do
  :: atomic { cursor[e] < head && slot[cursor[e] % N] != WRITTEN(cursor[e]) ->
       assert(slot[cursor[e] % N] == cursor[e] || cursor[e] < cleared || (burned & (1 << cursor[e])));
       cursor[e] = cursor[e] + 1; PASSES(e) };
#if defined(LANES) && !defined(MUT_PASSING_WAKES_NONE)
     WAKE
#endif
#ifdef LANES
  :: cursor[e] == head ->
endx: cursor[e] < head                                     /* waits for the next, perhaps for ever */
#endif
  :: break
  od;
leaving:
  leave(e)
  } unless { dead == _pid };
out: skip
}

#ifdef CLEAR
proctype Clearer() {             /* clearQueue */
  byte h;
  h = head;
#ifdef MUT_CLEAR_SETS_TAIL
  tail = h
#else
  atLeast(cleared, h);
#endif
#if defined(LANES) && !defined(MUT_CLEARING_WAKES_NONE)
  WAKE
#endif
}
#endif

#ifdef CRASH
proctype Killer() {
  if
  :: dead = 1 + NPROD            /* reader 0 of the old ones */
  :: NJOIN > 0 -> dead = 1 + NPROD + OLD
  :: true
  fi
}

proctype Recoverer() {           /* P2, under the membership lock; back to the top: this one died, and the next begins */
  byte e, t, i, seen; bool other;
end: dead != NONE;
top:
  e = 0;
  do
  :: e == R -> break
  :: e < R ->
     if :: owner[e] == dead -> leave(e) :: else fi;
     if :: e++ :: e > 0 -> goto top fi
  od
}
#endif

init {                           /* process numbers: 1.. producers, then old readers, then joiners */
  byte n, x;
  atomic {
    n = 0; do :: n < NPROD -> run Producer(); n++ :: else -> break od;
    n = 0;
    do
    :: n < R && n != FREE && x < OLD -> gating[n] = 1; owner[n] = 1 + NPROD + x; run Reader(n, false); n++; x++
    :: n < R && (n == FREE || x == OLD) -> n++
    :: n == R -> x = 0; break
    od;
    n = 0; do :: n < NJOIN -> run Reader(0, true); n++ :: else -> break od;
#ifdef CLEAR
    run Clearer();
#endif
#ifdef CRASH
    run Killer(); run Recoverer();
#endif
    n = 0
  }
#ifdef LANES
  timeout ->                                               /* nothing can move any more: no producer lies down where there is room */
  n = NONE; x = 0;
  do
  :: x < R -> if :: gating[x] == 1 && cursor[x] < n -> n = cursor[x] :: else fi; x++
  :: x == R -> break
  od;
  if :: n == NONE -> n = tail; do :: GONE(n) -> n++ :: else -> break od :: else fi;
  if :: n < cleared -> n = cleared :: else fi;
  assert(asleep == 0 || head == LAST || head >= n + N)
#endif
}
