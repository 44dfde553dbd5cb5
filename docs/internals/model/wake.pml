/* One lane of "Waiting and waking" (docs/internals/protocol.md): a word, a flag, NS sleepers, NW wakers.
 *
 * The condition is a count of changes; each sleeper waits for a count it picks at the start (TAKE: it takes one change for
 * itself, so that a condition can turn false again under a sleeper that was woken for it).
 * A sleep has no time-out: at the end no sleeper may sleep with its condition true.
 * With CRASH one waker may stop at any step, and from then on each sleeper has one tick: it puts the flag up and looks.
 * With EARLY a sleeper may ask to be woken before the change, and a waker that sees it does so (C8), and once more after
 * the change if it has to.
 *
 * Mutations: MUT_FLAG_BEFORE_WORD (sleep: flag, then word), MUT_WORD_BEFORE_FLAG (wake: word, then flag),
 *            MUT_FLAG_AFTER_WAKE (flag cleared after waking), MUT_NO_SECOND_LOOK, MUT_FLAG_BEFORE_CHANGE, MUT_NO_TICK,
 *            MUT_TICK_LEAVES_FLAG (the tick only looks), MUT_EARLY_IS_ENOUGH (a waker that has woken early does not wake again) */
#ifndef NS
#define NS 2
#endif
#ifndef NW
#define NW 2
#endif
#ifndef CHANGES
#define CHANGES 2                /* by each waker */
#endif
#define ALL (NW * CHANGES)

byte word = 0;                   /* the futex word */
byte sleepers = 0;               /* the flag; 2: woken early, please */
byte changes = 0;                /* what the sleepers look at */
byte wants[NS];
bool asleep[NS];                 /* in the kernel's queue for the word */
bool late[NS];                   /* has had its tick */
bool died = false;

#ifdef TAKE
#define TRUE_FOR(i) (changes > 0)
#else
#define TRUE_FOR(i) (changes >= wants[i])
#endif

inline look(i) {                 /* sets ok; takes the change where TAKE is set */
  atomic {
    ok = TRUE_FOR(i);
#ifdef TAKE
    if :: ok -> changes-- :: else fi
#endif
  }
}

proctype Sleeper(byte i) {
  byte w, turn = 0; bool ok;
  do
  :: look(i);
     if :: ok -> turn++ :: else ->
#ifdef MUT_FLAG_BEFORE_WORD
        sleepers = 1; w = word;
#else
        w = word;
#ifdef EARLY
        if :: sleepers = 1 :: sleepers = 2 fi;
#else
        sleepers = 1;
#endif
#endif
#ifndef MUT_NO_SECOND_LOOK
        look(i);
#endif
        if :: ok -> turn++ :: else ->
           atomic { asleep[i] = (word == w) };           /* futex wait: compares and queues in one step */
end:       if
           :: !asleep[i]
#if defined(CRASH) && !defined(MUT_NO_TICK)
           :: atomic { died && !late[i] -> late[i] = true }; /* the tick: S2 and a look, without getting up */
#if defined(MUT_TICK_LEAVES_FLAG)
#elif defined(EARLY)
              if :: sleepers = 1 :: sleepers = 2 fi;
#else
              sleepers = 1;
#endif
              look(i);
              if :: ok -> asleep[i] = false; turn++ :: else -> goto end fi
#endif
           fi
        fi
     fi;
#ifdef TAKE
     if :: turn == ALL / NS -> break :: else fi
#else
     if :: turn == 1 -> break :: else fi
#endif
  od
}

proctype Waker() {
  byte n = 0, i, seen; bool early;
  {
  do
  :: n == CHANGES -> break
  :: else ->
#ifdef EARLY
     early = (sleepers == 2);
     if
     :: !early -> skip
     :: else -> sleepers = 0; word++; d_step { for (i : 0 .. NS - 1) { asleep[i] = false } }
     fi;
#endif
#ifdef MUT_FLAG_BEFORE_CHANGE
     seen = sleepers; atomic { changes++; n++ };
#else
     atomic { changes++; n++ };
     seen = sleepers;
#endif
#ifdef MUT_EARLY_IS_ENOUGH
     if :: early -> seen = 0 :: else fi;
#endif
     if
     :: seen == 0 -> skip
     :: else ->
#if defined(MUT_FLAG_AFTER_WAKE)
        word++; d_step { for (i : 0 .. NS - 1) { asleep[i] = false } }; sleepers = 0
#elif defined(MUT_WORD_BEFORE_FLAG)
        word++; sleepers = 0; d_step { for (i : 0 .. NS - 1) { asleep[i] = false } }
#else
        sleepers = 0;
        word++;
        d_step { for (i : 0 .. NS - 1) { asleep[i] = false } }
#endif
     fi
  od
  }
#ifdef CRASH
  unless { died && _pid == 1 }
#endif
}

#ifdef CRASH
proctype Killer() { if :: died = true :: true fi }       /* at any step of the first waker, or never */
#endif

init {
  byte i, x;
  atomic {
    i = 1; do :: i <= NW -> run Waker(); i++ :: else -> break od;      /* pids 1 .. NW */
    i = 0; do
    :: i < NS -> 
#ifndef TAKE
       select(x : 1 .. ALL); wants[i] = x;
#endif
       run Sleeper(i); i++
    :: else -> break
    od;
#ifdef CRASH
    run Killer()
#endif
  }
  /* nothing can move any more: what still sleeps has nothing to see */
  timeout -> 
  d_step {
    for (i : 0 .. NS - 1) { assert(!(asleep[i] && TRUE_FOR(i))) }
  }
}
