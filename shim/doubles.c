/* The functions that take a handle or an address, with nothing but doubles: for runtimes that call these without
 * converting a value. Made from shim/frames_depot.h by `deno task layout`: do not edit. */
#include "frames_depot.h"

#define AT(address) ((void *)(uintptr_t)(address))

FD_API int32_t fdd_segment_name(double segment) {
  return fd_segment_name(AT(segment));
}
FD_API int32_t fdd_segment_replace(double segment, double old) {
  return fd_segment_replace(AT(segment), AT(old));
}
FD_API int32_t fdd_segment_info(double segment, double out) {
  return fd_segment_info(AT(segment), AT(out));
}
FD_API int32_t fdd_segment_map(double segment, double bytes, double out) {
  return fd_segment_map(AT(segment), bytes, AT(out));
}
FD_API int32_t fdd_segment_snapshot(double segment, double bytes, double copied, double out) {
  return fd_segment_snapshot(AT(segment), bytes, copied, AT(out));
}
FD_API void fdd_populate(double base, double offset, double bytes) {
  fd_populate(AT(base), offset, bytes);
}
FD_API int32_t fdd_segment_unmap(double segment) {
  return fd_segment_unmap(AT(segment));
}
FD_API int32_t fdd_segment_retire(double segment, double from) {
  return fd_segment_retire(AT(segment), from);
}
FD_API int32_t fdd_segment_unlink(double segment) {
  return fd_segment_unlink(AT(segment));
}
FD_API int32_t fdd_segment_empty(double segment) {
  return fd_segment_empty(AT(segment));
}
FD_API int32_t fdd_segment_close(double segment) {
  return fd_segment_close(AT(segment));
}
FD_API int32_t fdd_lock(double segment, double index) {
  return fd_lock(AT(segment), (int32_t)index);
}
FD_API int32_t fdd_unlock(double segment, double index) {
  return fd_unlock(AT(segment), (int32_t)index);
}
FD_API int32_t fdd_lock_held(double segment, double index) {
  return fd_lock_held(AT(segment), (int32_t)index);
}
FD_API int32_t fdd_wait(double segment, double word, double lane, double peer, double expected, double timeout_ms) {
  return fd_wait(AT(segment), AT(word), (int32_t)lane, (int32_t)peer, (int32_t)expected, timeout_ms);
}
FD_API int32_t fdd_wake(double segment, double word, double lane) {
  return fd_wake(AT(segment), AT(word), (int32_t)lane);
}
FD_API int32_t fdd_sleeper_start(double sleeper) {
  return fd_sleeper_start(AT(sleeper));
}
FD_API int32_t fdd_sleeper_pipe(double sleeper, double out, double capacity) {
  return fd_sleeper_pipe(AT(sleeper), AT(out), (int32_t)capacity);
}
FD_API int32_t fdd_sleeper_watch(double sleeper, double place, double segment, double word, double lane, double peer,
      double expected, double timeout_ms) {
  return fd_sleeper_watch(AT(sleeper), (int32_t)place, AT(segment), AT(word), (int32_t)lane, (int32_t)peer,
      (int32_t)expected, timeout_ms);
}
FD_API int32_t fdd_sleeper_forget(double sleeper, double place) {
  return fd_sleeper_forget(AT(sleeper), (int32_t)place);
}
FD_API int32_t fdd_sleeper_sleep(double sleeper) {
  return fd_sleeper_sleep(AT(sleeper));
}
FD_API int32_t fdd_sleeper_take(double sleeper, double out) {
  return fd_sleeper_take(AT(sleeper), AT(out));
}
FD_API int32_t fdd_sleeper_stop(double sleeper) {
  return fd_sleeper_stop(AT(sleeper));
}
FD_API double fdd_load(double base, double offset) {
  return fd_load(AT(base), (int32_t)offset);
}
FD_API void fdd_store(double base, double offset, double value) {
  fd_store(AT(base), (int32_t)offset, value);
}
FD_API int32_t fdd_cas(double base, double offset, double expected, double desired) {
  return fd_cas(AT(base), (int32_t)offset, expected, desired);
}
FD_API int32_t fdd_raise(double base, double offset, double value) {
  return fd_raise(AT(base), (int32_t)offset, value);
}
FD_API double fdd_head(double base) {
  return fd_head(AT(base));
}
FD_API int32_t fdd_end(double base) {
  return fd_end(AT(base));
}
FD_API void fdd_copy(double base, double offset, double source, double bytes, double past) {
  fd_copy(AT(base), offset, AT(source), bytes, (int32_t)past);
}
FD_API void fdd_copy_out(double base, double offset, double target, double bytes) {
  fd_copy_out(AT(base), offset, AT(target), bytes);
}
FD_API int32_t fdd_claim(double base, double slot, double pin_words, double sequence, double me) {
  return fd_claim(AT(base), (int32_t)slot, (int32_t)pin_words, sequence, (uint32_t)me);
}
FD_API int32_t fdd_publish(double base, double slot, double sequence, double frame_number, double timestamp_ns,
      double metadata_length, double byte_length) {
  return fd_publish(AT(base), (int32_t)slot, sequence, frame_number, timestamp_ns, (uint32_t)metadata_length,
      byte_length);
}
FD_API int32_t fdd_pin(double base, double slot, double pins, double bit, double sequence) {
  return fd_pin(AT(base), (int32_t)slot, (int32_t)pins, (uint32_t)bit, sequence);
}
FD_API int32_t fdd_unpin(double base, double pins, double bit, double cursor_at, double cursor) {
  return fd_unpin(AT(base), (int32_t)pins, (uint32_t)bit, (int32_t)cursor_at, cursor);
}
FD_API double fdd_look(double base, double slot, double sequence) {
  return fd_look(AT(base), (int32_t)slot, sequence);
}
FD_API int32_t fdd_give_back(double base, double slots, double slot_stride, double pin_words, double from, double to,
      double masks, double id, double groups, double group_count, double is_dead) {
  return fd_give_back(AT(base), (int32_t)slots, (int32_t)slot_stride, (int32_t)pin_words, (int32_t)from, (int32_t)to,
      AT(masks), (uint32_t)id, AT(groups), (int32_t)group_count, (int32_t)is_dead);
}
FD_API int32_t fdd_recover_slot(double base, double slot, double dead) {
  return fd_recover_slot(AT(base), (int32_t)slot, (uint32_t)dead);
}
FD_API double fdd_smallest_cursor(double base, double readers, double count, double except) {
  return fd_smallest_cursor(AT(base), (int32_t)readers, (int32_t)count, (int32_t)except);
}
FD_API int32_t fdd_take(double base, double take, double slot, double pins, double bit, double sequence,
      double member) {
  return fd_take(AT(base), (int32_t)take, (int32_t)slot, (int32_t)pins, (uint32_t)bit, sequence, (uint32_t)member);
}
FD_API int32_t fdd_complete(double base, double take, double sequence, double member) {
  return fd_complete(AT(base), (int32_t)take, sequence, (uint32_t)member);
}
FD_API double fdd_pass(double base, double takes, double max_size, double cursor) {
  return fd_pass(AT(base), (int32_t)takes, (int32_t)max_size, (int32_t)cursor);
}
FD_API double fdd_again(double base, double takes, double max_size, double from) {
  return fd_again(AT(base), (int32_t)takes, (int32_t)max_size, from);
}
FD_API int32_t fdd_is_held(double base, double takes, double max_size, double member) {
  return fd_is_held(AT(base), (int32_t)takes, (int32_t)max_size, (uint32_t)member);
}
FD_API int32_t fdd_taken(double base, double takes, double max_size, double from, double to) {
  return fd_taken(AT(base), (int32_t)takes, (int32_t)max_size, from, to);
}
