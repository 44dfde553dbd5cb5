/* Frames whose content says which they are: the stamp of tests/support/stamp.ts. */
#define _GNU_SOURCE
#include "work.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Producers that never wait pause after every PAUSE_EVERY frames: else readers would starve on few processors. */
enum { PAUSE_EVERY = 256, PAUSE_NS = 200000 };

static uint32_t stamp_of(uint32_t producer, int64_t frame_number) {
  return (uint32_t)(frame_number + 1) * 0x9e3779b1u ^ (producer + 1) * 0x85ebca6bu;
}

/* In whole words, from none to all. */
static uint64_t length_of(const struct depot *depot, int64_t frame_number) {
  const uint64_t most = depot->frame_bytes / 4;
  return depot->variable_length ? (uint64_t)frame_number % (most + 1) * 4 : depot->frame_bytes;
}

static void stamp(const struct depot *depot, uint8_t *frame, uint32_t producer, int64_t frame_number) {
  uint32_t *words = (uint32_t *)(void *)frame;
  const uint32_t value = stamp_of(producer, frame_number);
  for (uint64_t at = 0; at < length_of(depot, frame_number) / 4; at++) words[at] = value;
}

static bool is_torn(const struct depot *depot, const uint8_t *frame, uint32_t producer, int64_t frame_number) {
  const uint32_t *words = (const uint32_t *)(const void *)frame;
  const uint32_t value = stamp_of(producer, frame_number);
  for (uint64_t at = 0; at < length_of(depot, frame_number) / 4; at++) {
    if (words[at] != value) return true;
  }
  return false;
}

static uint8_t *metadata_of(const struct depot *depot, uint8_t *frame) {
  return frame + round_up(depot->frame_bytes, 8);
}

static int64_t claim_or_die(struct peer *peer) {
  const int64_t sequence = claim_by_policy(peer);
  if (sequence == EXHAUSTED) die("the last sequence has been used");
  return sequence;
}

static const char *end_of(int64_t sequence) { return sequence == REPLACED ? "replaced" : "ended"; }

/* The memory of a kept slot is still written to, at the beginning and until the end. */
static void keep_or_let_go(struct peer *peer, struct production *work) {
  const struct depot *depot = peer->depot;
  if (work->keeps) {
    memset(payload_of(depot, work->kept), 254, depot->frame_bytes);
    let_go(peer, work->kept);
    work->keeps = false;
    return;
  }
  const int64_t kept = claim(peer);
  if (kept < 0) return;
  keep_back(peer, (uint64_t)kept);
  work->keeps = true;
  work->kept = (uint64_t)kept;
  work->given_back++;
  memset(payload_of(depot, work->kept), 255, depot->frame_bytes);
}

void produce(struct peer *peer, struct production *work) {
  const struct depot *depot = peer->depot;
  for (uint64_t index = 0; index < work->count && work->end == NULL; index++) {
    const int64_t frame_number = (int64_t)(index * work->producers + work->producer);
    if (work->give_back_every != 0 && index % work->give_back_every == 0) {
      const int64_t given = claim(peer);
      if (given >= 0) {
        memset(payload_of(depot, (uint64_t)given), 255, depot->frame_bytes);
        give_back(peer, (uint64_t)given);
        work->given_back++;
      }
    }
    if (work->keep_every != 0 && index % work->keep_every == 0) keep_or_let_go(peer, work);
    const int64_t claimed = claim_or_die(peer);
    const uint64_t sequence = (uint64_t)claimed;
    if (claimed <= ENDED) {
      work->end = end_of(claimed);
    } else if (claimed == FULL) {
      count_dropped(peer);
      work->dropped++;
    } else {
      uint8_t *frame = payload_of(depot, sequence);
      stamp(depot, frame, work->producer, frame_number);
      uint32_t metadata = 0;
      if (work->metadata && depot->metadata_bytes >= sizeof frame_number) {
        metadata = sizeof frame_number;
        memcpy(metadata_of(depot, frame), &frame_number, metadata);
      }
      if (publish(peer, sequence, frame_number, metadata, length_of(depot, frame_number))) work->stored++;
      else work->end = "replaced";
    }
    if (depot->when_full != FD_WHEN_FULL_WAIT && index % PAUSE_EVERY == 0) {
      nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
  }
}

void produce_end(struct peer *peer) {
  for (;;) {
    const int64_t sequence = claim_or_die(peer);
    if (sequence <= ENDED) return;
    if (sequence != FULL) {
      memset(payload_of(peer->depot, (uint64_t)sequence), 0, peer->depot->frame_bytes);
      publish(peer, (uint64_t)sequence, END_NUMBER, 0, peer->depot->frame_bytes);
      return;
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
  }
}

static void look_at(const struct reader *reader, struct following *work) {
  const struct depot *depot = reader->peer->depot;
  const struct fd_slot *slot = slot_of(depot, reader->cursor);
  uint8_t *frame = payload_of(depot, reader->cursor);
  const int64_t frame_number = slot->frame_number;
  if (frame_number < 0 || slot->byte_length != length_of(depot, frame_number)) {
    work->torn++;
    return;
  }
  const uint32_t producer = (uint32_t)((uint64_t)frame_number % work->producers);
  if (is_torn(depot, frame, producer, frame_number)) work->torn++;
  if (slot->metadata_length != 0) {
    int64_t beside = -1;
    if (slot->metadata_length == sizeof beside) memcpy(&beside, metadata_of(depot, frame), sizeof beside);
    if (beside == frame_number) work->metadata++;
    else work->torn++;
  }
  if (work->by[producer]++ > 0 && frame_number <= work->previous[producer]) work->disorder++;
  work->previous[producer] = frame_number;
}

void follow(struct reader *reader, struct following *work) {
  for (bool ended = false; !ended && (work->count == 0 || work->read + work->lost < work->count);) {
    if (!reader_next(reader)) break;
    work->lost = reader->lost;
    ended = slot_of(reader->peer->depot, reader->cursor)->frame_number == END_NUMBER;
    if (!ended) {
      work->read++;
      look_at(reader, work);
    }
    reader_release(reader);
  }
  work->end = reader->end;
}

static void print_end(const char *end) {
  if (end != NULL) printf(",\"ended\":\"%s\"", end);
  printf("}");
}

void print_production(const struct production *work) {
  printf("{\"stored\":%llu,\"dropped\":%llu,\"givenBack\":%llu", (unsigned long long)work->stored,
         (unsigned long long)work->dropped, (unsigned long long)work->given_back);
  print_end(work->end);
}

void print_following(const struct following *work) {
  printf("{\"read\":%llu,\"lost\":%llu,\"torn\":%llu,\"disorder\":%llu,\"metadata\":%llu,\"by\":[",
         (unsigned long long)work->read, (unsigned long long)work->lost, (unsigned long long)work->torn,
         (unsigned long long)work->disorder, (unsigned long long)work->metadata);
  for (uint32_t producer = 0; producer < work->producers; producer++) {
    printf("%s%llu", producer == 0 ? "" : ",", (unsigned long long)work->by[producer]);
  }
  printf("]");
  print_end(work->end);
}
