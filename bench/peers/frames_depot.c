/* Ours without a runtime: the shim's own functions, the steps and the waiting of docs/internals/protocol.md, one
 * producer and one reader. What frames_depot.ts takes longer is what its runtime costs.
 *
 *     frames_depot send|receive TASK */
#define _GNU_SOURCE
#include "../../shim/internal.h"
#include "../../shim/layout.h"

#include "payload.h"

enum { READER_AT = 8192, SLOTS_AT = 16384, PAYLOAD_AT = 65536, ME = 0x1001 };
enum { PINS = offsetof(struct fd_slot, pins), CURSOR_AT = READER_AT + offsetof(struct fd_reader, cursor) };

struct depot {
  fd_segment *segment;
  char *base;
  struct fd_header *header;
  size_t depth, stride;
};

static struct depot attach(const struct task *task, int32_t create) {
  struct depot depot = {.depth = task->depth, .stride = (task->frame_bytes + 4095) / 4096 * 4096};
  const double bytes = (double)(PAYLOAD_AT + depot.depth * depot.stride);
  void *base;
  if (create) {
    if (fd_segment_create(task->channel, bytes, 0600, &depot.segment) < 0) fail("no segment");
    if (fd_segment_name(depot.segment) < 0) fail("no name");
  } else if (fd_segment_open(task->channel, &depot.segment) < 0) fail("no depot");
  if (fd_segment_map(depot.segment, bytes, &base) < 0) fail("no memory");
  fd_populate(base, 0, bytes);
  depot.base = base;
  depot.header = base;
  if (create) ((struct fd_reader *)(depot.base + READER_AT))->gating = 1;
  return depot;
}

static int32_t slot_of(const struct depot *depot, uint64_t sequence) {
  return SLOTS_AT + (int32_t)(sequence % depot->depth) * (int32_t)sizeof(struct fd_slot);
}

static uint8_t *payload_of(const struct depot *depot, uint64_t sequence) {
  return (uint8_t *)depot->base + PAYLOAD_AT + sequence % depot->depth * depot->stride;
}

static void wake(struct depot *depot, uint32_t *word, int32_t lane) {
  __atomic_store_n(word + 1, 0, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
  fd_wake(depot->segment, (int32_t *)word, lane);
}

/* S1, S2, one more look, sleep. */
static void await(struct depot *depot, uint64_t sequence, int32_t (*there)(const struct depot *, uint64_t),
                  uint32_t *word, int32_t lane) {
  while (!there(depot, sequence)) {
    const uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    __atomic_store_n(word + 1, 1, __ATOMIC_SEQ_CST);
    if (there(depot, sequence)) return;
    fd_wait(depot->segment, (int32_t *)word, lane, 0, (int32_t)seen, 250);
  }
}

static int32_t has_room(const struct depot *depot, uint64_t sequence) {
  return (double)sequence - (double)depot->depth < fd_load(depot->base, CURSOR_AT);
}

static int32_t pinned(const struct depot *depot, uint64_t sequence) {
  const int32_t slot = slot_of(depot, sequence);
  return fd_pin(depot->base, slot, slot + PINS, 1, (double)sequence) == 1;
}

static void send_frames(struct depot depot, const struct task *task) {
  struct source frames = {.task = task};
  for (uint64_t sequence = 0; next_frame(&frames, (uint32_t)sequence); sequence++) {
    await(&depot, sequence, has_room, &depot.header->consumed, FD_LANE_CONSUMED);
    const int32_t slot = slot_of(&depot, sequence);
    if (fd_claim(depot.base, slot, 1, (double)sequence, ME) != FD_CLAIMED) fail("no slot");
    write_frame(payload_of(&depot, sequence), &frames, (uint32_t)sequence);
    if (fd_publish(depot.base, slot, (double)sequence, (double)sequence, FD_TIME_NOW, 0, (double)task->frame_bytes)) {
      wake(&depot, &depot.header->published, FD_LANE_PUBLISHED);
    }
  }
}

static void receive_frames(struct depot depot, const struct task *task) {
  struct tally tally = tally_of(task);
  printf("{\"ready\":true}\n");
  fflush(stdout);
  int32_t last = 0;
  for (uint64_t sequence = 0; !last; sequence++) {
    await(&depot, sequence, pinned, &depot.header->published, FD_LANE_PUBLISHED);
    last = read_frame(payload_of(&depot, sequence), task->frame_bytes, task, &tally);
    if (fd_unpin(depot.base, slot_of(&depot, sequence) + PINS, 1, CURSOR_AT, (double)sequence + 1)) {
      wake(&depot, &depot.header->consumed, FD_LANE_CONSUMED);
    }
  }
  say_outcome(task, &tally);
}

int main(int count, char **parameters) {
  if (count != 3) fail("frames_depot send|receive TASK");
  const struct task task = parse(parameters[2]);
  if (strcmp(parameters[1], "send") == 0) send_frames(attach(&task, 0), &task);
  else receive_frames(attach(&task, 1), &task);
  return 0;
}
