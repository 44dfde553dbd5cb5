/**
 * Segments and their memory in the interface between TypeScript and C (`ffi/shim.ts`), the same in every runtime and on
 * every system. Finding and loading the library is in `load.test.ts`, alarms are in `conformance_alarms.test.ts`.
 */
import { assert, assertEquals } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Mapping } from "../ffi/mapping.ts";
import type { LimitKind } from "../ffi/shim.ts";
import { statSync } from "node:fs";
import process from "node:process";
import { depotTest, HERE, skip, skipPart } from "./support/harness.ts";
import { BYTES, Held, make, WAKE_WORDS } from "./support/segment_scene.ts";
import { IS_WINDOWS } from "./support/windows.ts";

/** The names of all segments. */
function listed(): string[] {
  const names = loadShim().list();
  assert(typeof names !== "number", `errno ${names}`);
  return names;
}

/** What a view sees; the view is detached afterwards, as it must be before memory goes. */
function bytesOf(mapping: Mapping, offset: number, length: number): number[] {
  const view = mapping.view(offset, length);
  const bytes = [...new Uint8Array(view)];
  view.transfer(0);
  return bytes;
}

depotTest("Shim.create makes zeroed memory that has no name before Segment.name", (name) => {
  const shim = loadShim();
  using held = new Held(shim.create(name, BYTES, 0o640));
  assertEquals([listed().includes(name), shim.open(name), held.segment.info().linked], [
    false,
    -ERRNO.ENOENT,
    false,
  ]);
  assertEquals(new Set(bytesOf(held.mapping, 0, BYTES)), new Set([0]));
  assertEquals(held.segment.name(), 0);
  const { bytes, mode, owner, self, linked } = held.segment.info();
  assertEquals([listed().includes(name), bytes >= BYTES, linked, owner === self], [true, true, true, true]);
  if (mode !== -1) assertEquals(mode & 0o777, process.platform === "win32" ? 0o600 : 0o640);
});

depotTest("Shim.create leaves nothing when its maker goes away before Segment.name", (name) => {
  new Held(loadShim().create(name, BYTES, 0o600))[Symbol.dispose]();
  assertEquals([loadShim().open(name), loadShim().unlink(name)], [-ERRNO.ENOENT, -ERRNO.ENOENT]);
});

depotTest("Segment.name returns -EEXIST when the name is taken, and the first segment keeps it", (name) => {
  using first = make(name);
  using second = new Held(loadShim().create(name, BYTES, 0o600));
  assertEquals([second.segment.name(), first.segment.info().linked], [-ERRNO.EEXIST, true]);
  assertEquals([second.segment.info().linked, second.segment.unlink(), first.segment.unlink()], [false, 0, 1]);
});

depotTest("Shim.create, open and unlink refuse impossible names and sizes", (name) => {
  const shim = loadShim();
  for (const wrong of ["", "a/b", ".a", "..", "a b", "ä"]) {
    assertEquals([shim.create(wrong, BYTES, 0o600), shim.open(wrong), shim.unlink(wrong)], [
      -ERRNO.EINVAL,
      -ERRNO.EINVAL,
      -ERRNO.EINVAL,
    ]);
  }
  assertEquals(shim.open("x".repeat(129)), -ERRNO.ENAMETOOLONG);
  for (const bytes of [0, -1, NaN, Infinity, 2 ** 60]) assertEquals(shim.create(name, bytes, 0o600), -ERRNO.EINVAL);
  const whole = shim.limits().find(({ kind }) => kind === "fileSystem")?.whole;
  if (whole !== undefined) assertEquals(shim.create(name, whole * 2, 0o600), -ERRNO.ENOSPC);
  assertEquals(shim.open(name), -ERRNO.ENOENT);
});

depotTest("Segment.map gives every opener the same memory, in whole and in parts", (name) => {
  using one = make(name);
  using other = new Held(loadShim().open(name));
  const view = one.mapping.view(BYTES - 8, 8);
  new Uint8Array(view).set([1, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals(bytesOf(other.mapping, BYTES - 8, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
  using part = new Held(loadShim().open(name), 4096);
  assertEquals([part.mapping.bytes, part.mapping.view(16, 32).byteLength], [4096, 32]);
  view.transfer(0);
});

depotTest("Mapping.copy moves the bytes of any view, to any place, past the caches or not", (name) => {
  using held = make(name);
  const numbers = Uint8Array.from({ length: 3000 }, (_, at) => at * 31 % 251);
  const shared = new Uint8Array(new SharedArrayBuffer(3000));
  shared.set(numbers);
  for (const past of [false, true]) {
    for (const source of [numbers, shared, numbers.subarray(3, 2900), numbers.subarray(5, 6), numbers.subarray(7, 7)]) {
      held.mapping.copy(4099, new Uint8Array(3002).fill(255), 3002, past);
      held.mapping.copy(4100, source, 2900, past);
      const copied = source.subarray(0, 2900);
      assertEquals(bytesOf(held.mapping, 4099, copied.length + 2), [255, ...copied, 255]);
    }
  }
  held.mapping.populate(0, BYTES);
  assertEquals(bytesOf(held.mapping, 4099, 2), [255, 255]);
  assert(held.mapping.cacheBytes() >= 0);
});

depotTest("Mapping.view over shared memory is detached by transfer, and lives on in the new buffer", (name) => {
  using held = make(name);
  const buffer = held.mapping.view(4096, 16);
  const bytes = new Uint8Array(buffer);
  const views = [bytes, bytes.subarray(4, 8), new DataView(buffer)];
  bytes.set([9, 8, 7]);
  const moved = buffer.transfer();
  assertEquals([buffer.detached, ...views.map((view) => view.buffer.byteLength)], [true, 0, 0, 0]);
  assertEquals([bytes.length, moved.byteLength, [...new Uint8Array(moved, 0, 3)]], [0, 16, [9, 8, 7]]);
  new Uint8Array(moved)[0] = 1;
  assertEquals(bytesOf(held.mapping, 4096, 3), [1, 8, 7]);
  moved.transfer(0);
});

depotTest("Mapping.view carries 32-bit atomics from one mapping to another", (name) => {
  using one = make(name);
  using other = new Held(loadShim().open(name));
  const [a, b] = [one, other].map(({ mapping }) => new Uint32Array(mapping.view(0, 64)));
  Atomics.store(a, 1, 0xffff_fff0);
  assertEquals(Atomics.add(b, 1, 0x20), 0xffff_fff0);
  assertEquals([Atomics.load(a, 1), Atomics.compareExchange(a, 1, 0x10, 7), Atomics.or(b, 1, 8)], [0x10, 0x10, 7]);
  assertEquals([Atomics.and(a, 1, ~1), Atomics.load(b, 1)], [15, 14]);
  for (const { buffer } of [a, b]) buffer.transfer(0);
});

depotTest("Mapping.load, store, cas and raise agree on whole numbers up to 2^53", (name) => {
  using one = make(name);
  using other = new Held(loadShim().open(name));
  for (const value of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER]) {
    one.mapping.store(8, value);
    assertEquals(other.mapping.load(8), value);
    assertEquals([one.mapping.cas(8, value + (value ? -1 : 1), 5), other.mapping.load(8)], [0, value]);
    assertEquals([one.mapping.cas(8, value, 5), other.mapping.load(8)], [1, 5]);
  }
  one.mapping.store(16, 7);
  assertEquals([one.mapping.raise(16, 6), one.mapping.raise(16, 7), one.mapping.load(16)], [0, 0, 7]);
  assertEquals([other.mapping.raise(16, 2 ** 40), one.mapping.load(16), one.mapping.load(8)], [1, 2 ** 40, 5]);
  assertEquals(bytesOf(one.mapping, 16, 8), [0, 0, 0, 0, 0, 1, 0, 0], "little-endian");
  assertEquals(one.mapping.load(BYTES - 8), 0);
});

depotTest("Segment.lock belongs to the open description: another one in this process does not share it", (name) => {
  using one = make(name);
  const other = new Held(loadShim().open(name));
  assertEquals([one.segment.lockHeld(3), one.segment.lock(3), one.segment.lock(3)], [false, 1, 1]);
  assertEquals([one.segment.lockHeld(3), other.segment.lockHeld(3), other.segment.lock(3)], [false, true, 0]);
  // The locks of other indices are free.
  assertEquals([other.segment.lockHeld(2), other.segment.lock(4), one.segment.lockHeld(4)], [false, 1, true]);
  one.segment.unlock(3);
  assertEquals([other.segment.lockHeld(3), other.segment.lock(3), one.segment.lock(3)], [false, 1, 0]);
  // The lock ends with the description and its mapping, without an unlock.
  other[Symbol.dispose]();
  assertEquals([one.segment.lockHeld(3), one.segment.lockHeld(4), one.segment.lock(3)], [false, false, 1]);
});

depotTest("Segment.unlink removes the name only while it leads to this segment", (name) => {
  using old = make(name);
  assertEquals([old.segment.unlink(), old.segment.unlink(), old.segment.info().linked], [1, 0, false]);
  using next = make(name);
  assertEquals([old.segment.unlink(), next.segment.info().linked], [0, true]);
  old.mapping.store(0, 5);
  assertEquals([old.mapping.load(0), next.mapping.load(0), loadShim().unlink(name)], [5, 0, 0]);
  assertEquals([loadShim().unlink(name), loadShim().open(name)], [-ERRNO.ENOENT, -ERRNO.ENOENT]);
});

depotTest("Shim.list names every segment, more than fit its first buffer", (_, another) => {
  const names = Array.from({ length: 60 }, () => another().padEnd(128, "x"));
  const held = names.map((name) => make(name, 4096));
  const found = listed();
  for (const one of held) {
    one.segment.unlink();
    one[Symbol.dispose]();
  }
  assertEquals(names.filter((name) => !found.includes(name)), []);
  assertEquals(listed().filter((name) => names.includes(name)), []);
});

depotTest("Shim.limits tells what is left, and each new segment lowers it", (name) => {
  const leftOf = (wanted: LimitKind) => loadShim().limits().find(({ kind }) => kind === wanted)?.left;
  for (const { kind, left, whole } of loadShim().limits()) {
    assert(left >= 0 && left <= whole, `${kind} ${left} ${whole}`);
  }
  assert(leftOf("memory") !== undefined);
  const [bytesLeft, inodesLeft] = [leftOf("fileSystem"), leftOf("inodes")];
  if (bytesLeft === undefined) return skip("the file system of segments has no limit of its own here");
  // Other processes use shared memory too: the segment is large enough to show beside them.
  const bytes = Math.min(256 * 2 ** 20, Math.trunc(bytesLeft / 4));
  using held = make(name, bytes);
  if (IS_WINDOWS) skipPart("what a segment takes", "Wine does not count the memory of segments");
  else assert(leftOf("fileSystem")! < bytesLeft - bytes / 2);
  assertEquals(inodesLeft === undefined, leftOf("inodes") === undefined);
  held.segment.unlink();
});

depotTest("Segment.snapshot copies the beginning, and shows no later change", (name) => {
  using held = make(name);
  const other = loadShim().open(name);
  assert(typeof other !== "number");
  const set = (value: number) => {
    const view = held.mapping.view(0, 8192);
    new Uint8Array(view).fill(value);
    view.transfer(0);
  };
  set(7);
  const copy = other.snapshot(BYTES, 4096, WAKE_WORDS);
  try {
    if (typeof copy === "number") return assertEquals([process.platform, copy], ["win32", -ERRNO.ENOTSUP]);
    set(8);
    assertEquals([bytesOf(copy, 4095, 2), bytesOf(held.mapping, 4095, 1)], [[7, 0], [8]]);
    copy.unmap();
  } finally {
    other.close();
    held.segment.unlink();
  }
});

depotTest("Segment.empty gives the memory back and keeps the name and the size", (name) => {
  using held = make(name);
  const view = held.mapping.view(BYTES - 8, 8);
  new Uint8Array(view).fill(9);
  view.transfer(0);
  const answer = held.segment.empty();
  if (process.platform !== "linux") return assertEquals(answer, -ERRNO.ENOTSUP);
  assertEquals([answer, held.segment.info().bytes, bytesOf(held.mapping, BYTES - 8, 8)], [0, BYTES, Array(8).fill(0)]);
  assert(statSync(`/dev/shm/frames-depot.${name}`).blocks * 512 < BYTES);
  held.segment.unlink();
});

depotTest("Shim.nameInfo tells owner and mode without opening, and Segment.started when a process began", (name) => {
  const shim = loadShim();
  const { pid, startTime } = shim.identity();
  using held = make(name);
  const [begun, none] = [held.segment.started(pid), held.segment.started(2 ** 22 + 1)];
  if (process.platform !== "linux") return assertEquals(begun, -1);
  assertEquals(shim.nameInfo(name), held.segment.info());
  assertEquals([shim.nameInfo(`${name}-none`), begun, none], [-ERRNO.ENOENT, startTime, 0]);
  held.segment.unlink();
});

depotTest("Shim.identity is this process, started in the past", () => {
  const { pid, startTime } = loadShim().identity();
  assertEquals([pid, loadShim().runtime, loadShim().identity().startTime], [process.pid, HERE, startTime]);
  assert(startTime >= 0);
});
