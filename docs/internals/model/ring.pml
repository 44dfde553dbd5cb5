/* Claim, write, publish, skip, give back, keep back; pin, read, decide, unpin; recovery
 * (docs/internals/protocol.md: C1..C12, K1..K4, R0..R6, D0..D5, P1..P3).
 *
 * Every access to a shared word is a step. WAIT: room is checked (C2), readers are lossless and gate from the start (joining and the
 * gate itself: room.pml); otherwise policy overwrite and lossy readers. Sequences are 0 .. LAST - 1; then producers are EXHAUSTED.
 * KEEP: a reader may keep one lease for as long as it likes while it reads on, also after it has ended (L1, L2).
 * KILL: the first producer (1), the first reader (2), either (3) stops at any step. NREC recoverers do P1..P3 under the membership
 * lock, which falls when its holder dies; of two, the first stops at any step too. None: slots are recovered by the process that
 * meets them. LATE: one more reader takes the dead reader's entry, and so its bit, when it is free.
 * Peers: 1..NP producers, then the readers, the late one, the recoverers.
 *
 * Waiting is a guard that blocks: a process that could wait for ever is an invalid end state. LANES: instead, producers that are full
 * sleep in one lane and readers with nothing to do in the other, without a time-out: look, lie down, look again, block until a step
 * wakes the lane (how: wake.pml). Without WAIT that is a depot that waits while its queue is cleared over and over: there is room, but
 * a slot may be taken. A producer that is full may also give up, a reader may end when it likes, and a death wakes all (the tick).
 *
 * Further: BACK: a producer may keep a slot
 * back, and write in it, until its memory is out of reach. COUNT: no number is counted twice, nor one that was published. SLICES:
 * recoverers release the membership lock between two slots of P1. END: one process ends the depot at any time (N1): the top bit of head
 * is set for good; readers end when their place is where head stands, and only then. CATCH: the lossless reader has joined at that
 * sequence, and first reads what is still stored below it. */
#ifndef N                        /* all of these are given, or none */
#define N 2                      /* maxSize: 1, 2 */
#define NP 2
#define NR 1                     /* 1, 2 */
#define LAST 3
#define WAIT 0
#define KEEP 1
#define KILL 0
#define NREC 0
#define LATE 0
#endif
#ifndef BACK
#define BACK 0
#endif
#ifndef COUNT
#define COUNT 0
#endif
#ifndef LANES
#define LANES 0
#endif
#ifndef END
#define END 0
#endif
#ifndef SLICES
#define SLICES 0
#endif
#ifndef CATCH
#define CATCH 0
#endif
#define SHOWN(r) ((r) < CATCH -> CATCH : (r))            /* what a cursor says */
#ifdef MUT_JUMPS_OVER_ITS_PLACE
#define JUMP(r) (HEAD - N + 1)
#else
#define JUMP(r) (((r) < CATCH && HEAD - N + 1 > CATCH) -> CATCH : HEAD - N + 1)
#endif
#define NONE 255
#define KEPT 254                 /* in claimed: its writer keeps the slot though its number will not come */
#ifdef MUT_ZERO_WHILE_WRITTEN
#define TAKEN(h) 0
#else
#define TAKEN(h) (128 + (h))     /* in seq: h is claimed, and its frame is not there */
#endif
#if END
#define ENDED 64                 /* in head: no more claims */
#define HEAD (head & 63)
#ifdef MUT_ENDS_APART
#define IS_ENDED over            /* a word of its own, looked at with C1 */
#else
#define IS_ENDED (head >= ENDED)
#endif
#else
#define HEAD head
#define IS_ENDED false
#endif
#define S(x) ((x) % N)
#define LATER (NP + NR + 1)

byte head, writer[N], claimed[N], seq[N], pins[N];         /* claimed, seq: plus one */
byte owner[2], cursor[2];
bool gating[2];
byte lo[N], hi[N];               /* payload */
bool dead[LATER + 1 + NREC];     /* the peer's lock is free */
#ifdef MUT_LOCK_BEFORE_MEMORY
bool stopped;
#define STOPPED(me) (me == 1 && stopped)
#else
#define STOPPED(me) dead[me]
#endif
byte victim;                     /* the peer that died first */
bool entered = true;             /* the victim's id is still in the peer table */
byte members;                    /* the holder of the membership lock */
byte asleep;                     /* by bit: processes that lie in their lane */
/* ghosts: the claim (plus one) in a slot from C7 to C10 or giving back, while its producer lives; live readers at R4, by bit;
 * what has been published, and what was counted in skipped, by bit; producers at work, by bit; slots kept back, by bit */
byte open[N], holds[N], out, counted, producing, back;
#if END
bool over;                       /* only with MUT_ENDS_APART */
bool concluded;                  /* ghost: a reader has ended because the depot has */
#define MAY_MOVE assert(!concluded)
#else
#define MAY_MOVE
#endif

#define WHOLE(x) (lo[S(x)] == (x) + 1 && hi[S(x)] == (x) + 1)
#define GATED (gating[0] || gating[1])
#define ROOM(h) (!(gating[0] && (h) >= cursor[0] + N) && !(gating[1] && (h) >= cursor[1] + N))
#define HELD(s) (pins[s] != 0 || (BACK && claimed[s] == KEPT && writer[s] != 0))
#define ALL_HELD (HELD(0) && HELD(N - 1))
#if COUNT
#define COUNTED(h) atomic { assert(((counted | out) & (1 << (h))) == 0); counted = counted | (1 << (h)) }
#else
#define COUNTED(h) skip
#endif

/* The lanes, by process: published for readers, consumed for producers. A wake is a step of its own after the change. */
#define PUBLISHED ((2 << LATER) - (2 << NP))
#define CONSUMED ((2 << NP) - 2)
#define BOTH (PUBLISHED | CONSUMED)
#if LANES
#define WAKE(lanes) ; asleep = asleep & ~(lanes)
#define LIE_DOWN asleep = asleep | (1 << me)
#define GET_UP asleep = asleep & ~(1 << me)
#define LIES ((asleep & (1 << me)) != 0)
#else
#define WAKE(lanes)
#define GET_UP skip
#endif
#ifdef MUT_PUBLISHING_WAKES_READERS
#define C11_WAKES PUBLISHED
#else
#define C11_WAKES BOTH
#endif
#ifdef MUT_RECOVERY_WAKES_READERS
#define D2_WAKES PUBLISHED
#else
#define D2_WAKES BOTH
#endif
#ifdef MUT_UNPINNING_WAKES_NONE
#define R5_WAKES 0
#else
#define R5_WAKES CONSUMED
#endif
#ifdef MUT_SKIPPING_WAKES_NONE
#define SKIP_WAKES 0
#else
#define SKIP_WAKES PUBLISHED
#endif
#if defined(MUT_RETREAT_WAKES_READERS)
#define RETREAT_WAKES PUBLISHED
#elif defined(MUT_RETREAT_WAKES_PRODUCERS)
#define RETREAT_WAKES CONSUMED
#else
#define RETREAT_WAKES BOTH
#endif
#ifdef MUT_RETREAT_WAKES_ALWAYS
#define C5_WAKES(h) true
#else
#define C5_WAKES(h) (pins[S(h)] == 0)
#endif
#ifdef MUT_LETTING_GO_WAKES_READERS
#define K4_WAKES PUBLISHED
#else
#define K4_WAKES BOTH
#endif

#ifdef MUT_SKIPS_AFTER_END
#define SKIPS(h) HEAD == h       /* puts one on top of what it finds */
#else
#define SKIPS(h) head == h
#endif
#if defined(MUT_ENDING_WAKES_READERS)
#define N2_WAKES PUBLISHED
#elif defined(MUT_ENDING_WAKES_PRODUCERS)
#define N2_WAKES CONSUMED
#else
#define N2_WAKES BOTH
#endif

#define SKIP(h) atomic { if :: SKIPS(h) -> MAY_MOVE; head = head + 1; COUNTED(h) :: else fi; h = 0; w = 0 } WAKE(SKIP_WAKES)
#define FREE(h, lanes) atomic { writer[S(h)] = 0; h = 0; w = 0 } WAKE(lanes)
#define RELEASE(x) atomic { assert(WHOLE(x)); holds[S(x)] = holds[S(x)] & ~mask; pins[S(x)] = pins[S(x)] & ~mask; x = NONE }

inline recoverSlot(s, w) {       /* C3, D2, P1 */
#ifdef MUT_RECOVERY_CLEARS_SEQUENCE
  seq[s] = 0;
#endif
#if COUNT && !defined(MUT_ZERO_WHILE_WRITTEN)
  q = seq[s];
  if
  :: q >= TAKEN(0) && writer[s] == w -> atomic { if :: seq[s] == q -> seq[s] = 0; COUNTED(q - TAKEN(0)) :: else fi; q = 0 }
  :: else -> q = 0
  fi;
#endif
#ifdef MUT_RECOVERY_WITHOUT_CAS
  writer[s] = 0
#elif defined(MUT_ZERO_WHILE_WRITTEN)                      /* lost with its writer: nothing there, and head has passed what it claimed */
  q = claimed[s];
  atomic {
    if
    :: writer[s] == w && seq[s] == 0 && q != 0 && q - 1 < head -> writer[s] = 0; COUNTED(q - 1)
    :: writer[s] == w && !(seq[s] == 0 && q != 0 && q - 1 < head) -> writer[s] = 0
    :: else
    fi; q = 0
  }
#else
  atomic { if :: writer[s] == w -> writer[s] = 0 :: else fi }
#endif
  WAKE(D2_WAKES)
}

#define LET_GO claimed[mine] = 0; atomic { back = back & ~(1 << mine); writer[mine] = 0; mine = NONE } WAKE(K4_WAKES)       /* K4 */

proctype Producer(byte me) {
  byte h, w, gate, i, t, q, mine = NONE; bool announced;
  {
again:
  do
  :: head == LAST -> break
#if END
  :: atomic { IS_ENDED -> GET_UP; break }
#endif
#if BACK
  :: mine != NONE -> LET_GO
#endif
  :: atomic { head < LAST && !IS_ENDED -> h = head };      /* C1 */
#if WAIT && !defined(MUT_NO_ROOM_CHECK)
     if                                                    /* C2 */
     :: h < gate + N
     :: h >= gate + N ->
        t = NONE;                                          /* G2 */
        do
        :: i < NR && gating[i] -> atomic { if :: cursor[i] < t -> t = cursor[i] :: else fi; i++ }
        :: i < NR && !gating[i] -> i++
        :: atomic { i == NR -> if :: t != NONE -> gate = t :: else fi; i = 0; t = 0; break }
        od;
        if
        :: h < gate + N
#if LANES
        :: atomic { h >= gate + N && head != h -> h = 0 }; goto again
        :: h >= gate + N && head == h -> if :: !GATED -> break :: GATED -> goto noRoom fi
#else
        :: h >= gate + N -> if :: GATED && ROOM(h) :: head != h :: !GATED -> break fi; goto again     /* full */
#endif
        fi
     fi;
#endif
     atomic { w = writer[S(h)]; if :: w == 0 -> writer[S(h)] = me :: else fi };                       /* C3 */
     if
     :: w != 0 && dead[w] -> recoverSlot(S(h), w)
     :: w != 0 && !dead[w] -> SKIP(h)
#if LANES
     :: w != 0 -> goto noRoom                              /* also if it is dead: it has not been asked */
#endif
     :: atomic { w != 0 && (writer[S(h)] != w || head != h) -> h = 0; w = 0 }                         /* was patient */
     :: w == 0 && head != h -> FREE(h, RETREAT_WAKES)      /* C4 */
     :: w == 0 && head == h ->
        if
#ifndef MUT_NO_PIN_CHECK
        :: pins[S(h)] != 0 ->                              /* C5 */
           writer[S(h)] = 0;
#if LANES
           if
           :: C5_WAKES(h) -> asleep = asleep & ~(RETREAT_WAKES)
           :: !C5_WAKES(h) -> asleep = asleep & ~(RETREAT_WAKES & PUBLISHED)        /* R5 wakes the others */
           fi;
#endif
           if
           :: !ALL_HELD -> SKIP(h)
#if LANES
           :: goto noRoom
#else
           :: ALL_HELD ->                                  /* full */
              if
              :: !ALL_HELD
              :: head != h
#if BACK
              :: mine != NONE -> LET_GO
#endif
              fi
#endif
           fi
        :: pins[S(h)] == 0 ->
#else
        :: true ->
#endif
#ifndef MUT_CLAIMED_AFTER_HEAD
           claimed[S(h)] = h + 1;                          /* C6 */
#endif
           atomic {                                        /* C7 */
             if
             :: head == h ->
                MAY_MOVE; head = h + 1; assert(open[S(h)] == 0 && (back & (1 << S(h))) == 0); open[S(h)] = h + 1;
                announced = false; GET_UP
             :: else -> w = NONE
             fi
           };
           if
           :: w == NONE -> FREE(h, RETREAT_WAKES)
           :: else ->
#ifdef MUT_CLAIMED_AFTER_HEAD
              claimed[S(h)] = h + 1;
#endif
#ifndef MUT_SEQUENCE_STAYS
              seq[S(h)] = TAKEN(h);                        /* C8 */
#endif
              atomic { assert(holds[S(h)] == 0); lo[S(h)] = h + 1 };                                  /* C9 */
              if
              :: atomic { assert(holds[S(h)] == 0 && open[S(h)] == h + 1); hi[S(h)] = h + 1 };
#ifdef MUT_LEAVES_BEFORE_PUBLISHING
                 writer[S(h)] = 0;
#endif
                 atomic { seq[S(h)] = h + 1; open[S(h)] = 0; out = out | ((WAIT || COUNT) << h) };      /* C10 */
#ifndef MUT_LEAVES_BEFORE_PUBLISHING
                 FREE(h, C11_WAKES)                        /* C11, C12 */
#endif
              :: atomic { open[S(h)] = 0; seq[S(h)] = 0 }; /* give back */
                 COUNTED(h); FREE(h, BOTH)
#if BACK
              :: atomic {                                  /* keep back; K1 */
                   mine == NONE -> mine = S(h); open[mine] = 0; back = back | (1 << mine);
#ifndef MUT_KEEPS_CLAIM
                   claimed[mine] = KEPT
#endif
                 };
                 seq[mine] = 0; COUNTED(h);                                                           /* K2 */
                 atomic { h = 0; w = 0 } WAKE(BOTH)                   /* K3 */
#endif
              fi
           fi
        fi
     fi
  od;
  goto ended;
#if LANES
noRoom:
  if
  :: !announced -> atomic { LIE_DOWN; announced = true; h = 0; w = 0 }
  :: announced ->
     if
     :: atomic { !LIES -> announced = false; h = 0; w = 0 }
#if BACK
     :: mine != NONE && ALL_HELD -> LET_GO
#endif
     fi
  :: atomic { GET_UP; goto ended }                         /* does not wait */
  fi;
  goto again;
#endif
ended:
#if BACK
  if :: mine != NONE -> LET_GO :: else fi;
#endif
  producing = producing & ~(1 << me)
  } unless { STOPPED(me) }
}

proctype Reader(byte me, b; bool late) {
  byte r, w, q, kept = NONE, now = NONE, mask = 1 << b; bool mine, there, own, announced;
end:
  if
  :: atomic { late && owner[b] == 0 -> owner[b] = me; r = (HEAD > 0 -> HEAD - 1 : 0) }
  :: !late
  fi;
  {
#if LANES
  goto look;
nothing:
  if
  :: !announced -> atomic { LIE_DOWN; announced = true; mine = false; there = false; w = 0 }
  :: announced ->
     do
     :: atomic { !LIES -> break }
     :: kept != NONE -> RELEASE(kept) WAKE(R5_WAKES)
     :: atomic { !END && head <= r && producing == 0 -> break }
     od;
     atomic { announced = false; mine = false; there = false; w = 0 }
  fi;
look:
#endif
  do
  :: kept != NONE -> RELEASE(kept) WAKE(R5_WAKES)
#if END
  :: atomic { IS_ENDED && HEAD <= r -> concluded = true; break }                                      /* N3 */
#if LANES
  :: HEAD <= r && !IS_ENDED -> goto nothing
  :: kept == NONE -> end2: false                           /* reads no more, and gates */
#endif
#else
  :: head <= r && (r == LAST || producing == 0) -> break
#if LANES
  :: head <= r && r < LAST && producing != 0 -> goto nothing
  :: break                                                 /* ends when it likes */
#endif
#endif
  :: atomic { HEAD > r && r < LAST -> own = (kept != NONE && S(kept) == S(r)) };                      /* D0 */
#if LANES && !defined(MUT_PINS_TO_LOOK)
     if                                                    /* R0 */
     :: !own && writer[S(r)] != 0 -> goto decide
     :: !own && writer[S(r)] == 0 -> if :: seq[S(r)] != r + 1 -> goto decide :: seq[S(r)] == r + 1 fi
     :: own
     fi;
#endif
     if
     :: own                                                /* the bit is set already: R3 only */
#ifdef MUT_LOOKS_BEFORE_PIN
     :: !own -> w = writer[S(r)]; pins[S(r)] = pins[S(r)] | mask
#else
     :: atomic { !own -> pins[S(r)] = pins[S(r)] | mask }; w = writer[S(r)]                           /* R1, R2 */
#endif
     fi;
     if
     :: atomic { w == 0 && seq[S(r)] == r + 1 ->           /* R3, R4 */
          assert(WHOLE(r) && (back & (1 << S(r))) == 0); holds[S(r)] = holds[S(r)] | mask; now = r; announced = false; GET_UP };
        if
        :: RELEASE(now)                                    /* R5 */
        :: atomic { KEEP && kept == NONE -> kept = now; now = NONE }
        fi;
        atomic { r++; cursor[b] = SHOWN(r); own = false } WAKE(CONSUMED)                              /* R6 */
     :: atomic { else -> if :: !own -> pins[S(r)] = pins[S(r)] & ~mask :: else fi; own = false; w = 0 } WAKE(R5_WAKES);
decide:
#ifdef MUT_DECIDE_SEQUENCE_FIRST
        there = (seq[S(r)] == r + 1); w = writer[S(r)]; mine = (w != 0 && claimed[S(r)] == r + 1);
#else
        w = writer[S(r)]; mine = (w != 0 && claimed[S(r)] == r + 1); there = (seq[S(r)] == r + 1);    /* D1 */
#endif
        if
        :: atomic { !there && !mine ->                     /* D5: gone */
             assert(open[S(r)] != r + 1);                  /* it will not come */
             assert(r < CATCH || (out & (WAIT << r)) == 0); /* lossless: nor has it come */
             if :: HEAD > r + N -> r = JUMP(r); assert(!WAIT || r <= CATCH) :: else -> r++ fi;
             w = 0; cursor[b] = SHOWN(r) } WAKE(CONSUMED)
        :: (there || mine) && w != 0 && dead[w] -> recoverSlot(S(r), w); goto decide                  /* D2 */
#if LANES
        :: (there || mine) -> goto nothing                 /* D3, D4; also if it is dead: it has not been asked */
#else
        :: atomic { (there || mine) && (w == 0 || !dead[w]) -> mine = false; there = false };         /* D3, D4 */
           do                                              /* waits for the slot to change */
           :: atomic { w == 0 || writer[S(r)] != w || dead[w] || (BACK && claimed[S(r)] != r + 1) -> w = 0; break }
           :: kept != NONE -> RELEASE(kept)
           od
#endif
        fi
     fi
  od;
  gating[b] = false WAKE(WAIT * CONSUMED);                 /* L2 */
  if :: kept != NONE -> RELEASE(kept) WAKE(R5_WAKES) :: else fi;
  owner[b] = 0                                             /* L3 */
  } unless { STOPPED(me) }
}

#if END
proctype Ender() {
#ifdef MUT_ENDS_APART
  over = true WAKE(BOTH)
#else
  head = head | ENDED                                      /* N1 */
  WAKE(N2_WAKES)                                           /* N2 */
#endif
}
#endif

proctype Recoverer(byte me) {
  byte i, b, q, mask;
end:
  victim != 0;
#ifdef MUT_STALE_MASK
  mask = (owner[0] == victim);
#endif
slice:
  {
#ifdef MUT_LOCK_STAYS
  atomic { members == 0 -> members = me };
#else
  atomic { members == 0 || dead[members] -> members = me };
#endif
  if
  :: !entered                                              /* looks again, under the lock */
  :: entered ->
#ifndef MUT_STALE_MASK
     mask = (owner[0] == victim);
#if NR > 1
     mask = mask + 2 * (owner[1] == victim);
#endif
#endif
#ifdef MUT_ENTRY_BEFORE_PINS
     do :: atomic { b < NR && owner[b] == victim -> owner[b] = 0; b++ } :: b < NR && owner[b] != victim -> b++ :: b == NR -> break od;
#endif
     do                                                    /* P1 */
     :: i < N ->
        pins[i] = pins[i] & ~mask;
        if :: writer[i] == victim -> recoverSlot(i, victim) :: else fi;
        i++ WAKE(BOTH);
#if SLICES
        if :: i < N -> atomic { members = 0; mask = 0 }; goto slice :: else fi
#endif
     :: atomic { i == N -> i = 0; mask = 0; break }
     od;
     do                                                    /* P2 */
     :: b < NR && owner[b] != victim -> b++
     :: b < NR && owner[b] == victim -> gating[b] = false; owner[b] = 0                               /* L2, L3 */
     :: b == NR -> break
     od;
     entered = false WAKE(BOTH)                            /* P3 */
  fi;
  members = 0
  } unless { dead[me] }
}

#if LANES && KILL && !NREC
proctype Meeter() {              /* meets the slots of the dead, as a process that has waited for a while does */
  byte i, q, w;
end:
  do
  :: atomic { writer[0] != 0 && dead[writer[0]] -> i = 0; w = writer[0] }; recoverSlot(i, w)
  :: atomic { N > 1 && writer[N - 1] != 0 && dead[writer[N - 1]] -> i = N - 1; w = writer[N - 1] }; recoverSlot(i, w)
  od
}
#endif

inline kill(v) {                 /* also ends its ghosts */
#ifdef MUT_LOCK_BEFORE_MEMORY
  stopped = true;
#endif
  dead[v] = true; if :: victim == 0 -> victim = v :: else fi; producing = producing & ~(1 << v);
  for (n : 0 .. N - 1) {
    holds[n] = holds[n] & ~((1 << v) >> (NP + 1));
    if :: writer[n] == v -> open[n] = 0; back = back & ~(1 << n) :: else fi
  };
  asleep = 0; n = 0              /* killed between a change and its wake: one tick for all that lie down */
}

proctype Killer() {
  byte n;
end:
#ifdef MUT_LOCK_BEFORE_MEMORY                              /* its lock falls while it still writes */
  dead[1] = true;
#endif
  atomic { if :: KILL & 1 -> kill(1) :: KILL & 2 -> kill(NP + 1) fi };
endx:
  atomic { NREC > 1 -> kill(LATER + 1) }
}

init {
  byte n, lost;
  atomic {
    for (n : 1 .. NP) { producing = producing | (1 << n); run Producer(n) };
    for (n : 0 .. NR - 1) { gating[n] = WAIT; cursor[n] = CATCH; owner[n] = NP + 1 + n; run Reader(NP + 1 + n, n, false) };
    if :: LATE -> run Reader(LATER, 0, true) :: else fi;
    n = 0; do :: n < NREC -> n++; run Recoverer(LATER + n) :: else -> break od;
#if LANES && KILL && !NREC
    run Meeter();
#endif
#if END
    run Ender();
#endif
    run Killer(); n = 0
  };
  timeout ->                                               /* nothing can move any more */
  for (n : 0 .. N - 1) { assert((KILL && !NREC && !LANES) || (writer[n] == 0 && pins[n] == 0)) };
#if COUNT
  lost = 0;
  for (n : 0 .. HEAD - 1) { if :: (out | counted) & (1 << n) :: else -> lost++ fi };
  assert(lost <= (KILL > 0))                               /* killed between C7 and C8, or recovered by none */
#endif
}
