/* What may lie in the registry's directory. */
#include "harness.h"

#include "../macos_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *path_of(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, FD_DIRECTORY FD_PREFIX "%s", name);
  return path;
}

static int32_t try_open(const char *name) {
  fd_segment *segment = NULL;
  const int32_t answer = fd_segment_open(name, &segment);
  if (answer == 0) close_segment(segment, NULL);
  return answer;
}

static void write_file(const char *name, const char *text) {
  const int file = open(path_of(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(file >= 0);
  EQUAL(write(file, text, strlen(text)), strlen(text));
  close(file);
}

static int count_temporary(void) {
  DIR *directory = opendir(FD_DIRECTORY);
  CHECK(directory != NULL);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    count += strncmp(entry->d_name, FD_TEMPORARY, sizeof FD_TEMPORARY - 1) == 0;
  }
  closedir(directory);
  return count;
}

static void name_without_memory_is_free(void) {
  const char *name = new_name();
  fd_segment *segment = create_segment(name);
  EQUAL(shm_unlink(segment->object), 0); /* as a restart does */
  close_segment(segment, NULL);
  CHECK(is_listed(name));
  EQUAL(try_open(name), -FD_ENOENT);
  CHECK(!is_listed(name));
  close_segment(create_segment(name), NULL);
  EQUAL(try_open(name), 0);
}

static int has_object(const fd_segment *segment) {
  const int memory = shm_open(segment->object, O_RDWR, 0);
  if (memory >= 0) close(memory);
  return memory >= 0;
}

static void replaced_segments_leave_no_object(void) {
  const char *name = new_name();
  fd_segment *old = create_segment(name), *next = NULL, *last = NULL;
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &next), 0);
  EQUAL(fd_segment_replace(next, old), 0);
  CHECK(!has_object(old) && has_object(next));
  EQUAL(fd_segment_create(name, SEGMENT_BYTES, 0600, &last), 0);
  EQUAL(rename(last->temporary, last->path), 0); /* and its process dies: what was replaced removes its own object */
  last->is_named = 1;
  CHECK(has_object(next));
  EQUAL(fd_segment_unlink(next), 0);
  CHECK(!has_object(next) && has_object(last) && is_listed(name));
  EQUAL(fd_segment_unlink(last), 1);
  close_segment(last, NULL);
  close_segment(next, NULL);
  close_segment(old, NULL);
}

static void files_that_are_no_depots_are_refused(void) {
  static const char *const texts[] = {"", "/etc/passwd", FD_OBJECT "0123456789abcde", FD_OBJECT "0123456789abcdeg",
                                      FD_OBJECT "0123456789abcdef0", "/../................0123456789abcdef"};
  for (size_t at = 0; at < sizeof texts / sizeof *texts; at++) {
    const char *name = new_name();
    write_file(name, texts[at]);
    EQUAL(try_open(name), -FD_ENOTSUP);
    EQUAL(fd_unlink(name), 0);
    EQUAL(access(path_of(name), F_OK), -1);
  }
}

static void links_pipes_and_directories_are_refused(void) {
  const char *target = new_name(), *name = new_name();
  fd_segment *segment = create_segment(target);
  char path[512];
  snprintf(path, sizeof path, "%s", path_of(target));
  EQUAL(symlink(path, path_of(name)), 0);
  EQUAL(try_open(name), -FD_ELOOP);
  EQUAL(fd_unlink(name), 0);
  EQUAL(mkfifo(path_of(name), 0600), 0);
  EQUAL(try_open(name), -FD_ENOTSUP);
  EQUAL(fd_unlink(name), 0);
  EQUAL(mkdir(path_of(name), 0700), 0);
  const int32_t opened = try_open(name), unlinked = fd_unlink(name);
  rmdir(path_of(name));
  EQUAL(opened, -FD_EISDIR);
  EQUAL(unlinked, -FD_EISDIR);
  EQUAL(try_open(target), 0);
  close_segment(segment, NULL);
}

static int die_unnamed(const char *name) {
  fd_segment *told = open_segment(name), *made = NULL;
  EQUAL(fd_segment_create("never", SEGMENT_BYTES, 0600, &made), 0);
  set(word_at(map_segment(told), 0), 1);
  hang();
}

static void create_sweeps_after_the_dead_and_not_after_the_living(void) {
  const char *name = new_name();
  fd_segment *told = create_segment(name), *living = NULL;
  void *mapping = map_segment(told);
  EQUAL(fd_segment_create(new_name(), SEGMENT_BYTES, 0600, &living), 0);
  const int before = count_temporary();
  const process child = start_process("die-unnamed", name);
  await(word_at(mapping, 0), 1);
  EQUAL(count_temporary(), before + 1);
  kill_process(child);
  close_segment(create_segment(new_name()), NULL);
  EQUAL(count_temporary(), before);
  EQUAL(fd_segment_name(living), 0);
  EQUAL(count_temporary(), before - 1);
  close_segment(living, NULL);
  close_segment(told, mapping);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"fd_segment_open takes a name without memory for a free one", name_without_memory_is_free},
      {"fd_segment_replace leaves no object behind", replaced_segments_leave_no_object},
      {"fd_segment_open refuses files that are no depots", files_that_are_no_depots_are_refused},
      {"fd_segment_open refuses links, pipes and directories", links_pipes_and_directories_are_refused},
      {"fd_segment_create sweeps after the dead only", create_sweeps_after_the_dead_and_not_after_the_living},
      {0},
  };
  static const struct role roles[] = {{"die-unnamed", die_unnamed}, {0}};
  return run_tests(argc, argv, tests, roles);
}
