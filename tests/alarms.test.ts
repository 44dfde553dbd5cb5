/** Alarms share the places of sleepers, over a runtime and a library that refuse on demand. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Attendance, Backend } from "../ffi/backend.ts";
import { Alarm, Sleepers, type WordAt } from "../ffi/sleepers.ts";
import type { Native } from "../ffi/symbols.ts";
import { depotTest } from "./support/harness.ts";

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A runtime and a library that have nothing but sleepers; they note what was watched. */
class Fake {
  attends = 0;
  /** No thread or descriptor is available. */
  refuses = false;
  /** A watch is refused, as a stopped sleeper does. */
  refusesWatch = false;
  readonly stopped: number[] = [];
  readonly watched: [sleeper: number, place: number][] = [];
  readonly #taken: number[][] = [];
  readonly #woken: (() => void)[] = [];
  readonly sleepers: Sleepers;

  constructor(places: number) {
    const native = {
      fd_sleeper_places: () => places,
      fd_sleeper_make: (out: BigUint64Array) => {
        out[0] = BigInt(this.#taken.push([]));
        return 0;
      },
      fd_sleeper_stop: (sleeper: number) => this.stopped.push(sleeper),
      fd_sleeper_watch: (sleeper: number, place: number) => {
        if (this.refusesWatch) return -22;
        this.watched.push([sleeper, place]);
        return 0;
      },
      fd_sleeper_forget: () => 0,
      fd_sleeper_take: (sleeper: number, out: Uint32Array) => {
        out.fill(0);
        const taken = this.#taken[sleeper - 1].splice(0);
        for (const place of taken) out[place >> 5] |= 1 << (place & 31);
        return taken.length;
      },
    };
    const backend = {
      pointer: Number,
      attend: (_: unknown, sleeper: number, woken: () => void): Attendance => {
        this.attends++;
        if (this.refuses) throw new Error("refused");
        this.#woken[sleeper - 1] = woken;
        return { arm() {}, rest() {}, quiet: () => Promise.resolve() };
      },
    };
    this.sleepers = new Sleepers(backend as unknown as Backend, native as unknown as Native);
  }

  alarm(rung: () => void = () => {}): Alarm {
    return new Alarm(this.sleepers, {} as WordAt, rung);
  }

  /** Has places of a sleeper wake at the same moment. */
  wake(sleeper: number, places: number[]): void {
    this.#taken[sleeper - 1].push(...places);
    this.#woken[sleeper - 1]();
  }
}

depotTest(
  "Alarm.arm makes another sleeper when all places are taken, and uses those again that are given up",
  async () => {
    const fake = new Fake(127);
    const alarms = Array.from({ length: 300 }, () => fake.alarm());
    assertEquals(alarms.map((alarm) => alarm.arm(0, Infinity)).includes(false), false);
    assertEquals(fake.attends, 3);
    assertEquals(new Set(fake.watched.map(String)).size, 300, "no place has two alarms");
    const [sleeper, place] = fake.watched[130];
    await alarms[130].disarm();
    assert(fake.alarm().arm(0, Infinity));
    assertEquals([fake.attends, fake.watched.at(-1)], [3, [sleeper, place]]);
  },
);

depotTest("Alarm rings once for its own place, the first and the last of each word of places as well", () => {
  const fake = new Fake(127);
  const rings = new Array(127).fill(0);
  const alarms = rings.map((_, index) => fake.alarm(() => rings[index]++));
  for (const alarm of alarms) alarm.arm(0, Infinity);
  const placeOf = fake.watched.map(([, place]) => place);
  const chosen = [0, 31, 32, 63, 64, 95, 96, 126];
  fake.wake(1, chosen);
  assertEquals(rings, placeOf.map((place) => chosen.includes(place) ? 1 : 0));
  fake.wake(1, []);
  // A ring may arm again at once, on the place that has just become free.
  const again = fake.alarm(() => again.arm(0, Infinity));
  again.arm(0, Infinity);
  const [, place] = fake.watched.at(-1)!;
  fake.wake(1, [place]);
  assertEquals([fake.watched.at(-1), fake.attends], [[1, place], 1]);
});

depotTest(
  "Alarm.arm that was refused does not ask again at once, stops what it made, and asks again later",
  async () => {
    const fake = new Fake(2);
    const [first, second, third] = [fake.alarm(), fake.alarm(), fake.alarm()];
    assert(first.arm(0, Infinity) && second.arm(0, Infinity));
    fake.refuses = true;
    assertEquals([third.arm(0, Infinity), fake.attends, fake.stopped], [false, 2, [2]]);
    for (let tries = 0; tries < 1000; tries++) assertEquals(third.arm(0, Infinity), false);
    assertLessOrEqual(fake.attends, 20); // one, unless this thread was held up for long
    // A place that is given up needs nothing of the system.
    await first.disarm();
    assert(third.arm(0, Infinity));
    assertEquals(first.arm(0, Infinity), false);
    fake.refuses = false;
    while (!first.arm(0, Infinity)) await later(10);
    assertEquals(fake.watched.at(-1)![0], fake.attends);
  },
);

depotTest("Alarm.arm that C refuses to watch is no sleep, and keeps no place", () => {
  const fake = new Fake(2);
  const [first, second, third] = [fake.alarm(), fake.alarm(), fake.alarm()];
  assert(first.arm(0, Infinity));
  fake.refusesWatch = true;
  for (let tries = 0; tries < 3; tries++) assertEquals(second.arm(0, Infinity), false);
  assertEquals(first.arm(1, Infinity), false); // also where it sleeps already
  fake.refusesWatch = false;
  assertEquals([second.arm(0, Infinity), third.arm(0, Infinity), fake.attends], [true, true, 1]);
});
