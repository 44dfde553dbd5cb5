/**
 * The recovery tick of a thread: each member is called once a period, in small parts of the event loop's time.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { type Sleeping, Tick } from "../ring/tick.ts";
import { depotTest } from "./support/harness.ts";

const PERIOD_MS = 40;
/** Timers may fire a millisecond early by another clock, and the tick takes those along that are due within one. */
const EARLY_MS = 3;

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const kept = () => {};

/** A member that notes when it is called. */
class Member implements Sleeping {
  readonly beats: number[] = [];
  #next: (() => void)[] = [];

  beat(): void {
    this.beats.push(performance.now());
    for (const tell of this.#next.splice(0)) tell();
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#next.push(resolve));
  }
}

depotTest("Tick calls a member after a period and again after each, not before", async () => {
  const tick = new Tick(PERIOD_MS);
  const member = new Member();
  const started = performance.now();
  tick.add(member, kept);
  for (let beat = 0; beat < 4; beat++) await member.next();
  tick.delete(member);
  let before = started;
  for (const at of member.beats) {
    assertGreaterOrEqual(at - before, PERIOD_MS - EARLY_MS);
    before = at;
  }
});

depotTest("Tick.delete ends the calls, and Tick.add has a member wait for a whole period anew", async () => {
  const tick = new Tick(PERIOD_MS);
  const [left, renewed, last] = [new Member(), new Member(), new Member()];
  for (const member of [left, renewed]) tick.add(member, kept);
  let renewedAt = 0;
  for (let round = 0; round < 5; round++) {
    await later(PERIOD_MS / 4);
    renewedAt = performance.now();
    // Where this thread was held up for longer than a period, there was a call in between.
    tick.add(renewed, kept);
  }
  const before = renewed.beats.length;
  tick.delete(left);
  const beatsLeft = left.beats.length;
  tick.add(last, kept);
  await Promise.all([renewed.next(), last.next()]);
  assertGreaterOrEqual(renewed.beats[before] - renewedAt, PERIOD_MS - EARLY_MS);
  assertEquals(left.beats.length, beatsLeft);
  for (const member of [renewed, last]) tick.delete(member);
});

depotTest(
  "Tick calls each of many members, a few in one turn of the event loop, and others get their turns",
  async () => {
    const tick = new Tick(PERIOD_MS);
    const inTurn: number[] = [];
    let sameTurn = false;
    class Counting extends Member {
      override beat(): void {
        super.beat();
        if (!sameTurn) inTurn.push(0);
        inTurn[inTurn.length - 1]++;
        sameTurn = true;
        queueMicrotask(() => sameTurn = false);
      }
    }
    const members = Array.from({ length: 300 }, () => new Counting());
    for (const member of members) tick.add(member, kept);
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    await Promise.all(members.map((member) => member.next()));
    clearInterval(clock);
    for (const member of members) tick.delete(member);
    assertEquals(members.filter(({ beats }) => beats.length === 0), []);
    for (const called of inTurn) assertLessOrEqual(called, 16);
    assert(turns > 0);
  },
);

depotTest("Tick calls members that are added or taken out by a call in their turn", async () => {
  const tick = new Tick(PERIOD_MS);
  const added = new Member();
  const self = new Member();
  const first = new class extends Member {
    override beat(): void {
      super.beat();
      tick.delete(first);
      tick.add(added, kept);
    }
  }();
  const ending = new class extends Member {
    override beat(): void {
      super.beat();
      tick.delete(ending);
    }
  }();
  for (const member of [first, ending, self]) tick.add(member, kept);
  await Promise.all([added.next(), self.next()]);
  assertGreaterOrEqual(added.beats[0] - first.beats[0], PERIOD_MS - EARLY_MS);
  await self.next();
  assertEquals([first.beats.length, ending.beats.length], [1, 1]);
  for (const member of [added, self]) tick.delete(member);
});

depotTest("Tick lets the process end: every timer is handed to unref, and none is left without members", async () => {
  const tick = new Tick(PERIOD_MS);
  const member = new Member();
  let timers = 0;
  const unref = () => timers++;
  tick.add(member, unref);
  assertEquals(timers, 1);
  await member.next();
  await member.next();
  assertGreaterOrEqual(timers, 2);
  tick.delete(member);
  await later(2 * PERIOD_MS);
  const before = timers;
  await later(3 * PERIOD_MS);
  assertEquals(timers, before);
  // Begins again with the next member.
  tick.add(member, unref);
  await member.next();
  tick.delete(member);
  assertGreaterOrEqual(timers, before + 1);
});
