/* The sleeper: many words, one sleep. No second process: this file also runs under the thread sanitizer, and in a build
 * that has one place only. A lost wake shows as the watchdog. */
#define _GNU_SOURCE
#include "../thread.h"
#include "sleeper.h"

enum { WORDS = 127, ROUNDS = 3000 };

/* A thread that sleeps again and again, as a runtime's pool does. */
static struct {
  fd_sleeper *sleeper;
  int32_t sleeps, ended, answer;
} pool;

static fd_thread_result FD_THREAD_CALL sleep_once(void *argument) {
  (void)argument;
  const int32_t answer = fd_sleeper_sleep(pool.sleeper);
  set(&pool.answer, answer);
  add(&pool.ended, 1);
  return FD_THREAD_DONE;
}

static void sleep_beside(fd_sleeper *sleeper) {
  pool.sleeper = sleeper;
  set(&pool.ended, 0);
  set(&pool.answer, 99);
  EQUAL(fd_thread_start(sleep_once, NULL), 0);
}

static int32_t slept(void) {
  await(&pool.ended, 1);
  return get(&pool.answer);
}

static void places_are_all_or_one(void) {
  const int32_t places = fd_sleeper_places();
  CHECK(places == WORDS || places == 1);
  EQUAL(fd_sleeper_places(), places);
  begin();
  fd_sleeper *sleeper = make();
  EQUAL(fd_sleeper_watch(sleeper, -1, segment, word(0), 0, 0, 0, 1), -FD_EINVAL);
  EQUAL(fd_sleeper_watch(sleeper, places, segment, word(0), 0, 0, 0, 1), -FD_EINVAL);
  EQUAL(fd_sleeper_watch(sleeper, 0, segment, NULL, 0, 0, 0, 1), -FD_EINVAL);
  EQUAL(fd_sleeper_forget(sleeper, -1), -FD_EINVAL);
  EQUAL(fd_sleeper_forget(sleeper, places), -FD_EINVAL);
  end(sleeper);
}

static void sleep_ends_at_once_without_a_reason_to_sleep(void) {
  begin();
  fd_sleeper *sleeper = make();
  EQUAL(fd_sleeper_sleep(sleeper), 1);
  EQUAL(take(sleeper), 0);
  EQUAL(fd_sleeper_watch(sleeper, 0, segment, word(0), 0, 0, 5, FOREVER), 0);
  EQUAL(fd_sleeper_sleep(sleeper), 0);
  EQUAL(fd_sleeper_sleep(sleeper), 0); /* until it is taken */
  EQUAL(take_one(sleeper), 0);
  EQUAL(take(sleeper), 0);
  EQUAL(fd_sleeper_sleep(sleeper), 1);
  EQUAL(watch(sleeper, 0, FOREVER), 0);
  EQUAL(fd_sleeper_forget(sleeper, 0), 0);
  EQUAL(fd_sleeper_sleep(sleeper), 1);
  end(sleeper);
}

static void sleep_ends_with_the_time(void) {
  begin();
  fd_sleeper *sleeper = make();
  const double times[] = {0, -1, NAN, 0.25, 40};
  for (size_t at = 0; at < sizeof times / sizeof *times; at++) {
    const double before = now_ms();
    EQUAL(watch(sleeper, 0, times[at]), 0);
    EQUAL(fd_sleeper_sleep(sleeper), 0);
    if (times[at] > 0) CHECK(now_ms() - before >= times[at] * 0.9);
    EQUAL(take_one(sleeper), 0);
  }
  end(sleeper);
}

static void sleep_lasts_longer_than_its_slices(void) {
  begin();
  fd_sleeper *sleeper = make();
  const double before = now_ms();
  EQUAL(watch(sleeper, 0, 600), 0);
  EQUAL(fd_sleeper_sleep(sleeper), 0);
  CHECK(now_ms() - before >= 590);
  end(sleeper);
}

static void each_time_is_kept(void) {
  const int32_t places = fd_sleeper_places();
  begin();
  fd_sleeper *sleeper = make();
  for (int32_t place = 0; place < places; place++) EQUAL(watch(sleeper, place, 5 + (place * 37 % places)), 0);
  for (int32_t left = places; left > 0;) {
    EQUAL(fd_sleeper_sleep(sleeper), 0);
    const int32_t count = take(sleeper);
    CHECK(count > 0);
    left -= count;
  }
  EQUAL(fd_sleeper_sleep(sleeper), 1);
  end(sleeper);
}

static void each_word_wakes(void) {
  const int32_t places = fd_sleeper_places();
  begin();
  fd_sleeper *sleeper = make();
  for (int32_t place = 0; place < places; place++) EQUAL(watch(sleeper, place, FOREVER), 0);
  for (int32_t place = 0; place < places; place++) {
    sleep_beside(sleeper);
    if (place % 8 == 0) pause_ms(5);
    wake(place);
    EQUAL(slept(), 0);
    EQUAL(take_one(sleeper), place);
    EQUAL(watch(sleeper, place, FOREVER), 0);
  }
  for (int32_t place = 0; place < places; place++) wake(place);
  EQUAL(fd_sleeper_sleep(sleeper), 0);
  EQUAL(take(sleeper), places);
  end(sleeper);
}

static void a_second_sleep_is_refused(void) {
  begin();
  fd_sleeper *sleeper = make();
  EQUAL(watch(sleeper, 0, FOREVER), 0);
  sleep_beside(sleeper);
  pause_ms(50);
  EQUAL(fd_sleeper_sleep(sleeper), -FD_EBUSY);
  EQUAL(fd_sleeper_start(sleeper), -FD_EBUSY);
  wake(0);
  EQUAL(slept(), 0);
  end(sleeper);
}

static void watch_goes_on_with_a_sleep(void) {
  const int32_t places = fd_sleeper_places();
  begin();
  fd_sleeper *sleeper = make();
  EQUAL(watch(sleeper, 0, FOREVER), 0);
  sleep_beside(sleeper);
  pause_ms(20);
  const int32_t place = places - 1;
  EQUAL(fd_sleeper_watch(sleeper, place, segment, word(5), 1, 5, 0, FOREVER), 0);
  pause_ms(20);
  EQUAL(get(&pool.ended), 0);
  add(word(5), 1);
  fd_wake(segment, word(5), 1);
  EQUAL(slept(), 0);
  EQUAL(take_one(sleeper), place);
  end(sleeper);
}

static void watch_takes_the_place_of_what_was_watched(void) {
  begin();
  fd_sleeper *sleeper = make();
  EQUAL(watch(sleeper, 0, 1), 0);
  EQUAL(fd_sleeper_sleep(sleeper), 0);
  EQUAL(fd_sleeper_watch(sleeper, 0, segment, word(1), 1, 1, 0, FOREVER), 0);
  EQUAL(take(sleeper), 0);
  sleep_beside(sleeper);
  pause_ms(10);
  wake(0);
  pause_ms(20);
  EQUAL(get(&pool.ended), 0);
  wake(1);
  EQUAL(slept(), 0);
  EQUAL(take_one(sleeper), 0);
  end(sleeper);
}

/* Forgets while a sleep may be in it, as before an unmap. */
static void forget_and_wait(fd_sleeper *sleeper, int32_t place) {
  uint32_t out[MASKS];
  const int32_t answer = fd_sleeper_forget(sleeper, place);
  if (answer == 0) return;
  EQUAL(answer, 1);
  EQUAL(fd_sleeper_places(), 1);
  while (fd_sleeper_take(sleeper, out) == 0) {
    const int32_t again = watch(sleeper, place, FOREVER);
    if (again == -FD_EBUSY) {
      pause_ms(0);
      continue;
    }
    /* The sleep ended between the two calls, and watch removed the report. */
    EQUAL(again, 0);
    if (fd_sleeper_forget(sleeper, place) == 0) return;
  }
}

static void forget_ends_a_sleep_with_nothing_left(void) {
  begin();
  fd_sleeper *sleeper = make();
  EQUAL(watch(sleeper, 0, FOREVER), 0);
  sleep_beside(sleeper);
  pause_ms(300); /* asleep by now, also on a busy machine */
  const int32_t left = fd_sleeper_forget(sleeper, 0);
#if defined(_WIN32)
  EQUAL(left, 0);
#else
  EQUAL(left, fd_sleeper_places() == 1);
#endif
  EQUAL(slept(), !left);
  EQUAL(take(sleeper), left);
  EQUAL(fd_sleeper_sleep(sleeper), 1);
  end(sleeper);
}

static int32_t stopping;

static fd_thread_result FD_THREAD_CALL sleeps_on(void *argument) {
  while (!get(&stopping)) {
    const int32_t answer = fd_sleeper_sleep(argument);
    CHECK(answer == 0 || answer == 1);
    add(&pool.sleeps, 1);
    if (answer == 1) pause_ms(0);
  }
  add(&pool.ended, 1);
  return FD_THREAD_DONE;
}

/* What is forgotten is unmapped at once. A sleeper that touches it then is a segmentation fault. */
static void forget_lets_the_word_be_unmapped(void) {
  const int32_t places = fd_sleeper_places();
  begin();
  fd_sleeper *sleeper = make();
  set(&stopping, 0);
  set(&pool.ended, 0);
  EQUAL(fd_thread_start(sleeps_on, sleeper), 0);
  fd_segment *other = create_segment(new_name());
  for (int round = 0; round < ROUNDS; round++) {
    int32_t *words = map_segment(other);
    const int32_t place = round % places;
    EQUAL(fd_sleeper_watch(sleeper, place, other, words, 0, 3, get(words), round % 7 == 0 ? 0.01 : FOREVER), 0);
    if (round % 3 == 0) {
      add(words, 1);
      fd_wake(other, words, 0);
    }
    if (round % 64 == 0) pause_ms(1);
    if (places > 1) EQUAL(fd_sleeper_forget(sleeper, place), 0);
    else forget_and_wait(sleeper, place);
    EQUAL(fd_segment_unmap(other), 0);
  }
  set(&stopping, 1);
  EQUAL(watch(sleeper, 0, 0), 0);
  await(&pool.ended, 1);
  close_segment(other, NULL);
  end(sleeper);
}

static void stop_ends_a_sleep(void) {
  begin();
  for (int round = 0; round < 200; round++) {
    fd_sleeper *sleeper = make();
    EQUAL(watch(sleeper, 0, FOREVER), 0);
    sleep_beside(sleeper);
    if (round % 4 == 0) pause_ms(1);
    EQUAL(fd_sleeper_stop(sleeper), 0);
    EQUAL(slept(), 1);
    EQUAL(fd_sleeper_stop(sleeper), -FD_EINVAL);
    EQUAL(fd_sleeper_sleep(sleeper), 1);
    EQUAL(fd_sleeper_forget(sleeper, 0), 0);
    EQUAL(watch(sleeper, 0, 1), -FD_EINVAL);
    EQUAL(fd_sleeper_start(sleeper), -FD_EINVAL);
    EQUAL(take(sleeper), -FD_EINVAL);
  }
  end(NULL);
}

enum { WAKERS = 3, TURNS = 4000 };
static int32_t waking;

static fd_thread_result FD_THREAD_CALL wakes_on(void *argument) {
  const int32_t first = (int32_t)(uintptr_t)argument;
  uint32_t random = 12345u + (uint32_t)first;
  while (get(&waking) != 0) {
    random = random * 1664525u + 1013904223u;
    wake((int32_t)((random >> 8) % (uint32_t)fd_sleeper_places()));
    if (random >> 28 == 0) pause_ms(0);
  }
  add(&pool.ended, 1);
  return FD_THREAD_DONE;
}

/* Everything at once: wakes, new words, forgetting, taking. Each change of a word is noticed. */
static void nothing_is_lost_in_full_swing(void) {
  const int32_t places = fd_sleeper_places();
  begin();
  fd_sleeper *sleeper = make();
  set(&stopping, 0);
  set(&pool.ended, 0);
  set(&waking, 1);
  EQUAL(fd_thread_start(sleeps_on, sleeper), 0);
  for (uintptr_t at = 0; at < WAKERS; at++) EQUAL(fd_thread_start(wakes_on, (void *)at), 0);
  uint32_t out[MASKS];
  for (int turn = 0; turn < TURNS; turn++) {
    const int32_t place = turn * 31 % places;
    if (turn % 7 == 0 && places > 1) EQUAL(fd_sleeper_forget(sleeper, (place + 1) % places), 0);
    EQUAL(watch(sleeper, place, turn % 11 == 0 ? 0.05 : FOREVER), 0);
    if (turn % 5 == 0) fd_sleeper_take(sleeper, out);
  }
  /* The last watch is woken too: the wakers go on until then. */
  fd_sleeper_take(sleeper, out);
  for (int32_t place = 0; place < places; place++) {
    EQUAL(watch(sleeper, place, FOREVER), 0);
    for (;;) {
      CHECK(fd_sleeper_take(sleeper, out) >= 0);
      if (out[place / 32] >> place % 32 & 1) break;
      pause_ms(0);
    }
  }
  set(&waking, 0);
  set(&stopping, 1);
  EQUAL(watch(sleeper, 0, 0), 0);
  await(&pool.ended, WAKERS + 1);
  end(sleeper);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_sleeper_places are all or one", places_are_all_or_one},
      {"fd_sleeper_sleep ends at once without a reason to sleep", sleep_ends_at_once_without_a_reason_to_sleep},
      {"fd_sleeper_sleep ends with the time", sleep_ends_with_the_time},
      {"fd_sleeper_sleep lasts as long as it is told", sleep_lasts_longer_than_its_slices},
      {"fd_sleeper_sleep keeps the time of each word", each_time_is_kept},
      {"fd_sleeper_sleep ends for each word", each_word_wakes},
      {"fd_sleeper_sleep is refused a second time", a_second_sleep_is_refused},
      {"fd_sleeper_watch goes on with a sleep", watch_goes_on_with_a_sleep},
      {"fd_sleeper_watch takes the place of what was watched", watch_takes_the_place_of_what_was_watched},
      {"fd_sleeper_forget ends a sleep with nothing left", forget_ends_a_sleep_with_nothing_left},
      {"fd_sleeper_forget lets the word be unmapped", forget_lets_the_word_be_unmapped},
      {"fd_sleeper_stop ends a sleep", stop_ends_a_sleep},
      {"sleepers lose nothing in full swing", nothing_is_lost_in_full_swing},
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
