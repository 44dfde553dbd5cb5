/* Claim, write, publish, skip, give back; pin, read, decide, unpin; recovery (docs/protocol.md: C1..C12, R1..R6, D0..D5, P1..P3).
 *
 * Every access to a shared word is a step. Waiting is a guard that blocks (sleeping and waking: wake.pml): whoever could wait for
 * ever is an invalid end state. WAIT: room is checked (C2), readers are lossless and gate from the start (joining and the gate
 * itself: room.pml); otherwise policy overwrite and lossy readers. Sequences are 0 .. LAST - 1; then producers are EXHAUSTED.
 * KEEP: a reader may keep one lease for as long as it likes while it reads on.
 * KILL: the first producer (1), the first reader (2), either (3) stops at any step. NREC recoverers do P1..P3 under the membership
 * lock, which falls when its holder dies; of two, the first stops at any step too. None: slots are recovered by whoever meets them.
 * LATE: one more reader takes the dead reader's entry, and so its bit, when it is free.
 * REUSE: producers write into the memory that was read last (X1..X7); with WAIT, and N 2.
 * Peers: 1..NP producers, then the readers, the late one, the recoverers. */
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
#ifndef REUSE
#define REUSE 0
#endif
#define NONE 255
#define S(x) ((x) % N)
#define LATER (NP + NR + 1)

byte head, writer[N], claimed[N], seq[N], pins[N];         /* claimed, seq: plus one */
byte owner[2], cursor[2];
bool gating[2];
byte lo[N], hi[N];               /* payload, by block */
byte block[N];                   /* of each slot: the word `order` */
bool dead[LATER + 1 + NREC];     /* nobody holds the peer's lock */
byte victim;                     /* the peer that died first */
bool entered = true;             /* the victim's id is still in the peer table */
byte members;                    /* who holds the membership lock */
/* ghosts: the claim (plus one) in a slot from C7 to C10 or giving back, while its producer lives; live readers at R4, by bit;
 * what has been published, by bit; producers at work, by bit */
byte open[N], holds[N], out, producing;

#define B(x) block[S(x)]
#define WHOLE(x) (lo[B(x)] == (x) + 1 && hi[B(x)] == (x) + 1)
#define GATED (gating[0] || gating[1])
#define ROOM(h) (!(gating[0] && (h) >= cursor[0] + N) && !(gating[1] && (h) >= cursor[1] + N))
#define ALL_PINNED (pins[0] != 0 && pins[N - 1] != 0)
#define SKIP(h) atomic { if :: head == h -> head = h + 1 :: else fi; h = 0; w = 0 }
#define FREE(h) atomic { writer[S(h)] = 0; h = 0; w = 0 }
#define RELEASE(x) atomic { assert(WHOLE(x)); holds[S(x)] = holds[S(x)] & ~mask; pins[S(x)] = pins[S(x)] & ~mask; x = NONE }

inline recoverSlot(s, w) {       /* C3, D2, P2 */
#ifdef MUT_RECOVERY_CLEARS_SEQUENCE
  seq[s] = 0;
#endif
#ifdef MUT_RECOVERY_WITHOUT_CAS
  writer[s] = 0
#else
  atomic { if :: writer[s] == w -> writer[s] = 0 :: else fi }
#endif
}

/* Gives slot h the block of the last frame that all have passed, and that frame's slot the block of h. */
inline reuse() {
  t = NONE;                                                /* X1: the gate, as in G2 */
  do
  :: i < NR && gating[i] -> atomic { if :: cursor[i] < t -> t = cursor[i] :: else fi; i++ }
  :: i < NR && !gating[i] -> i++
  :: atomic { i == NR -> if :: t != NONE -> gate = t :: else fi; i = 0; break }
  od;
#ifdef MUT_REUSE_UNREAD
  t = h - 1;
#else
  t = (t != NONE && gate == h && h > 0 -> h - 1 : NONE);   /* of N = 2, the only one above h - N */
#endif
  if
  :: t == NONE || t == 255
  :: else ->
#ifndef MUT_REUSE_UNCLAIMED
     atomic { w = writer[S(t)]; if :: w == 0 -> writer[S(t)] = me :: else fi };                       /* X2 */
#endif
     if
     :: w != 0
     :: else ->
        if
#ifndef MUT_REUSE_PINNED
        :: pins[S(t)] != 0 || seq[S(t)] != t + 1           /* X3, X4 */
        :: pins[S(t)] == 0 && seq[S(t)] == t + 1 ->
#else
        :: true ->
#endif
           seq[S(t)] = 0;                                  /* X5 */
#ifdef MUT_REUSE_IN_TWO_STEPS
           i = block[S(h)]; block[S(h)] = block[S(t)]; block[S(t)] = i; i = 0
#else
           atomic { i = block[S(h)]; block[S(h)] = block[S(t)]; block[S(t)] = i; i = 0 }               /* X6 */
#endif
        fi;
#ifndef MUT_REUSE_UNCLAIMED
        writer[S(t)] = 0                                   /* X7 */
#endif
     fi
  fi;
  w = 0; t = 0
}

proctype Producer(byte me) {
  byte h, w, gate, i, t;
  {
again:
  do
  :: head == LAST -> break
  :: atomic { head < LAST -> h = head };                   /* C1 */
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
        :: h >= gate + N -> if :: GATED && ROOM(h) :: head != h :: !GATED -> break fi; goto again     /* full */
        fi
     fi;
#endif
     atomic { w = writer[S(h)]; if :: w == 0 -> writer[S(h)] = me :: else fi };                       /* C3 */
     if
     :: w != 0 && dead[w] -> recoverSlot(S(h), w)
     :: w != 0 && !dead[w] -> SKIP(h)
     :: atomic { w != 0 && (writer[S(h)] != w || head != h) -> h = 0; w = 0 }                         /* was patient */
     :: w == 0 && head != h -> FREE(h)                  /* C4 */
     :: w == 0 && head == h ->
        if
#ifndef MUT_NO_PIN_CHECK
        :: pins[S(h)] != 0 ->                              /* C5 */
           writer[S(h)] = 0;
           if :: !ALL_PINNED -> SKIP(h) :: ALL_PINNED -> if :: !ALL_PINNED :: head != h fi fi         /* full */
        :: pins[S(h)] == 0 ->
#else
        :: true ->
#endif
#ifndef MUT_CLAIMED_AFTER_HEAD
           claimed[S(h)] = h + 1;                          /* C6 */
#endif
           atomic {                                        /* C7 */
             if :: head == h -> head = h + 1; assert(open[S(h)] == 0); open[S(h)] = h + 1 :: else -> w = NONE fi
           };
           if
           :: w == NONE -> FREE(h)
           :: else ->
#ifdef MUT_CLAIMED_AFTER_HEAD
              claimed[S(h)] = h + 1;
#endif
#ifndef MUT_SEQUENCE_STAYS
              seq[S(h)] = 0;                               /* C8 */
#endif
#if REUSE
              reuse();
              assert(block[0] != block[1]);
#endif
              atomic { assert(holds[S(h)] == 0); lo[B(h)] = h + 1 };                                  /* C9 */
              if
              :: atomic { assert(holds[S(h)] == 0 && open[S(h)] == h + 1); hi[B(h)] = h + 1 };
#ifdef MUT_LEAVES_BEFORE_PUBLISHING
                 writer[S(h)] = 0;
#endif
                 atomic { seq[S(h)] = h + 1; open[S(h)] = 0; out = out | (WAIT << h) };                /* C10 */
#ifndef MUT_LEAVES_BEFORE_PUBLISHING
                 FREE(h)                                /* C11 */
#endif
              :: atomic { open[S(h)] = 0; FREE(h) }     /* give back */
              fi
           fi
        fi
     fi
  od;
  producing = producing & ~(1 << me)
  } unless { dead[me] }
}

proctype Reader(byte me, b; bool late) {
  byte r, w, kept = NONE, now = NONE, mask = 1 << b; bool mine, there, own;
end:
  if
  :: atomic { late && owner[b] == 0 -> owner[b] = me; r = (head > 0 -> head - 1 : 0) }
  :: !late
  fi;
  {
  do
  :: kept != NONE -> RELEASE(kept)
  :: kept == NONE && head <= r && (r == LAST || producing == 0) -> break
  :: atomic { head > r && r < LAST -> own = (kept != NONE && S(kept) == S(r)) };                      /* D0 */
     if
     :: own                                                /* the bit is set already: R3 only */
#ifdef MUT_LOOKS_BEFORE_PIN
     :: !own -> w = writer[S(r)]; pins[S(r)] = pins[S(r)] | mask
#else
     :: atomic { !own -> pins[S(r)] = pins[S(r)] | mask }; w = writer[S(r)]                           /* R1, R2 */
#endif
     fi;
     if
     :: atomic { w == 0 && seq[S(r)] == r + 1 -> assert(WHOLE(r)); holds[S(r)] = holds[S(r)] | mask; now = r };   /* R3, R4 */
        if
        :: RELEASE(now)                                    /* R5 */
        :: atomic { KEEP && kept == NONE -> kept = now; now = NONE }
        fi;
        atomic { r++; cursor[b] = r; own = false }         /* R6 */
     :: atomic { else -> if :: !own -> pins[S(r)] = pins[S(r)] & ~mask :: else fi; own = false; w = 0 };
decide:
#ifdef MUT_DECIDE_SEQUENCE_FIRST
        there = (seq[S(r)] == r + 1); w = writer[S(r)]; mine = (w != 0 && claimed[S(r)] == r + 1);
#else
        w = writer[S(r)]; mine = (w != 0 && claimed[S(r)] == r + 1); there = (seq[S(r)] == r + 1);    /* D1 */
#endif
        if
        :: atomic { !there && !mine ->                     /* D5: gone */
             assert(open[S(r)] != r + 1);                  /* it will not come */
             assert((out & (1 << r)) == 0);                /* lossless: nor has it come */
             if :: head > r + N -> assert(!WAIT); r = head - N + 1 :: else -> r++ fi;
             w = 0; cursor[b] = r }
        :: (there || mine) && w != 0 && dead[w] -> recoverSlot(S(r), w); goto decide                  /* D2 */
        :: atomic { (there || mine) && (w == 0 || !dead[w]) -> mine = false; there = false };         /* D3, D4 */
           do                                              /* waits for the slot to change */
           :: atomic { w == 0 || writer[S(r)] != w || dead[w] -> w = 0; break }
           :: kept != NONE -> RELEASE(kept)
           od
        fi
     fi
  od;
  gating[b] = false; owner[b] = 0                          /* L2, L3 */
  } unless { dead[me] }
}

proctype Recoverer(byte me) {
  byte i, b;
end:
  victim != 0;
  {
#ifdef MUT_LOCK_STAYS
  atomic { members == 0 -> members = me };
#else
  atomic { members == 0 || dead[members] -> members = me };
#endif
  if
  :: !entered                                              /* looks again, under the lock */
  :: entered ->
     do
     :: b == NR -> break
     :: b < NR && owner[b] != victim -> b++
     :: b < NR && owner[b] == victim ->                    /* P1 */
#ifdef MUT_ENTRY_BEFORE_PINS
        owner[b] = 0;
#endif
        do
        :: atomic { i < N -> pins[i] = pins[i] & ~(1 << b); i++ }
        :: atomic { i == N -> i = 0; break }
        od;
        gating[b] = false; owner[b] = 0                    /* L2, L3 */
     od;
     do                                                    /* P2 */
     :: i < N && writer[i] != victim -> i++
     :: i < N && writer[i] == victim -> recoverSlot(i, victim)
     :: i == N -> break
     od;
     entered = false                                       /* P3 */
  fi;
  members = 0
  } unless { dead[me] }
}

inline kill(v) {                 /* also ends its ghosts */
  dead[v] = true; if :: victim == 0 -> victim = v :: else fi; producing = producing & ~(1 << v);
  for (n : 0 .. N - 1) { holds[n] = holds[n] & ~((1 << v) >> (NP + 1)); if :: writer[n] == v -> open[n] = 0 :: else fi };
  n = 0
}

proctype Killer() {
  byte n;
end:
  atomic { if :: KILL & 1 -> kill(1) :: KILL & 2 -> kill(NP + 1) fi };
endx:
  atomic { NREC > 1 -> kill(LATER + 1) }
}

init {
  byte n;
  atomic {
    for (n : 0 .. N - 1) { block[n] = n };
    for (n : 1 .. NP) { producing = producing | (1 << n); run Producer(n) };
    for (n : 0 .. NR - 1) { gating[n] = WAIT; owner[n] = NP + 1 + n; run Reader(NP + 1 + n, n, false) };
    if :: LATE -> run Reader(LATER, 0, true) :: else fi;
    n = 0; do :: n < NREC -> n++; run Recoverer(LATER + n) :: else -> break od;
    run Killer(); n = 0
  };
  timeout ->                                               /* nothing can move any more */
  for (n : 0 .. N - 1) { assert((KILL && !NREC) || (writer[n] == 0 && pins[n] == 0)) }
}
