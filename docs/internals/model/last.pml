/* The end of members ("A member's end" in docs/internals/protocol.md): nothing fresh will come.
 *
 * Each of M members keeps any of F frames while it asks for the next one, and one may be killed anywhere (KILL) and is
 * recovered. A member that gets what was another's completes or keeps it; one that has ended lets go of what it keeps.
 * Promised: no member waits for ever; one that keeps nothing ends only when all frames are done; what a dead member had
 * goes to another one, if one with a larger index lived that had not ended. */
#ifndef M
#define M 3
#endif
#ifndef F
#define F M
#endif
#define DONE 0
#define AGAIN 255
#define ME (m + 1)

byte word[F];  /* a frame each: DONE, a member plus one, or AGAIN */
byte woken;    /* a bit for each member that has not looked since the lane published was woken */
bool ended[M];
byte dead;     /* a member plus one */
bool isOwed;   /* ghost: what the dead one had has to be given to another */

#ifdef MUT_DONE_WAKES_NONE
#define WAKE skip
#else
#define WAKE woken = (1 << M) - 1
#endif

inline look() {                  /* slot by slot */
  s = 0;
  do
  :: s < F -> atomic {
     w = word[s];
     if
     :: w == DONE -> skip
     :: w == ME -> own = true
     :: w != DONE && w != ME -> any = true;
#ifdef MUT_COUNTS_NO_AGAIN
        if :: w < ME -> lower = true :: else fi
#else
        if :: w < ME || w == AGAIN -> lower = true :: else fi
#endif
     fi;
     w = 0; s++
     }
  :: s == F -> break
  od
}

#ifdef MUT_WAITS_FOR_ALL
#define ENDS (!any)
#elif defined(MUT_ENDS_AT_ONCE)
#define ENDS (own || !any)
#else
#define ENDS ((own && !lower) || !any)
#endif

proctype Member(byte m) {
  byte s, w; bool own, lower, any;
  {
  do
  :: atomic { woken = woken & ~(1 << m); s = 0 };          /* S1 */
     do                                                    /* M0 to M2 */
     :: s < F && word[s] == AGAIN ->
        atomic { if :: word[s] == AGAIN -> word[s] = ME; isOwed = false :: else -> goto next fi };
        if
        :: word[s] = DONE; WAKE                            /* M5 */
        :: skip                                            /* keeps it */
        fi;
next:   s++
     :: s < F && word[s] != AGAIN -> s++
     :: s == F -> break
     od;
     look();
     if
     :: ENDS -> break
     :: else -> atomic { own = false; lower = false; any = false; s = 0; w = 0 };
        woken & (1 << m)                                   /* S2 */
     fi
  od;
  atomic {
    s = 0;
    do
    :: s < F -> assert(own || word[s] == DONE); s++
    :: s == F -> break
    od;
    ended[m] = true; own = false; lower = false; any = false; s = 0; w = 0
  };
  do
  :: s < F && word[s] == ME -> word[s] = DONE; WAKE; s++
  :: s < F && word[s] != ME -> s++
  :: s == F -> break
  od
  } unless { dead == ME }
}

#ifdef KILL
proctype Recoverer() {
  byte m, s, w;
  do
  :: m < M -> atomic {
       dead = ME;
       s = 0;
       do
       :: s < F && word[s] == ME ->
          w = m + 1;
          do
          :: w < M && !ended[w] -> isOwed = true; break
          :: w < M && ended[w] -> w++
          :: w == M -> break
          od;
          s++
       :: s < F && word[s] != ME -> s++
       :: s == F -> break
       od };
     break
  :: m < M - 1 -> m++
  od;
  s = 0;
  do
  :: s < F && word[s] == ME -> word[s] = AGAIN; s++        /* P0 */
  :: s < F && word[s] != ME -> s++
  :: s == F -> break
  od;
  WAKE                                                     /* P3 */
}
#endif

init {
  byte m;
  atomic {
    do
    :: m < F -> if :: word[m] = 1 :: word[m] = 2 :: word[m] = M :: skip fi; m++
    :: m == F -> break
    od;
    m = 0;
    do
    :: m < M -> run Member(m); m++
    :: m == M -> break
    od;
#ifdef KILL
    run Recoverer()
#endif
  };
  _nr_pr == 1 -> assert(!isOwed)
}
