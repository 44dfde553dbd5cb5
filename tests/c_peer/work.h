/* What a producer and a follower do, whether alone in a process or as one of its threads. */
#ifndef C_PEER_WORK_H
#define C_PEER_WORK_H

#include "ring.h"

/* The number of the frame after which nothing comes, as tests/support/stamp.ts has it. */
#define END_NUMBER (INT64_C(1) << 40)
enum { MAX_PRODUCERS = 16 };

struct production {
  uint32_t producer, producers;
  uint64_t count;
  /* Before every Nth frame a claim is given back; 0: never. */
  uint64_t give_back_every;
  /* At every Nth frame a claim is kept back, or the slot that was kept is let go; 0: never. Leaving lets go too. */
  uint64_t keep_every;
  /* Writes the frame number beside each frame. */
  bool metadata;
  /* Why it stopped: a word, or NULL. */
  const char *end;
  uint64_t stored, dropped, given_back;
  bool keeps;
  uint64_t kept;
};

struct following {
  int mode;
  uint32_t producers;
  /* Ends after this many frames read or lost, or at the END frame. */
  uint64_t count;
  /* Why the reader ended before: a word, or NULL. */
  const char *end;
  uint64_t read, lost, torn, disorder, metadata;
  uint64_t by[MAX_PRODUCERS];
  int64_t previous[MAX_PRODUCERS];
};

void produce(struct peer *peer, struct production *work);
/* Publishes the END frame, unless the depot takes no more. */
void produce_end(struct peer *peer);
/* The reader has joined already. */
void follow(struct reader *reader, struct following *work);
void print_production(const struct production *work);
void print_following(const struct following *work);

#endif
