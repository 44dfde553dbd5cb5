/* "Room, tail, joining, clearing" (docs/protocol.md): joining J1..J4, leaving, the gate G1..G4, clearQueue, P1's part in it.
 *
 * Claim and write are one step here (ring.pml takes them apart); every other access to a shared word is a step of its own.
 * Entries 0 .. OLD-1 (in the scan order set by FIRST) gate from the start and may leave at any moment; NJOIN joiners take any free entry.
 * A lossless reader must find every sequence from its own start on, except those cleared.
 *
 * CRASH: one reader may stop at any step of joining, reading or leaving; recoverers then leave for it, and may die as well.
 *
 * Mutations: MUT_* below; MUT_CHECK_BEFORE_RAISE and MUT_GATE_TAKES_TAIL are an earlier version of G3 and G4. */
#ifndef N
#define N 2                      /* maxSize */
#endif
#ifndef LAST
#define LAST 4                   /* producers stop here */
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
#define R (OLD + 1)              /* entries; entry FREE is free at the start */
#ifndef FREE
#define FREE 1
#endif
#define BIG 255

byte head, tail, joins, cleared;
byte owner[R], cursor[R];        /* owner: 0 none, else the process id of the reader */
bool gating[R];
byte slot[N] = BIG;
byte deadPid = 0;                /* the reader that has stopped */
byte done = 0;                   /* readers that have ended, one way or another */
byte lowest = BIG;               /* ghost: smallest cursor of those that have left */

inline raiseTail(v) { atomic { if :: tail < v -> tail = v :: else fi } }

/* t = smallest cursor of the gating readers, entry `not` left out (BIG: nobody gates) */
inline scan(not) {
  t = BIG; i = 0;
  do
  :: i == R -> break
  :: i < R && i != not ->
     if
     :: gating[i] -> atomic { if :: cursor[i] < t -> t = cursor[i] :: else fi; i++ }
     :: else -> i++
     fi
  :: else -> i++
  od
}

inline computeGate() {           /* G1..G4, in t */
  do
  :: j = joins;                                            /* G1 */
     scan(BIG);                                            /* G2 */
#ifdef MUT_CHECK_BEFORE_RAISE
     if :: joins != j -> goto again :: else fi;
#endif
     if
     :: t != BIG -> raiseTail(t)                           /* G3 */
     :: else -> t = tail
     fi;
#ifdef MUT_GATE_TAKES_TAIL
     atomic { if :: tail > t -> t = tail :: else fi };
#endif
     atomic { if :: cleared > t -> t = cleared :: else fi };
#if defined(MUT_CHECK_BEFORE_RAISE) || defined(MUT_NO_JOINS)
     break;
#else
     if :: joins == j -> break :: else fi;                 /* G4 */
#endif
again: skip
  od
}

proctype Producer() {
  byte gate = 0, t, j, i, h;
  do
  :: head >= LAST -> break
  :: else ->
     h = head;
     if
     :: h >= gate + N -> 
        if :: done == OLD + NJOIN && gate == tail -> break :: else fi;   /* full for good */
        computeGate(); gate = t
     :: else -> atomic { if :: head == h -> slot[h % N] = h; head = h + 1 :: else fi }
     fi
  od
}

/* leave for entry e, also in the name of a dead reader (P1); safe to do again from the top */
inline leave(e) {
  if
  :: gating[e] ->
#ifdef MUT_LEAVE_WITHOUT_TAIL
     skip;
#else
     scan(BIG);
     if :: t != BIG -> raiseTail(t) :: else fi;
#endif
     gating[e] = false
  :: else
  fi;
  owner[e] = 0
}

inline read1(e) {                /* one frame, or a number that was cleared */
  atomic { r < head -> assert(slot[r % N] == r || r < cleared) };
  r++;
  cursor[e] = r
}

proctype Reader(byte e; byte mustJoin) {
  byte r = 0, t, i, j;
  {
  if
  :: mustJoin ->
     atomic { i = 0; do :: i < R && owner[i] == 0 -> owner[i] = _pid; e = i; break :: i < R && owner[i] != 0 -> i++ :: i == R -> goto out od };  /* J1 */
     cursor[e] = 0;                                        /* J2 */
     gating[e] = true;
#ifndef MUT_JOINER_WITHOUT_JOINS
     joins++;
#endif
#ifdef MUT_CURSOR_BEFORE_GATING
     gating[e] = false;
#endif
     scan(e);                                              /* J3 */
     if :: t == BIG -> t = 0 :: else fi;
#ifndef MUT_JOIN_IGNORES_TAIL
     atomic { if :: tail > t -> t = tail :: else fi };
#endif
     atomic { if :: cleared > t -> t = cleared :: else fi };
     if :: r = t :: r = head; if :: r < t -> r = t :: else fi fi;   /* J4, wish: everything, or only what comes now */
     cursor[e] = r
#ifdef MUT_CURSOR_BEFORE_GATING
     ; gating[e] = true
#endif
  :: else
  fi;
  do
  :: read1(e)
  :: break                       /* leaves whenever it likes */
  od;
  leave(e);
  } unless { deadPid == _pid };
out: done++
}

#ifdef CLEAR
proctype Clearer() {             /* clearQueue */
  byte h = head;
#ifdef MUT_CLEAR_SETS_TAIL
  tail = h;
#else
  atomic { if :: cleared < h -> cleared = h :: else fi }
#endif
}
#endif

#ifdef CRASH
proctype Killer() { byte p; if :: select(p : FIRSTPID .. FIRSTPID + OLD + NJOIN - 1); deadPid = p :: true fi }
proctype Recoverer() {           /* P1 under the membership lock; going back to the start is: it died, and another began */
  byte e, t, i, j;
  deadPid != 0;
top:
  e = 0;
  do
  :: e == R -> break
  :: e < R ->
     if :: owner[e] == deadPid -> leave(e) :: else fi;
     if :: e++ :: goto top fi
  od
}
#endif
init {
  byte n;
  atomic {
    n = 0; do :: n < NPROD -> run Producer(); n++ :: else -> break od;
    n = 0; do
    :: n < R && n != FREE -> gating[n] = true; owner[n] = 1 + NPROD + n - (n > FREE -> 1 : 0); run Reader(n, 0); n++
    :: n < R && n == FREE -> n++
    :: else -> break
    od;
    n = 0; do :: n < NJOIN -> run Reader(0, 1); n++ :: else -> break od;
#ifdef CLEAR
    run Clearer();
#endif
#ifdef CRASH
    run Killer(); run Recoverer()
#endif
  }
}
#define FIRSTPID (1 + NPROD)
