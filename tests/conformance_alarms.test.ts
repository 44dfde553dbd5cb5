/**
 * Alarms of the interface between TypeScript and C (`ffi/sleepers.ts`) ring when they should, the same in every
 * runtime and on every system.
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import { LANE } from "../ffi/constants.ts";
import type { Mapping } from "../ffi/mapping.ts";
import type { Alarm } from "../ffi/sleepers.ts";
import { depotTest, HERE, skip } from "./support/harness.ts";
import { BYTES, Held, make, WAKE_WORDS } from "./support/segment_scene.ts";
import { FEW_THREADS, IS_WINDOWS } from "./support/windows.ts";

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
    if (IS_WINDOWS && HERE === "deno") return skip(FEW_THREADS);
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
    if (IS_WINDOWS && HERE === "deno") return skip(FEW_THREADS);
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
