/* A sleeper that was started has a thread of its own, which tells an event loop through a socket or a named pipe. */
#define _GNU_SOURCE
#include "sleeper.h"

#if !defined(_WIN32)
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

/* A byte of the socket, as an event loop sees it: 1 there is one, 0 none within the time. */
static int has_byte(int32_t end, int ms) {
  struct pollfd polled = {.fd = end, .events = POLLIN};
  return poll(&polled, 1, ms) == 1;
}

static void read_byte(int32_t end) {
  char byte;
  EQUAL(read(end, &byte, 1), 1);
}

static void end_socket(fd_sleeper *sleeper, int32_t socket) {
  char byte;
  EQUAL(fd_sleeper_stop(sleeper), 0);
  EQUAL(read(socket, &byte, 1), 0);
  EQUAL(close(socket), 0);
  end(NULL);
}

static void start_tells_through_a_socket(void) {
  const int32_t places = fd_sleeper_places();
  begin();
  fd_sleeper *sleeper = make();
  EQUAL(fd_sleeper_pipe(sleeper, NULL, 0), 0);
  const int32_t socket = fd_sleeper_start(sleeper);
  CHECK(socket >= 0);
  EQUAL(fcntl(socket, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EQUAL(fd_sleeper_start(sleeper), -FD_EBUSY);
  EQUAL(fd_sleeper_sleep(sleeper), -FD_EBUSY);
  EQUAL(fd_sleeper_pipe(sleeper, NULL, 0), 0);
  EQUAL(has_byte(socket, 10), 0);
  for (int round = 0; round < 1000; round++) {
    const int32_t place = round % places;
    EQUAL(watch(sleeper, place, round % 5 == 0 ? 0.1 : FOREVER), 0);
    if (round % 16 == 1 && round % 5 != 0) EQUAL(has_byte(socket, 1), 0);
    if (round % 5 != 0) wake(place);
    read_byte(socket);
    EQUAL(has_byte(socket, 0), 0);
    EQUAL(take_one(sleeper), place);
  }
  EQUAL(has_byte(socket, 10), 0);
  end_socket(sleeper, socket);
}

static void start_writes_one_byte_for_all_that_is_untaken(void) {
  const int32_t places = fd_sleeper_places();
  if (places == 1) return;
  begin();
  fd_sleeper *sleeper = make();
  const int32_t socket = fd_sleeper_start(sleeper);
  for (int32_t place = 0; place < places; place++) EQUAL(watch(sleeper, place, FOREVER), 0);
  for (int32_t place = 0; place < places; place++) wake(place);
  read_byte(socket);
  pause_ms(20);
  EQUAL(has_byte(socket, 0), 0);
  EQUAL(take(sleeper), places);
  EQUAL(watch(sleeper, 3, FOREVER), 0);
  wake(3);
  read_byte(socket);
  EQUAL(take_one(sleeper), 3);
  end_socket(sleeper, socket);
}

static void start_can_be_tried_again(void) {
  begin();
  fd_sleeper *sleeper = make();
  struct rlimit limit, none;
  EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
  none = limit;
  none.rlim_cur = 3;
  EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
  const int32_t refused = fd_sleeper_start(sleeper);
  EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EQUAL(refused, -FD_EMFILE);
  const int32_t socket = fd_sleeper_start(sleeper);
  CHECK(socket >= 0);
  EQUAL(watch(sleeper, 0, 1), 0);
  read_byte(socket);
  EQUAL(take_one(sleeper), 0);
  end_socket(sleeper, socket);
}

static void stop_ends_the_socket_and_the_thread(void) {
  begin();
  int32_t first = -1;
  char bytes[2];
  for (int round = 0; round < 300; round++) {
    fd_sleeper *sleeper = make();
    const int32_t socket = fd_sleeper_start(sleeper);
    if (first < 0) first = socket;
    EQUAL(socket, first);
    if (round % 2) EQUAL(watch(sleeper, 0, round % 3 == 0 ? 0 : FOREVER), 0);
    if (round % 8 == 0) pause_ms(1);
    EQUAL(fd_sleeper_stop(sleeper), 0);
    const ssize_t told = read(socket, bytes, 2); /* a byte may have come before the end */
    CHECK(told == 0 || (told == 1 && read(socket, bytes, 2) == 0));
    EQUAL(close(socket), 0);
  }
  pause_ms(50); /* so that the leak sanitizer finds the threads gone */
  end(NULL);
}
#endif

#if defined(_WIN32)
static void read_byte(HANDLE pipe) {
  char byte;
  DWORD count = 0;
  CHECK(ReadFile(pipe, &byte, 1, &count, NULL) && count == 1);
}

/* The reader may connect long after there is something to take. */
static void start_tells_through_a_named_pipe(void) {
  begin();
  fd_sleeper *sleeper = make();
  char path[256] = {0};
  EQUAL(fd_sleeper_pipe(sleeper, path, sizeof path), 0);
  EQUAL(fd_sleeper_start(sleeper), 0);
  EQUAL(fd_sleeper_start(sleeper), -FD_EBUSY);
  EQUAL(fd_sleeper_pipe(sleeper, path, 5), fd_sleeper_pipe(sleeper, NULL, 0));
  EQUAL(path[0], 0);
  CHECK(fd_sleeper_pipe(sleeper, path, sizeof path) > 9);
  CHECK(memcmp(path, "\\\\.\\pipe\\", 9) == 0);
  EQUAL(watch(sleeper, 0, 0), 0);
  pause_ms(50);
  const HANDLE pipe = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
  CHECK(pipe != INVALID_HANDLE_VALUE);
  read_byte(pipe);
  EQUAL(take_one(sleeper), 0);
  for (int round = 0; round < 300; round++) {
    EQUAL(watch(sleeper, 0, round % 5 == 0 ? 1 : FOREVER), 0);
    if (round % 16 == 0) pause_ms(1);
    if (round % 5 != 0) wake(0);
    read_byte(pipe);
    EQUAL(take_one(sleeper), 0);
  }
  EQUAL(fd_sleeper_stop(sleeper), 0);
  char byte;
  DWORD count = 0;
  CHECK(!ReadFile(pipe, &byte, 1, &count, NULL) || count == 0);
  CloseHandle(pipe);
  end(NULL);
}
#endif

int main(int argc, char **argv) {
  static const struct test tests[] = {
#if !defined(_WIN32)
      {"fd_sleeper_start tells through a socket", start_tells_through_a_socket},
      {"fd_sleeper_start writes one byte for all that is untaken", start_writes_one_byte_for_all_that_is_untaken},
      {"fd_sleeper_start can be tried again", start_can_be_tried_again},
      {"fd_sleeper_stop ends the socket and the thread", stop_ends_the_socket_and_the_thread},
#endif
#if defined(_WIN32)
      {"fd_sleeper_start tells through a named pipe", start_tells_through_a_named_pipe},
#endif
      {0},
  };
  static const struct role roles[] = {{0}};
  return run_tests(argc, argv, tests, roles);
}
