/* A member of a group that shares frames: steps B, M, V and P0. */
#ifndef C_PEER_GROUP_H
#define C_PEER_GROUP_H

#include "ring.h"

struct member {
  struct reader reader;
  uint32_t group;
  /* The group's own entry in the reader table. */
  struct fd_reader *own;
  uint32_t own_index;
  /* What `again` was when nothing was left to be given again. */
  uint32_t again;
  /* Of the frame in its hands. */
  uint64_t sequence;
  bool redelivered;
};

/* Joins the group of a name, or forms it from the oldest frame on. */
void member_join(struct member *member, struct peer *peer, const char *name);
/* Waits for a frame and takes it. False at the end. */
bool member_next(struct member *member);
/* M5 and R5. */
void member_complete(struct member *member);
void member_leave(struct member *member);

/* For peers that recover and leave; under the membership lock, but for what a peer of its own has. */
bool give_again(struct peer *peer, uint32_t id, uint32_t slot, bool is_dead);
void count_again(const struct depot *depot);
void dissolve_empty_groups(struct peer *peer);

#endif
