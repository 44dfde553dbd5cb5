/* The program:
 *
 *   c_peer produce NAME COUNT [producer=I producers=N giveback=K keep=K metadata=1]
 *   c_peer follow  NAME COUNT lossless|lossy [producers=N gone=1]
 *   c_peer threads NAME COUNT [producers=N lossless=N lossy=N giveback=K keep=K careless=1]
 *   c_peer member  NAME COUNT GROUP [holds=1]
 *   c_peer hold    NAME claim|keep|pin|publish
 *   c_peer end     NAME 0
 *
 * Answers in lines of JSON. produce and follow stay in the depot after their report, so that others can look at their
 * counters, and leave when their standard input ends; hold publishes then, or never leaves. */
#define _GNU_SOURCE
#include "group.h"
#include "threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing here may hang. */
enum { WATCHDOG_S = 120 };
/* What a member does with a frame: long enough for others to get some, too. */
enum { WORK_US = 500 };

static uint64_t option(int count, char **arguments, const char *key, uint64_t otherwise) {
  const size_t length = strlen(key);
  for (int at = 0; at < count; at++) {
    if (strncmp(arguments[at], key, length) == 0 && arguments[at][length] == '=') {
      return strtoull(arguments[at] + length + 1, NULL, 10);
    }
  }
  return otherwise;
}

static void say(const char *line) {
  puts(line);
  fflush(stdout);
}

static void stay(void) {
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
}

static void run_produce(struct depot *depot, uint64_t count, int options, char **arguments) {
  struct production work = {
      .producer = (uint32_t)option(options, arguments, "producer", 0),
      .producers = (uint32_t)option(options, arguments, "producers", 1),
      .count = count,
      .give_back_every = option(options, arguments, "giveback", 0),
      .keep_every = option(options, arguments, "keep", 0),
      .metadata = option(options, arguments, "metadata", 0) != 0,
  };
  struct peer peer;
  peer_join(&peer, depot);
  produce(&peer, &work);
  print_production(&work);
  puts("");
  stay();
  peer_leave(&peer);
}

static void run_follow(struct depot *depot, uint64_t count, const char *mode, int options, char **arguments) {
  const bool lossless = strcmp(mode, "lossless") == 0;
  if (!lossless && strcmp(mode, "lossy") != 0) die("the mode is lossless or lossy, not %s", mode);
  struct following work = {
      .mode = lossless ? FD_READER_MODE_LOSSLESS : FD_READER_MODE_LOSSY,
      .producers = (uint32_t)option(options, arguments, "producers", 1),
      .count = count,
  };
  if (work.producers < 1 || work.producers > MAX_PRODUCERS) die("too many producers");
  struct peer peer;
  struct reader reader;
  peer_join(&peer, depot);
  reader_join(&reader, &peer, work.mode);
  reader.needs_producers = option(options, arguments, "gone", 0) != 0;
  say("{\"ready\":true}");
  follow(&reader, &work);
  print_following(&work);
  puts("");
  stay();
  reader_leave(&reader);
  peer_leave(&peer);
}

/* Says which frames it gets, and which were another's; with `holds` it keeps the last of them. */
static void run_member(struct depot *depot, uint64_t count, const char *group, bool holds) {
  struct peer peer;
  struct member member;
  peer_join(&peer, depot);
  member_join(&member, &peer, group);
  say("{\"ready\":true}");
  uint64_t read = 0;
  while (read < count && member_next(&member)) {
    const int64_t number = slot_of(depot, member.sequence)->frame_number;
    printf("{\"frame\":%lld,\"redelivered\":%s}\n", (long long)number, member.redelivered ? "true" : "false");
    fflush(stdout);
    read++;
    usleep(WORK_US);
    if (!holds || read < count) member_complete(&member);
  }
  if (holds) for (;;) pause();
  printf("{\"read\":%llu,\"ended\":\"%s\"}\n", (unsigned long long)read, member.reader.end == NULL ? "" : member.reader.end);
  stay();
  member_leave(&member);
  peer_leave(&peer);
}

static void run_hold(struct depot *depot, const char *what) {
  struct peer peer;
  struct reader reader;
  peer_join(&peer, depot);
  if (strcmp(what, "pin") != 0) {
    const int64_t sequence = claim_by_policy(&peer);
    if (sequence < 0) die("nothing to claim");
    if (strcmp(what, "keep") == 0) keep_back(&peer, (uint64_t)sequence);
    if (strcmp(what, "publish") == 0) {
      say("{\"holding\":true}");
      stay();
      say(publish(&peer, (uint64_t)sequence, 0, 0, depot->frame_bytes) ? "{\"stored\":true}" : "{\"stored\":false}");
      peer_leave(&peer);
      return;
    }
    memset(payload_of(depot, (uint64_t)sequence), 255, depot->frame_bytes);
  } else {
    reader_join(&reader, &peer, FD_READER_MODE_LOSSLESS);
    reader_next(&reader);
  }
  say("{\"holding\":true}");
  for (;;) pause();
}

int main(int count, char **arguments) {
  if (count < 4) die("use: c_peer produce|follow|threads|hold|end NAME ...");
  alarm(WATCHDOG_S);
  const char *command = arguments[1], *fourth = arguments[3];
  struct depot depot;
  depot_open(&depot, arguments[2]);
  const uint64_t frames = strtoull(fourth, NULL, 10);
  if (strcmp(command, "produce") == 0) {
    run_produce(&depot, frames, count - 4, arguments + 4);
  } else if (strcmp(command, "follow") == 0 && count > 4) {
    run_follow(&depot, frames, arguments[4], count - 5, arguments + 5);
  } else if (strcmp(command, "member") == 0 && count > 4) {
    run_member(&depot, frames, arguments[4], option(count - 5, arguments + 5, "holds", 0) != 0);
  } else if (strcmp(command, "threads") == 0) {
    const struct crew crew = {
        .producers = (uint32_t)option(count - 4, arguments + 4, "producers", 2),
        .lossless = (uint32_t)option(count - 4, arguments + 4, "lossless", 0),
        .lossy = (uint32_t)option(count - 4, arguments + 4, "lossy", 0),
        .count = frames,
        .give_back_every = option(count - 4, arguments + 4, "giveback", 0),
        .keep_every = option(count - 4, arguments + 4, "keep", 0),
        .careless = option(count - 4, arguments + 4, "careless", 0) != 0,
    };
    run_threads(&depot, &crew);
  } else if (strcmp(command, "end") == 0) {
    struct peer peer;
    peer_join(&peer, &depot);
    end_depot(&peer);
    peer_leave(&peer);
    say("{\"ended\":true}");
  } else if (strcmp(command, "hold") == 0) {
    run_hold(&depot, fourth);
  } else {
    die("no such command: %s", command);
  }
  depot_close(&depot);
  return 0;
}
