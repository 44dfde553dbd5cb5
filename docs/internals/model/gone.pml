/* "When producers are gone" (docs/internals/protocol.md): F1 to F4. A reader that waits asks whether there was a producer and none is
 * left.
 *
 * NP peers enter the peer table in any free entry, claim when they like (claim and publish are one step), or only look on, and close;
 * the first may die at any step (CRASH) and is recovered. A peer may stop for good: then it is there still. Any may end the depot. What
 * is promised: a reader ends for this reason only when something was claimed, no live peer has claimed and the depot is not ended; and
 * when nothing can move any more, a reader that waits has a peer to wait for, or nothing was ever claimed or ended. */
#ifndef NP
#define NP 2
#endif
#ifndef ENTRIES
#define ENTRIES 2
#endif
#ifndef CLAIMS
#define CLAIMS 2                 /* of all peers together */
#endif

byte head;                       /* where it began: 0 */
bool closed;                     /* CLOSED, a bit of head's word: read with it */
byte id[ENTRIES];
bool flag[ENTRIES];              /* this peer claims */
bool asleep;                     /* the reader lies in the lane published */
byte dead;
byte members;                    /* the holder of the membership lock */
byte at[NP + 1];                 /* each peer's entry plus one */
bool reads = true;               /* ghost: the reader has not ended */
byte claimed, tried;             /* ghosts, by bit: peers that have claimed, or tried to, and neither closed nor died */
#ifdef MUT_STICKY_FIRST
bool sticky;
#define THERE_WAS_ONE sticky
#elif defined(MUT_FORGETS_THE_FIRST)
#define THERE_WAS_ONE true
#else
#define THERE_WAS_ONE (head > 0)
#endif

#define LOCK(me) atomic { members == 0 || members == dead -> members = me }

proctype Peer(byte me) {
  byte e; bool is;
  {
  LOCK(me);
  atomic {
    do
    :: e < ENTRIES && id[e] == 0 -> at[me] = e + 1; break
    :: e < ENTRIES && id[e] != 0 -> e++
    :: e == ENTRIES -> members = 0; goto out
    od
  };
#ifndef MUT_FLAG_STAYS
  flag[e] = false;                                         /* F1 */
#endif
  atomic { id[e] = me; members = 0 };
  do
  :: !closed -> closed = true; asleep = false              /* N1, N2 */
  :: head < CLAIMS && !closed ->
#ifdef MUT_STICKY_FIRST
     sticky = true;
#endif
#ifndef MUT_FLAG_AFTER_CLAIM
     if :: !is -> atomic { flag[e] = true; is = true; tried = tried | (1 << me) } :: else fi;          /* F2 */
#endif
     atomic { if :: head < CLAIMS && !closed -> head++; claimed = claimed | (1 << me) :: else -> goto leaving fi };                /* C7 */
#ifdef MUT_FLAG_AFTER_CLAIM
     if :: !is -> atomic { flag[e] = true; is = true; tried = tried | (1 << me) } :: else fi;
#endif
     asleep = false                                        /* C12 */
  :: goto leaving
  :: true -> end: false                                    /* is there, and does nothing */
  od;
leaving:
  LOCK(me);
  atomic { id[e] = 0; members = 0; at[me] = 0; claimed = claimed & ~(1 << me); tried = tried & ~(1 << me) };                                   /* P3 */
#ifndef MUT_CLOSING_WAKES_NONE
  asleep = false
#endif
  } unless { dead == me };
out: skip
}

#ifdef CRASH
proctype Killer() {              /* killed between P3 and its wake: one tick */
  atomic { dead = 1; claimed = claimed & ~2; tried = tried & ~2; asleep = false }
}

proctype Recoverer() {
end: atomic { dead != 0 && at[dead] != 0 && (members == 0 || members == dead) ->
       if :: id[at[dead] - 1] == dead -> id[at[dead] - 1] = 0 :: else fi; at[dead] = 0 };
  asleep = false
}
#endif

proctype Reader() {
  byte r, e; bool any;
  do
  :: r < head -> r++                                       /* reads, or passes what is gone */
  :: atomic { r == head && closed -> reads = false; break } /* N3: ended */
  :: r == head && !closed ->
     asleep = true;
#ifdef MUT_LOOKS_BEFORE_ASKING
     if :: r < head -> goto next :: r >= head fi;
#endif
     do                                                    /* F3 */
     :: e < ENTRIES && id[e] == 0 -> e++
     :: e < ENTRIES && id[e] != 0 -> any = any || flag[e]; e++
     :: e == ENTRIES -> e = 0; break
     od;
     if
     :: any || !THERE_WAS_ONE ->
        any = false;
        if
        :: r < head || closed
        :: r == head && !closed -> end: !asleep
        fi
     :: atomic { !any && THERE_WAS_ONE ->                  /* F4 */
          if
#ifndef MUT_LOOKS_BEFORE_ASKING
          :: r < head -> goto next
          :: r == head && closed ->
#ifdef MUT_ENDED_IS_GONE
             skip
#else
             goto next
#endif
          :: r == head && !closed
#else
          :: true
#endif
          fi;
          assert(claimed == 0 && head > 0 && r == head && !closed); reads = false; break
        }
     fi;
next: skip
  od
}

init {
  byte n;
  atomic {
    n = 1; do :: n <= NP -> run Peer(n); n++ :: else -> n = 0; break od;
    run Reader();
#ifdef CRASH
    run Killer(); run Recoverer()
#endif
  };
  timeout ->                                               /* nothing can move any more */
  assert(!reads || !closed && (head == 0 || tried != 0))
}
