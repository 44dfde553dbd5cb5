/* "Sharing work" (docs/internals/protocol.md): B1 to B4, M0 to M5, P0, V1 to V5.
 *
 * M members join one group and leave whenever they hold nothing; the first forms it, the last one dissolves it, under the membership
 * lock. One producer waits for the group's cursor (claim, write and publish are one step), and skips slots that are pinned. A pin is one
 * step, which finds the frame or does not (R1 to R3: ring.pml). KILL members die at any step, in any order; a recoverer does P0 to P3,
 * and with RECOVERER_DIES the first one dies at any step too, and another one begins. FREEZE: the first member may stop for good with a frame. OVERWRITE:
 * the producer does not wait. SLICES: recoverers release the lock between two slots. FORMED: all have joined, and none leaves.
 * CLONES: a member may leave and keep its frame. BEHIND: another reader keeps the tail back, so that the next group begins with the same
 * frames; ghosts are those of the group that there is. WHOLE_PASSES: M4 is one step.
 *
 * What is promised: a frame is with one live member at a time, is given again only after a death, and never once it is done; no frame is
 * written over that a live member has, or that the group has neither done nor passed; where a member lives, all frames are done in
 * the end but those of a member that has stopped, which does not hold the producer up; without members nothing is left of the group. */
#ifndef N
#define N 2                      /* maxSize */
#endif
#ifndef LAST
#define LAST 3
#endif
#ifndef M
#define M 2
#endif
#ifndef KILL
#define KILL 0
#endif
#ifdef WHOLE_PASSES
#define PASSING atomic
#else
#define PASSING
#endif
#define S(x) ((x) % N)
#define BIT(m) (1 << (m))
#define GROUP BIT(M)             /* the bit of the group's own entry */
#define WORD(r, who) ((r + 1) * 16 + (who))
#define SEQ(w) ((w) / 16)        /* plus one */
#define WHO(w) ((w) % 16)
#define DONE 0                   /* else: member plus one */
#define AGAIN 15
#define ME (m + 1)

byte head, tail, inSlot[N];      /* inSlot: plus one */
byte pins[N];
byte word[N];                    /* of (group, slot) */
byte members;                    /* the holder of the membership lock */
bool owned, gates, formed;       /* the group's entry in the reader table: owner, gating; the group's state */
byte cursor, again;
bool joined[M], entered[M], dead[M + 1];
bool died;                       /* the recoverer, at this step */
/* ghosts: the member that has or had each frame, plus one; done, burned, passed, by bit; where the group began; it is frozen with a frame, plus one */
byte held[LAST], done, burned, passed, start, frozen;

#define LOCK(me) atomic { members == 0 || dead[members - 1] -> members = me }
#define UNLOCK members = 0
#define ANY_JOINED (joined[0] || joined[M - 1] || (M > 2 && joined[1]))
#define ANY_LIVE ((joined[0] && !dead[0] && !frozen) || (joined[M - 1] && !dead[M - 1]) || (M > 2 && joined[1] && !dead[1]))
#ifdef OVERWRITE
#define ROOM true
#else
#define ROOM (head < (gates -> cursor : tail) + N)
#endif
#define IS_GONE(r) (r < head && inSlot[S(r)] != r + 1)                                                /* D5 */

#ifdef MUT_PASSES_ONLY_DONE
#define IS_PASSED(w, r) (SEQ(w) > r + 1 || (SEQ(w) == r + 1 && WHO(w) == DONE))
#else
#define IS_PASSED(w, r) (SEQ(w) >= r + 1)
#endif

/* Moves the cursor over all that is taken, done or gone. Any member, at any time. */
inline pass() {                  /* M4 */
  PASSING {
  do
  :: c = cursor; w = word[S(c)];
     if
     :: IS_PASSED(w, c) || IS_GONE(c) ->
        atomic {
          if
#ifdef MUT_STORES_CURSOR
          :: true ->
#else
          :: cursor == c ->
#endif
             cursor = c + 1; assert(!(passed & (1 << c))); passed = passed | (1 << c)
          :: else
          fi
        }
     :: else -> atomic { c = 0; w = 0; break }
     fi
  od
  }
}

inline dissolve() {              /* under the lock, without members; every step can be done twice */
#ifndef MUT_DISSOLVES_WITHOUT_PASSING
  if :: gates && formed -> pass() :: else fi;              /* V1 */
#endif
#ifndef MUT_DISSOLVES_FORMED
  formed = false;                                          /* V2: no process joins it any more */
#endif
#ifndef BEHIND
  atomic { if :: gates && tail < cursor -> tail = cursor :: else fi };                                /* V3: L1 */
#endif
  gates = false;                                           /* L2 */
#ifdef MUT_FREES_ENTRY_FIRST
  owned = false;
#endif
  s = 0;
  do :: s < N -> pins[s] = pins[s] & ~GROUP; s++ :: s == N -> atomic { s = 0; break } od;             /* V4 */
#ifdef MUT_DISSOLVES_FORMED
  formed = false;
#endif
  owned = false                                            /* V5: L3 */
}

inline take(r, from, isAgain) {  /* leaves got */
  atomic {                                                 /* M1: pin with one's own bit */
    got = (inSlot[S(r)] == r + 1);
    if :: got -> pins[S(r)] = pins[S(r)] | BIT(m) :: else fi
  };
  if
  :: !got
  :: got ->
     atomic {                                              /* M2: the take */
       if
#ifdef MUT_TAKES_WITHOUT_CAS
       :: true ->
#else
       :: word[S(r)] == from ->
#endif
          word[S(r)] = WORD(r, ME);
          assert(r >= start && !(done & (1 << (r))) && (held[r] == 0 || dead[held[r] - 1]) && isAgain == (held[r] != 0) && inSlot[S(r)] == r + 1);
          held[r] = ME
       :: else -> got = false
       fi
     };
     if
     :: !got -> pins[S(r)] = pins[S(r)] & ~BIT(m)          /* another was first: R5 */
     :: got -> skip
#ifndef MUT_KEEPS_GROUP_BIT
        ; if :: isAgain -> pins[S(r)] = pins[S(r)] & ~GROUP :: !isAgain fi                            /* M3 */
#endif
     fi
  fi
}

inline complete(r) {             /* M5 */
#ifdef FREEZE
  if :: m == 0 -> atomic { frozen = r + 1 }; end: false :: true fi;
#endif
#ifdef MUT_UNPINS_BEFORE_DONE
  pins[S(r)] = pins[S(r)] & ~BIT(m);
#endif
  atomic {
    assert(inSlot[S(r)] == r + 1 && (kept || word[S(r)] == WORD(r, ME)));         /* kept: the group may have been dissolved */
    if
    :: word[S(r)] == WORD(r, ME) -> word[S(r)] = WORD(r, DONE); done = done | (1 << (r))
    :: else ->                                             /* its group is no more */
#ifdef MUT_STORES_DONE
       word[S(r)] = WORD(r, DONE)
#elif defined(BEHIND)
       skip
#else
       done = done | (1 << (r))
#endif
    fi
  };
#ifndef MUT_UNPINS_BEFORE_DONE
  pins[S(r)] = pins[S(r)] & ~BIT(m)
#endif
}

/* Work for this member: frames to be given again, or a number at the cursor that no member has taken. */
#define FRESH(r) (r < head && (SEQ(word[S(r)]) < r + 1))
#define WORK (again != seen || FRESH(cursor) || IS_PASSED(word[S(cursor)], cursor))

proctype Member(byte m) {
  byte r, s, w, c, a, kept, seen = 255; bool got, is;
  {
#ifndef FORMED
  LOCK(ME);
  entered[m] = true;
  if
  :: owned && formed                                       /* B1 */
  :: owned && !formed -> dissolve(); goto form             /* its former died half-way */
  :: !owned ->
form:
     s = 0;
#ifndef MUT_KEEPS_WORDS
     do :: s < N -> word[s] = 0; s++ :: s == N -> break od;                                           /* B2 */
#endif
     s = 0;
     owned = true;                                         /* B3: J1 */
     atomic {                                              /* J2 to J4: room.pml */
       cursor = tail; start = tail; gates = true
#ifdef BEHIND
       ; for (c : 0 .. LAST - 1) { held[c] = 0 }; done = 0; passed = 0; c = 0
#endif
     };
     formed = true                                         /* B4 */
  fi;
  joined[m] = true;
  UNLOCK;
#endif
  do
  :: WORK ->
     a = again;                                            /* M0 */
     if
     :: a != seen ->
        do
        :: s < N ->
           w = word[s];
           if
           :: WHO(w) == AGAIN ->
              r = SEQ(w) - 1;
              take(r, w, true);
              if :: got -> complete(r); got = false :: !got fi
           :: else
           fi;
           s++
        :: s == N -> atomic { s = 0; w = 0; r = 0; seen = a; break }
        od
     :: a == seen
     fi;
     a = 0;
     r = cursor;
     do
     :: r < head && SEQ(word[S(r)]) >= r + 1 -> r++
     :: r >= head || SEQ(word[S(r)]) < r + 1 -> break
     od;
     if
     :: r >= head
     :: r < head ->
        w = word[S(r)];
        if
        :: SEQ(w) < r + 1 ->
           take(r, w, false);
           is = got;
           pass();
           if
#ifdef CLONES
           :: is -> kept = r + 1; goto leaving             /* ends, and keeps the frame */
#endif
           :: is -> complete(r)
           :: !is
           fi
        :: SEQ(w) >= r + 1
        fi
     fi;
     pass();
     atomic { r = 0; w = 0; got = false; is = false }
#ifndef FORMED
  :: goto leaving
#endif
  :: !WORK ->                                              /* waits, perhaps for ever */
end2: WORK
  od;
#ifndef FORMED
leaving:
  LOCK(ME);
  joined[m] = false;
  if :: !ANY_JOINED -> dissolve() :: ANY_JOINED fi;
  UNLOCK;
  if :: kept -> r = kept - 1; complete(r) :: !kept fi;
  entered[m] = false                                       /* L3 */
#endif
  } unless { atomic { dead[m] -> r = 0; s = 0; w = 0; c = 0; a = 0; seen = 0; kept = 0; got = false; is = false } }
}

proctype Producer() {
end:
  do
  :: head == LAST -> break
  :: atomic { head < LAST && ROOM && pins[S(head)] == 0 ->
       if
       :: head >= N && inSlot[S(head)] == head + 1 - N ->
          assert(held[head - N] == 0 || dead[held[head - N] - 1] || (done & (1 << (head - N))));
#ifndef OVERWRITE
          assert(!formed || head - N < start || (done & (1 << (head - N))))
#endif
       :: else
       fi;
       inSlot[S(head)] = head + 1; head++ }
  :: atomic { head < LAST && ROOM && pins[S(head)] != 0 && pins[S(head + 1)] == 0 ->                  /* C5: skip */
       burned = burned | (1 << head); head++ }
  od
}

#if KILL
proctype Killer() {              /* members are alike: the first to die is the first one */
  dead[0] = true
#if KILL > 1
  ; dead[1] = true
#endif
#ifdef RECOVERER_DIES
  ; died = true
#endif
}

proctype Recoverer() {
  byte d, s, w, c;
end:
  {
end2:
  do
  :: atomic { dead[0] && entered[0] -> d = 0 };
     goto slice
  :: atomic { M > 1 && dead[1] && entered[1] -> d = 1 };
     goto slice
  :: atomic { M > 2 && dead[M - 1] && entered[M - 1] -> d = M - 1 };
slice:
     LOCK(M + 1);
     if
     :: !entered[d]                                        /* another recoverer was quicker */
     :: entered[d] ->
        do
        :: s < N ->
#ifdef MUT_UNPINS_BEFORE_AGAIN
           pins[s] = pins[s] & ~BIT(d);                    /* P1 */
#endif
           w = word[s];                                    /* P0 */
           if
           :: formed && WHO(w) == d + 1 ->
#ifdef MUT_COUNTS_WHAT_IT_CHANGED
              c = 1;
#endif
#ifdef MUT_AGAIN_BEFORE_GROUP_BIT
              word[s] = WORD(SEQ(w) - 1, AGAIN);
              pins[s] = pins[s] | GROUP
#else
              pins[s] = pins[s] | GROUP;
              word[s] = WORD(SEQ(w) - 1, AGAIN)
#endif
           :: else
           fi;
#ifndef MUT_UNPINS_BEFORE_AGAIN
           pins[s] = pins[s] & ~BIT(d);                    /* P1 */
#endif
           atomic { w = 0; s++ };
#ifdef SLICES
           if :: s < N -> UNLOCK; goto slice :: s == N fi
#endif
        :: atomic { s == N -> s = 0; break }
        od;
#if defined(MUT_COUNTS_WHAT_IT_CHANGED)
        if :: c -> again = (again + 1) % 4; c = 0 :: else fi;
#elif !defined(MUT_COUNTS_NOTHING)
        again = (again + 1) % 4;
#endif
        joined[d] = false;                                 /* P2 */
        if :: owned && !ANY_JOINED -> dissolve() :: else fi;
        entered[d] = false                                 /* P3 */
     fi;
     atomic { UNLOCK; d = 0; s = 0 }
  od
  } unless { atomic { died -> died = false; d = 0; s = 0; w = 0; c = 0; if :: members == M + 1 -> UNLOCK :: else fi } };
  goto end                                                 /* the next one begins */
}
#endif

init {
  byte n;
  atomic {
    n = 0;
    do
    :: n < M ->
#ifdef FORMED
       owned = true; gates = true; formed = true; joined[n] = true; entered[n] = true;
#endif
       run Member(n); n++
    :: n == M -> break
    od;
    run Producer();
#if KILL
    run Recoverer();
    run Killer();
#endif
    n = 0
  };
  timeout ->                                               /* nothing can move any more */
  d_step {
    if
    :: ANY_LIVE ->
       for (n : 0 .. LAST - 1) {
#ifdef OVERWRITE
         assert(n < start || held[n] == 0 || (done & (1 << n)) || frozen == n + 1)                   /* others may be lost */
#else
         assert(n < start || n >= head || (burned & (1 << n)) || (done & (1 << n)) || frozen == n + 1)
#endif
       };
       assert(head == LAST || (N == 1 && frozen))
    :: else -> assert(frozen || (!owned && !gates && !formed))
    fi;
    for (n : 0 .. N - 1) { assert((pins[n] & GROUP) == 0 && (frozen || pins[n] == 0)) }
  }
}
