/**
 * The interface between TypeScript and C (`ffi/shim.ts`), the same in every runtime and on every system. Finding and
 * loading the library is in `load.test.ts`.
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import { ERRNO, LANE } from "../ffi/constants.ts";
import type { Mapping } from "../ffi/mapping.ts";
import type { Segment } from "../ffi/segment.ts";
import type { LimitKind } from "../ffi/shim.ts";
import type { Alarm } from "../ffi/sleepers.ts";
import { statSync } from "node:fs";
import process from "node:process";
import { depotTest, HERE } from "./support/harness.ts";

const BYTES = 64 * 1024;
/** Two wake words, one for each lane. */
const WAKE_WORDS = [512, 640];

/** Closes a segment at the end of its scope. */
class Held implements Disposable {
  readonly segment: Segment;
  readonly mapping: Mapping;

  constructor(segment: Segment | number, bytes = BYTES, wakeWords = WAKE_WORDS) {
    assert(typeof segment !== "number", `errno ${segment}`);
    this.segment = segment;
    const mapping = segment.map(bytes, wakeWords);
    assert(typeof mapping !== "number", `errno ${mapping}`);
    this.mapping = mapping;
  }

  [Symbol.dispose](): void {
    this.mapping.unmap();
    this.segment.close();
  }
}

/** A named segment. */
function make(name: string, bytes = BYTES, wakeWords = WAKE_WORDS): Held {
  const held = new Held(loadShim().create(name, bytes, 0o600), bytes, wakeWords);
  assertEquals(held.segment.name(), 0);
  return held;
}

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
  if (mode !== -1) assertEquals(mode & 0o777, 0o640);
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
  if (bytesLeft === undefined) return console.log("the file system of segments has no limit of its own here");
  // Other processes use shared memory too: the segment is large enough to show beside them.
  const bytes = Math.min(256 * 2 ** 20, Math.trunc(bytesLeft / 4));
  using held = make(name, bytes);
  assert(leftOf("fileSystem")! < bytesLeft - bytes / 2);
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
    if (typeof copy === "number") return assertEquals([process.platform === "linux", copy], [false, -ERRNO.ENOTSUP]);
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

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** An alarm that counts how often it has rung. */
class Counted {
  rings = 0;
  readonly alarm: Alarm;
  #next: (() => void)[] = [];

  constructor(mapping: Mapping, lane: number) {
    this.alarm = mapping.alarm(lane, 0, () => {
      this.rings++;
      for (const tell of this.#next.splice(0)) tell();
    });
  }

  /** Fails the test where the system refuses what a sleep needs. */
  arm(expected: number, timeoutMs = Infinity): void {
    assert(this.alarm.arm(expected, timeoutMs), "refused");
  }

  /** Resolves at the next ring. */
  rung(): Promise<void> {
    return new Promise((resolve) => this.#next.push(resolve));
  }
}

/** Changes a lane's word and wakes nothing. */
function change(mapping: Mapping, lane: number): void {
  const words = wordsOf(mapping);
  Atomics.add(words, WAKE_WORDS[lane] >> 2, 1);
  words.buffer.transfer(0);
}

/** The words of a mapping; its buffer must be detached before the mapping goes. */
const wordsOf = (mapping: Mapping) => new Uint32Array(mapping.view(0, BYTES));

for (const lane of [LANE.PUBLISHED, LANE.CONSUMED]) {
  const word = WAKE_WORDS[lane] >> 2;

  depotTest(`Mapping.alarm rings when another mapping wakes the lane, ${lane}`, async (name) => {
    using one = make(name);
    using other = new Held(loadShim().open(name));
    const words = wordsOf(other.mapping);
    const alarms = [1, 2, 3].map(() => new Counted(one.mapping, lane));
    const rung = alarms.map((counted) => counted.rung());
    for (const counted of alarms) counted.arm(0);
    await later(50);
    assertEquals(alarms.map(({ rings }) => rings), [0, 0, 0]);
    Atomics.add(words, word, 1);
    other.mapping.wake(lane);
    await Promise.all(rung);
    await later(20);
    assertEquals(alarms.map(({ rings }) => rings), [1, 1, 1]);
    words.buffer.transfer(0);
  });

  depotTest(
    `Mapping.alarm rings at once when the word differs from the expected value, and else waits, ${lane}`,
    async (name) => {
      using one = make(name);
      const words = wordsOf(one.mapping);
      const counted = new Counted(one.mapping, lane);
      for (const value of [1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
        Atomics.store(words, word, value);
        let rung = counted.rung();
        counted.arm(value - 1);
        await rung;
        // The expected value wraps as the word does.
        const started = performance.now();
        rung = counted.rung();
        counted.arm(value, 30);
        await rung;
        assertGreaterOrEqual(performance.now() - started, 25);
      }
      assertEquals(counted.rings, 8);
      words.buffer.transfer(0);
    },
  );
}

depotTest("Mapping.alarm rings after its time, not before, and leaves the event loop free", async (name) => {
  using held = make(name);
  const counted = new Counted(held.mapping, LANE.PUBLISHED);
  let ticks = 0;
  const clock = setInterval(() => ticks++, 5);
  const started = performance.now();
  const rung = counted.rung();
  counted.arm(0, 200);
  await rung;
  clearInterval(clock);
  assertGreaterOrEqual(performance.now() - started, 195);
  assertGreaterOrEqual(ticks, 5);
  assertEquals(counted.rings, 1);
});

depotTest(
  "Mapping.alarm that is armed again takes the new word and the new time, and rings once",
  async (name) => {
    using held = make(name);
    const counted = new Counted(held.mapping, LANE.PUBLISHED);
    let rung = counted.rung();
    counted.arm(0);
    await later(20);
    counted.arm(0, 30); // sooner
    await rung;
    const started = performance.now();
    rung = counted.rung();
    counted.arm(0, 10);
    counted.arm(0, 60); // later
    await rung;
    assertGreaterOrEqual(performance.now() - started, 55);
    rung = counted.rung();
    counted.arm(0);
    await later(20);
    counted.arm(1); // the word is another now
    await rung;
    await later(30);
    assertEquals(counted.rings, 3);
  },
);

depotTest("Mapping.alarm that is disarmed does not ring, and its memory may go at once", async (name) => {
  const all: Counted[] = [];
  for (let round = 0; round < 100; round++) {
    using again = new Held(loadShim().create(name, BYTES, 0o600));
    const alarms = [LANE.PUBLISHED, LANE.CONSUMED].map((lane) => new Counted(again.mapping, lane));
    all.push(...alarms);
    for (const counted of alarms) counted.arm(0, round % 3 === 0 ? 1 : Infinity);
    if (round % 4 > 1) await later(round % 5); // a sleep is under way, or its time is up
    if (round % 10 === 0) change(again.mapping, LANE.PUBLISHED);
    const before = alarms.map(({ rings }) => rings);
    await Promise.all(alarms.map(({ alarm }) => alarm.disarm()));
    assertEquals(alarms.map(({ rings }) => rings), before);
  }
  const before = all.map(({ rings }) => rings);
  await later(20);
  assertEquals(all.map(({ rings }) => rings), before);
  // The thread still sleeps and wakes.
  using after = new Held(loadShim().create(name, BYTES, 0o600));
  const counted = new Counted(after.mapping, LANE.PUBLISHED);
  const rung = counted.rung();
  counted.arm(0, 5);
  await rung;
});

depotTest("Mapping.alarm may be disarmed and armed again and again, and by its own ring", async (name) => {
  using held = make(name);
  const words = wordsOf(held.mapping);
  const counted = new Counted(held.mapping, LANE.PUBLISHED);
  for (let round = 0; round < 200; round++) {
    counted.arm(0);
    void counted.alarm.disarm();
    if (round % 50 === 0) await later(1);
  }
  assertEquals(counted.rings, 0);
  let left = 20;
  await new Promise<void>((resolve) => {
    const again = held.mapping.alarm(LANE.CONSUMED, 0, () => {
      if (--left === 0) resolve();
      else again.arm(0, 1);
    });
    again.arm(0, 1);
  });
  const rung = counted.rung();
  counted.arm(0);
  Atomics.add(words, WAKE_WORDS[0] >> 2, 1);
  held.mapping.wake(LANE.PUBLISHED);
  await rung;
  assertEquals(counted.rings, 1);
  words.buffer.transfer(0);
});

depotTest("Mapping.alarm that is armed while others sleep is woken, and they sleep on", async (name) => {
  using one = make(name);
  using other = new Held(loadShim().open(name));
  const words = wordsOf(other.mapping);
  const [first, second] = [LANE.PUBLISHED, LANE.CONSUMED].map((lane) => new Counted(one.mapping, lane));
  const firstRung = first.rung();
  first.arm(0);
  await later(30);
  for (let round = 0; round < 20; round++) {
    const rung = second.rung();
    second.arm(round);
    if (round % 2 === 0) await later(2);
    Atomics.add(words, WAKE_WORDS[LANE.CONSUMED] >> 2, 1);
    other.mapping.wake(LANE.CONSUMED);
    await rung;
  }
  assertEquals([first.rings, second.rings], [0, 20]);
  Atomics.add(words, WAKE_WORDS[LANE.PUBLISHED] >> 2, 1);
  other.mapping.wake(LANE.PUBLISHED);
  await firstRung;
  words.buffer.transfer(0);
});

/** Many words of one segment: a segment has two lanes for each time that it is opened. */
class ManyWords implements Disposable {
  readonly #held: Held[];

  constructor(name: string, count: number) {
    this.#held = Array.from(
      { length: Math.ceil(count / 2) },
      (_, index) => new Held(loadShim().open(name), BYTES, [8 * index, 8 * index + 4]),
    );
  }

  counted(index: number): Counted {
    return new Counted(this.#held[index >> 1].mapping, index & 1);
  }

  wake(index: number): void {
    this.#held[index >> 1].mapping.wake(index & 1);
  }

  [Symbol.dispose](): void {
    for (const held of this.#held) held[Symbol.dispose]();
  }
}

for (const count of [127, 300]) {
  const offsets = Array.from({ length: count }, (_, index) => 4 * index);

  depotTest(`Mapping.alarm sleeps on ${count} words at once in one thread, and each rings by itself`, async (name) => {
    using one = make(name);
    using many = new ManyWords(name, count);
    using others = new ManyWords(name, count);
    const words = wordsOf(one.mapping);
    const alarms = offsets.map((_, index) => many.counted(index));
    for (const counted of alarms) counted.arm(0);
    await later(30);
    // Neighbours: the first and the last place of a sleeper, and the first of the next sleeper.
    const chosen = [0, 1, 2, 31, 32, 63, 64, 125, 126, 127, 128, 253, 254, 299].filter((index) => index < count);
    for (const index of chosen) {
      const rung = alarms[index].rung();
      Atomics.add(words, index, 1);
      others.wake(index);
      await rung;
    }
    await later(20);
    assertEquals(alarms.map(({ rings }) => rings), offsets.map((_, index) => chosen.includes(index) ? 1 : 0));
    // All at the same moment: words that have rung sleep on their new value.
    for (const index of chosen) alarms[index].arm(1);
    const all = alarms.map((counted) => counted.rung());
    for (const index of offsets.keys()) Atomics.add(words, index, 1);
    for (const index of offsets.keys()) others.wake(index);
    await Promise.all(all);
    await later(20);
    assertEquals(alarms.map(({ rings }) => rings), offsets.map((_, index) => chosen.includes(index) ? 2 : 1));
    words.buffer.transfer(0);
  });

  depotTest(`Mapping.alarm gives ${count} words up at once, and others take their places`, async (name) => {
    using _named = make(name);
    using many = new ManyWords(name, count);
    const alarms = offsets.map((_, index) => many.counted(index));
    for (const counted of alarms) counted.arm(0);
    await later(10);
    await Promise.all(alarms.map(({ alarm }) => alarm.disarm()));
    const rung = alarms.map((counted) => counted.rung());
    for (const [index, counted] of alarms.entries()) counted.arm(0, index % 7);
    await Promise.all(rung);
    assertEquals(alarms.map(({ rings }) => rings), offsets.map(() => 1));
  });
}
