/* "Room, tail, joining, clearing" (docs/protocol.md): joining J1..J4, leaving, the gate G1..G4, clearQueue, and P1's leaving for the dead.
 *
 * Claim, write and publish are one step here, and so are reading a frame and passing it (ring.pml takes them apart); every other
 * access to a shared word is a step of its own. OLD readers gate from the start and leave whenever they like; NJOIN readers join and
 * leave whenever they like, in any free entry (entry FREE is free from the start). What is promised: a lossless reader finds every
 * sequence from its own start on, except those cleared. Without joiners also: what every reader has passed does not wait any more.
 *
 * CRASH: one reader may stop at any step of joining, reading or leaving; recoverers leave in its name, and may die as well. */
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
#define R (OLD + 1)              /* entries */
#define NONE 255

byte head, tail, joins, cleared;
byte owner[R];                   /* 0: free; else the process that has the entry */
byte cursor[R];
bool gating[R];
byte slot[N] = NONE;
byte dead = NONE;                /* the reader that has stopped */
byte lowest = NONE, left = 0;    /* ghost: smallest cursor with which a reader left, and how many have left */

inline atLeast(to, v) { atomic { if :: to < v -> to = v :: else fi } }

/* t = smallest cursor of the gating readers, entry `not` left out (NONE: nobody gates) */
inline scan(not) {
  t = NONE; i = 0;
  do
  :: i == R -> break
  :: i < R && i == not -> i++
  :: i < R && i != not ->
     if
     :: gating[i] -> atomic { if :: cursor[i] < t -> t = cursor[i] :: else fi; i++ }
     :: else -> i++
     fi
  od;
  i = 0
}

inline computeGate() {           /* leaves it in t */
  do
  :: j = joins;                                            /* G1 */
     scan(NONE);                                           /* G2 */
#ifdef MUT_CHECK_BEFORE_RAISE                              /* looks at joins before raising tail, not after */
     if :: joins != j -> goto again :: else fi;
#endif
     if
     :: t != NONE -> atLeast(tail, t)                      /* G3 */
     :: else -> t = tail
     fi;
#ifdef MUT_GATE_TAKES_TAIL                                 /* tail counts even while somebody gates */
     atLeast(t, tail);
#endif
     atLeast(t, cleared);
#if defined(MUT_CHECK_BEFORE_RAISE) || defined(MUT_IGNORE_JOINS)
     break;
#else
     if :: joins == j -> break :: else fi;                 /* G4 */
#endif
again: skip
  od;
  j = 0
}

proctype Producer() {
  byte gate = 0, t, j, i;
  do
  :: head == LAST -> break
  :: atomic { head < LAST && head < gate + N -> slot[head % N] = head; head++ }
  :: head < LAST && head >= gate + N -> computeGate(); atomic { gate = t; t = 0 }
  od
}

/* Also for a dead reader, and again from the top if whoever did it died: hence only while the entry gates. */
inline leave(e) {
  if
  :: gating[e] ->
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
       gating[e] = false; left++;
       if :: cursor[e] < lowest -> lowest = cursor[e] :: else fi;
       assert(NJOIN > 0 || left < OLD || tail >= lowest)
     }
  :: else
  fi;
  owner[e] = 0
}

proctype Reader(byte e; bool joining) {
  byte t, i;
  {
  if
  :: joining ->
     atomic {                                              /* J1 */
       do
       :: e < R && owner[e] == 0 -> owner[e] = _pid; break
       :: e < R && owner[e] != 0 -> e++
       :: e == R -> goto out
       od
     };
#ifndef MUT_CHOOSES_BEFORE_GATING
     cursor[e] = 0; gating[e] = true;                      /* J2 */
#ifndef MUT_JOINER_WITHOUT_JOINS
     joins++;
#endif
#endif
     scan(e);                                              /* J3 */
     if :: t == NONE -> t = 0 :: else fi;
#ifndef MUT_JOIN_IGNORES_TAIL
     atLeast(t, tail);
#endif
     atLeast(t, cleared);
     atomic { if :: true :: head > t -> t = head fi };     /* its wish: everything, or only what comes now */
     cursor[e] = t;                                        /* J4 */
     t = 0
#ifdef MUT_CHOOSES_BEFORE_GATING
     ; gating[e] = true; joins++
#endif
  :: else
  fi;
  do
  :: atomic { cursor[e] < head ->
       assert(slot[cursor[e] % N] == cursor[e] || cursor[e] < cleared);
       cursor[e] = cursor[e] + 1 }
  :: break
  od;
  leave(e)
  } unless { dead == _pid };
out: skip
}

#ifdef CLEAR
proctype Clearer() {             /* clearQueue */
  byte h = head;
#ifdef MUT_CLEAR_SETS_TAIL
  tail = h
#else
  atLeast(cleared, h)
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

proctype Recoverer() {           /* P1, under the membership lock; back to the top: this one died, and the next begins */
  byte e, t, i;
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
  byte n;
  atomic {
    n = 0; do :: n < NPROD -> run Producer(); n++ :: else -> break od;
    n = 0;
    do
    :: n < R && n != FREE -> gating[n] = true; owner[n] = 1 + NPROD + (n > FREE -> n - 1 : n); run Reader(n, false); n++
    :: n < R && n == FREE -> n++
    :: n == R -> break
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
}
