/* The steps by which the members of a group share frames, each alone. */
#include "ring.h"

#define TAKE(frame, holder) ((uint64_t)((frame) + 1) << FD_HOLDER_BITS | (holder))

/* A frame is in slot 1, and no member has it. */
static void put_frame_5(void) {
  clear();
  ring.header.head = 6;
  ring.slots[1].sequence = 6;
}

static int32_t take_5(uint32_t member) {
  return fd_take(&ring, AT(ring.takes[1]), slot_at(1), pins_at(1), 1u << member, 5, member + 1);
}

static void take_is_for_one_member(void) {
  put_frame_5();
  ring.takes[1] = TAKE(1, 0); /* of the lap before: says nothing about frame 5 */
  EQUAL(take_5(0), FD_GOT);
  EQUAL(ring.takes[1], TAKE(5, 1));
  EQUAL(ring.slots[1].pins[0], 1);
  EQUAL(take_5(1), FD_OTHERS);
  EQUAL(ring.slots[1].pins[0], 1);
  EQUAL(fd_complete(&ring, AT(ring.takes[1]), 5, 2), 0); /* the other has it */
  EQUAL(ring.takes[1], TAKE(5, 1));
  ring.header.published_sleepers = FD_SLEEPS;
  EQUAL(fd_complete(&ring, AT(ring.takes[1]), 5, 1), FD_SLEEPERS);
  EQUAL(ring.takes[1], TAKE(5, 0));
  EQUAL(take_5(1), FD_OTHERS);
}

static void take_leaves_what_is_not_there(void) {
  put_frame_5();
  ring.slots[1].writer = OTHER;
  EQUAL(take_5(0), FD_NOT_THERE);
  ring.slots[1] = (struct fd_slot){.sequence = 10};
  EQUAL(take_5(0), FD_NOT_THERE);
  EQUAL(ring.takes[1], 0);
  EQUAL(ring.slots[1].pins[0], 0);
}

static void pass_moves_over_what_is_taken_or_done(void) {
  clear();
  ring.header.head = 7;
  ring.readers[2].cursor = 4;
  ring.takes[0] = TAKE(4, 0);
  ring.takes[1] = TAKE(5, 3);
  ring.takes[2] = TAKE(2, 1); /* of the lap before */
  const int32_t takes = AT(ring.takes), cursor = AT(ring.readers[2].cursor);
  EQUAL(fd_pass(&ring, takes, SLOTS, cursor), 6);
  EQUAL(ring.readers[2].cursor, 6);
  ring.takes[2] = TAKE(6, FD_AGAIN);
  ring.header.consumed_sleepers = FD_SLEEPS;
  EQUAL(fd_pass(&ring, takes, SLOTS, cursor), -8); /* moved, and to be told */
  EQUAL(fd_pass(&ring, takes, SLOTS, cursor), 7);  /* at head */
  ring.takes[3] = UINT64_MAX;
  ring.readers[2].cursor = 0; /* more than a lap behind: not by the words */
  EQUAL(fd_pass(&ring, takes, SLOTS, cursor), 0);
  ring.readers[2].cursor = UINT64_MAX;
  CHECK(fd_pass(&ring, takes, SLOTS, cursor) > 1e19);
}

static void again_is_found_in_its_order(void) {
  clear();
  const int32_t takes = AT(ring.takes);
  EQUAL(fd_again(&ring, takes, SLOTS, 0), -1);
  ring.takes[0] = TAKE(8, FD_AGAIN);
  ring.takes[1] = TAKE(5, FD_AGAIN);
  ring.takes[2] = TAKE(6, 1);
  ring.takes[3] = TAKE(4, FD_AGAIN); /* overwritten: the frame of another slot */
  EQUAL(fd_again(&ring, takes, SLOTS, 0), 5);
  EQUAL(fd_again(&ring, takes, SLOTS, 6), 8);
  EQUAL(fd_again(&ring, takes, SLOTS, 9), -1);
  EQUAL(fd_taken(&ring, takes, SLOTS, 5, 8), 2);
}

static void members_at_the_end_wait_for_no_one_that_waits_for_them(void) {
  clear();
  const int32_t takes = AT(ring.takes);
  EQUAL(fd_is_held(&ring, takes, SLOTS, 1), 0);
  ring.takes[2] = TAKE(6, 2);
  EQUAL(fd_is_held(&ring, takes, SLOTS, 1), 1);
  EQUAL(fd_is_held(&ring, takes, SLOTS, 2), 0);
  EQUAL(fd_is_held(&ring, takes, SLOTS, 3), 1);
  ring.takes[0] = TAKE(8, 3); /* two keep a frame: the one with the larger index waits */
  EQUAL(fd_is_held(&ring, takes, SLOTS, 1), 1);
  EQUAL(fd_is_held(&ring, takes, SLOTS, 2), 0);
  EQUAL(fd_is_held(&ring, takes, SLOTS, 3), 1);
  ring.takes[1] = TAKE(5, FD_AGAIN); /* each may take it */
  for (uint32_t member = 1; member <= 4; member++) EQUAL(fd_is_held(&ring, takes, SLOTS, member), 1);
}

static void give_back_offers_again_what_the_dead_had(void) {
  const uint32_t masks[3] = {2, 0, 0}; /* reader 1; the group's own entry is reader 2 */
  for (int is_dead = 0; is_dead < 2; is_dead++) {
    put_frame_5();
    const uint32_t groups[3] = {(uint32_t)AT(ring.group), (uint32_t)AT(ring.takes), 2};
    ring.slots[1].pins[0] = 3;
    ring.takes[1] = TAKE(5, 2);
    ring.takes[0] = TAKE(4, 1); /* a living member's */
    ring.takes[2] = TAKE(2, 0);
    ring.takes[3] = TAKE(3, FD_AGAIN);
    const int32_t slots = AT(ring.slots), stride = sizeof *ring.slots;
    EQUAL(fd_give_back(&ring, slots, stride, 3, 0, SLOTS, masks, ME, groups, 1, is_dead), 1);
    EQUAL(ring.takes[1], TAKE(5, is_dead ? FD_AGAIN : 0));
    EQUAL(ring.slots[1].pins[0], is_dead ? 5 : 1);
    EQUAL(ring.group.redelivered, is_dead);
    EQUAL(ring.takes[0], TAKE(4, 1));
    EQUAL(ring.takes[2], TAKE(2, 0));
    EQUAL(ring.takes[3], TAKE(3, FD_AGAIN));
    EQUAL(fd_give_back(&ring, slots, stride, 3, 0, SLOTS, masks, ME, groups, 1, is_dead), 0);
    if (is_dead) EQUAL(take_5(0), FD_GOT_AGAIN);
  }
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"take is for one member", take_is_for_one_member},
      {"take leaves what is not there", take_leaves_what_is_not_there},
      {"pass moves over what is taken or done", pass_moves_over_what_is_taken_or_done},
      {"again is found in its order", again_is_found_in_its_order},
      {"members at the end wait for no one that waits for them",
       members_at_the_end_wait_for_no_one_that_waits_for_them},
      {"give_back offers again what the dead had", give_back_offers_again_what_the_dead_had},
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
