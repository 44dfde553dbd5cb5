/* Producers and readers as threads over one mapping, each a peer with a file description of its own. */
#ifndef C_PEER_THREADS_H
#define C_PEER_THREADS_H

#include "work.h"

struct crew {
  uint32_t producers, lossless, lossy;
  uint64_t count, give_back_every, keep_every;
  /* One more thread that reads frames without pinning them: what a sanitizer must report. */
  bool careless;
};

/* Runs them all and prints one line of JSON. */
void run_threads(struct depot *depot, const struct crew *crew);

#endif
