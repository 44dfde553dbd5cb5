/* The steps of a hand-off, each alone. */
#include "ring.h"

#include <math.h>

static int32_t publish(int index, double sequence) {
  return fd_publish(&ring, slot_at(index), sequence, -5, 7, 3, 1000);
}

static void claim_takes_the_slot_and_moves_head(void) {
  clear();
  ring.slots[0].sequence = 9;
  ring.header.skipped = 4;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  EQUAL(ring.header.head, 1);
  EQUAL(ring.slots[0].writer, ME);
  EQUAL(ring.slots[0].claimed, 1);
  CHECK(ring.slots[0].sequence == ~(uint64_t)0); /* taken, and not there */
  EQUAL(ring.slots[0].skipped, 4);
}

static void claim_touches_nothing_when_head_is_elsewhere(void) {
  clear();
  ring.header.head = 5;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 4, ME), FD_MOVED);
  EQUAL(fd_claim(&ring, slot_at(2), 1, 6, ME), FD_MOVED);
  EQUAL(ring.slots[0].writer, 0);
  EQUAL(ring.header.head, 5);
}

static void claim_retreats_from_a_leased_slot(void) {
  clear();
  ring.slots[0].pins[1] = 2;
  EQUAL(fd_claim(&ring, slot_at(0), 2, 0, ME), FD_LEASED);
  EQUAL(ring.slots[0].writer, 0);
  EQUAL(ring.header.head, 0);
  ring.header.published_sleepers = 1;
  EQUAL(fd_claim(&ring, slot_at(0), 2, 0, ME), FD_LEASED | FD_SLEEPERS);
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
}

static void leaving_a_slot_tells_both_lanes(void) {
  clear();
  ring.header.consumed_sleepers = FD_SLEEPS;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 1, ME), FD_MOVED); /* was never in the slot */
  ring.slots[0].pins[0] = 1;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_LEASED); /* R5 wakes for room, not the producer that found none */
  ring.header.published_sleepers = FD_SLEEPS;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_LEASED | FD_SLEEPERS);
  ring.slots[0].pins[0] = 0;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  EQUAL(publish(0, 0), FD_PRODUCERS | FD_SLEEPERS);
  ring.header.published_sleepers = 0;
  EQUAL(publish(0, 0), FD_PRODUCERS);
}

static void end_keeps_head_and_refuses_claims(void) {
  clear();
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  EQUAL(fd_head(&ring), 1);
  EQUAL(fd_end(&ring), 1);
  EQUAL(fd_end(&ring), 0);
  EQUAL(fd_head(&ring), -2);
  EQUAL(fd_claim(&ring, slot_at(1), 1, 1, OTHER), FD_MOVED);
  EQUAL(ring.slots[1].writer + ring.slots[1].claimed, 0);
  EQUAL(fd_cas(&ring, AT(ring.header.head), 1, 2), 0); /* nor is a number skipped */
  EQUAL(publish(0, 0), 0);                             /* what was claimed before may come */
  EQUAL(ring.slots[0].sequence, 1);
  clear();
  EQUAL(fd_head(&ring), 0);
  EQUAL(fd_end(&ring), 1);
  EQUAL(fd_head(&ring), -1);
  ring.header.head = FD_LAST_SEQUENCE + 1;
  EQUAL(fd_head(&ring), 9007199254740991.0);
  EQUAL(fd_end(&ring), 1);
  EQUAL(fd_head(&ring), -9007199254740992.0);
}

static void publish_tells_that_the_name_is_another_segments(void) {
  clear();
  ring.header.published_sleepers = ring.header.consumed_sleepers = FD_SLEEPS;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  ring.header.replaced = FD_BEING_REPLACED;
  EQUAL(publish(0, 0), FD_SLEEPERS | FD_PRODUCERS); /* it may yet keep its name */
  EQUAL(fd_claim(&ring, slot_at(1), 1, 1, ME), FD_CLAIMED);
  ring.header.replaced = FD_IS_REPLACED;
  EQUAL(publish(1, 1), FD_REPLACED);
  EQUAL(ring.slots[1].writer, ME); /* the caller gives it back */
  CHECK(ring.slots[1].sequence == ~(uint64_t)1);
}

static void look_finds_the_number_of_what_is_there(void) {
  clear();
  CHECK(isnan(fd_look(&ring, slot_at(0), 0)));
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  CHECK(isnan(fd_look(&ring, slot_at(0), 0)));
  publish(0, 0);
  EQUAL(fd_look(&ring, slot_at(0), 0), -5);
  CHECK(isnan(fd_look(&ring, slot_at(0), SLOTS)));
  ring.slots[0].writer = OTHER;
  CHECK(isnan(fd_look(&ring, slot_at(0), 0)));
}

static void recover_slot_frees_what_the_dead_had(void) {
  clear();
  EQUAL(fd_recover_slot(&ring, slot_at(0), ME), 0);
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  EQUAL(fd_recover_slot(&ring, slot_at(0), OTHER), 0);
  EQUAL(ring.slots[0].writer, ME);
  EQUAL(fd_recover_slot(&ring, slot_at(0), ME), 1);
  EQUAL(ring.slots[0].writer, 0);
  EQUAL(ring.header.skipped, 1);
  EQUAL(fd_recover_slot(&ring, slot_at(0), ME), 0);
  EQUAL(ring.header.skipped, 1);
  EQUAL(ring.slots[0].sequence, 0);
  /* Death after C10: the frame is there. Death before C8: the old frame is there, or none. Neither is counted. */
  ring.slots[0] = (struct fd_slot){.writer = ME, .claimed = 1, .sequence = 1};
  EQUAL(fd_recover_slot(&ring, slot_at(0), ME), 1);
  EQUAL(ring.slots[0].sequence, 1);
  ring.slots[1] = (struct fd_slot){.writer = ME, .claimed = 1};
  EQUAL(fd_recover_slot(&ring, slot_at(1), ME), 1);
  EQUAL(ring.header.skipped, 1);
}

static void give_back_takes_pins_and_slots_of_one_peer(void) {
  clear();
  const uint32_t masks[3] = {6, 0, 0x80000000u}, none[3] = {0};
  ring.header.head = 9;
  ring.slots[0] = (struct fd_slot){.writer = ME, .claimed = 5, .sequence = ~(uint64_t)4, .pins = {1, 4, 0}};
  ring.slots[1] = (struct fd_slot){.writer = OTHER, .sequence = 6, .pins = {7, 7, 0xf0000000u}};
  ring.slots[2] = (struct fd_slot){.writer = ME, .claimed = 7, .sequence = 7};
  ring.slots[3] = (struct fd_slot){.sequence = 8, .pins = {1, 1, 1}};
  const struct segment before = ring;
  const int32_t slots = AT(ring.slots), stride = sizeof *ring.slots;
  EQUAL(fd_give_back(&ring, slots, stride, 3, 0, SLOTS, none, 77, NULL, 0, 1), 0);
  EQUAL(fd_give_back(&ring, slots, stride, 3, 3, SLOTS, masks, ME, NULL, 0, 1), 0);
  EQUAL(fd_give_back(&ring, slots, stride, 3, 2, 2, masks, ME, NULL, 0, 1), 0);
  EQUAL(memcmp(&before, &ring, sizeof ring), 0);
  EQUAL(fd_give_back(&ring, slots, stride, 3, 0, SLOTS, masks, ME, NULL, 0, 1), 3);
  EQUAL(ring.slots[0].writer, 0);
  EQUAL(ring.slots[0].pins[1], 4);
  EQUAL(ring.slots[1].writer, OTHER);
  EQUAL(ring.slots[1].pins[0], 1);
  EQUAL(ring.slots[1].pins[1], 7);
  EQUAL(ring.slots[1].pins[2], 0x70000000u);
  EQUAL(ring.slots[2].writer, 0);
  EQUAL(ring.slots[2].sequence, 7);
  EQUAL(ring.slots[3].pins[0], 1);
  EQUAL(ring.header.skipped, 1); /* slot 0's number; slot 2's is there */
  EQUAL(fd_give_back(&ring, slots, stride, 3, 0, SLOTS, masks, ME, NULL, 0, 1), 0);
}

static void claim_looks_at_pins_behind_the_line(void) {
  clear();
  ring.slots[1].writer = 8; /* where a fourth pin word of slot 0 would be */
  EQUAL(fd_claim(&ring, slot_at(0), 4, 0, ME), FD_LEASED);
  EQUAL(fd_claim(&ring, slot_at(0), 3, 0, ME), FD_CLAIMED);
}

static void claim_leaves_another_producer_alone(void) {
  clear();
  ring.slots[0].writer = OTHER;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_TAKEN);
  EQUAL(ring.slots[0].writer, OTHER);
}

static void claim_tells_of_light_sleepers_alone(void) {
  clear();
  ring.header.published_sleepers = FD_SLEEPS;
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  ring.header.published_sleepers = FD_SLEEPS_LIGHTLY;
  EQUAL(fd_claim(&ring, slot_at(1), 1, 1, ME), FD_AWAITED);
  EQUAL(ring.slots[1].writer, ME);
  EQUAL(ring.header.head, 2);
  EQUAL(publish(0, 0), FD_SLEEPERS);
  EQUAL(fd_claim(&ring, slot_at(0), 1, 1, ME), FD_MOVED);
}

static void publish_writes_the_words_and_leaves(void) {
  clear();
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  EQUAL(publish(0, 0), 0);
  const struct fd_slot *slot = &ring.slots[0];
  EQUAL(slot->frame_number, -5);
  EQUAL(slot->timestamp_ns, 7);
  EQUAL(slot->metadata_length, 3);
  EQUAL(slot->byte_length, 1000);
  EQUAL(slot->sequence, 1);
  EQUAL(slot->writer, 0);
  ring.header.published_sleepers = 1;
  EQUAL(fd_publish(&ring, slot_at(0), 0, 9007199254740991.0, FD_TIME_KEPT, 0, 1), FD_SLEEPERS);
  EQUAL(slot->timestamp_ns, 7);
  EQUAL(slot->frame_number, 9007199254740991.0);
  EQUAL(fd_publish(&ring, slot_at(0), 0, 1, FD_TIME_NOW, 0, 1), FD_SLEEPERS);
  CHECK((double)slot->timestamp_ns > 1e18);
}

static void pin_holds_only_what_is_asked_for(void) {
  clear();
  EQUAL(fd_claim(&ring, slot_at(0), 1, 0, ME), FD_CLAIMED);
  EQUAL(fd_pin(&ring, slot_at(0), pins_at(0), 2, 0), 0);
  publish(0, 0);
  EQUAL(fd_pin(&ring, slot_at(0), pins_at(0), 2, SLOTS), 0);
  EQUAL(ring.slots[0].pins[0], 0);
  EQUAL(fd_pin(&ring, slot_at(0), pins_at(0), 2, 0), 1);
  EQUAL(fd_pin(&ring, slot_at(0), pins_at(0), 0x80000000u, 0), 1);
  EQUAL(ring.slots[0].pins[0], 0x80000002u);
  ring.slots[0].writer = OTHER;
  EQUAL(fd_pin(&ring, slot_at(0), pins_at(0), 4, 0), 0);
  EQUAL(ring.slots[0].pins[0], 0x80000002u);
}

static void unpin_clears_the_bit_and_moves_the_cursor(void) {
  clear();
  ring.slots[1].pins[0] = 6;
  EQUAL(fd_unpin(&ring, pins_at(1), 2, 0, 99), 0);
  EQUAL(ring.slots[1].pins[0], 4);
  ring.header.consumed_sleepers = 1;
  EQUAL(fd_unpin(&ring, pins_at(1), 4, AT(ring.readers[1].cursor), 4294967296.0), FD_SLEEPERS);
  EQUAL(ring.slots[1].pins[0], 0);
  EQUAL(ring.readers[1].cursor, 4294967296.0);
}

static void smallest_cursor_looks_at_gating_readers_alone(void) {
  clear();
  const int32_t readers = AT(ring.readers);
  EQUAL(fd_smallest_cursor(&ring, readers, READERS, -1), FD_NOT_ATTACHED);
  ring.readers[1] = (struct fd_reader){.gating = FD_GATING_ATTACHED, .cursor = 3};
  EQUAL(fd_smallest_cursor(&ring, readers, READERS, -1), FD_ATTACHED_ONLY);
  EQUAL(fd_smallest_cursor(&ring, readers, READERS, 1), FD_NOT_ATTACHED);
  ring.readers[0] = (struct fd_reader){.gating = 1, .cursor = 7};
  ring.readers[2] = (struct fd_reader){.gating = 1, .cursor = 5};
  EQUAL(fd_smallest_cursor(&ring, readers, READERS, -1), 5);
  EQUAL(fd_smallest_cursor(&ring, readers, READERS, 2), 7);
  EQUAL(fd_smallest_cursor(&ring, readers, 2, 0), FD_ATTACHED_ONLY);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"claim takes the slot and moves head", claim_takes_the_slot_and_moves_head},
      {"claim touches nothing when head is elsewhere", claim_touches_nothing_when_head_is_elsewhere},
      {"claim retreats from a leased slot", claim_retreats_from_a_leased_slot},
      {"leaving a slot tells both lanes", leaving_a_slot_tells_both_lanes},
      {"end keeps head and refuses claims", end_keeps_head_and_refuses_claims},
      {"publish tells that the name is another segment's", publish_tells_that_the_name_is_another_segments},
      {"look finds the number of what is there", look_finds_the_number_of_what_is_there},
      {"recover_slot frees what the dead had", recover_slot_frees_what_the_dead_had},
      {"give_back takes pins and slots of one peer", give_back_takes_pins_and_slots_of_one_peer},
      {"claim looks at pins behind the line", claim_looks_at_pins_behind_the_line},
      {"claim leaves another producer alone", claim_leaves_another_producer_alone},
      {"claim tells of light sleepers alone", claim_tells_of_light_sleepers_alone},
      {"publish writes the words and leaves", publish_writes_the_words_and_leaves},
      {"pin holds only what is asked for", pin_holds_only_what_is_asked_for},
      {"unpin clears the bit and moves the cursor", unpin_clears_the_bit_and_moves_the_cursor},
      {"smallest_cursor looks at gating readers alone", smallest_cursor_looks_at_gating_readers_alone},
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
