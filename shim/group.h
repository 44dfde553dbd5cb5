/* What recovery (ring.c) does for groups (group.c). */
#ifndef FRAMES_DEPOT_GROUP_H
#define FRAMES_DEPOT_GROUP_H

#include "layout.h"

/* P0 for one slot: what the readers in `masks` have of it is offered again if they are dead, and done if they leave.
 * `groups` as in fd_give_back. Returns how many words were changed. */
int fd_give_again(void *base, struct fd_slot *slot, int32_t index, const uint32_t *masks, int32_t pin_words,
                  const uint32_t *groups, int32_t count, int is_dead);

#endif
