/**
 * The table from frame numbers to slots, beside a Map that is told and asked the same.
 */
import { assertEquals } from "@std/assert";
import { FrameTable } from "../ring/frame_table.ts";
import { Random } from "../tools/support/random.ts";
import { depotTest } from "./support/harness.ts";

const EDGE = Number.MAX_SAFE_INTEGER;

for (
  const [what, numberOf] of Object.entries({
    "that repeat": (random: Random) => random.integer(-20, 20),
    "of all sizes": (random: Random) =>
      random.pick([-EDGE, -(2 ** 40), -5, 0, 7, 2 ** 31, 2 ** 45]) + random.integer(0, 9),
    "that differ in their high bits": (random: Random) => random.integer(0, 60) * 2 ** 40,
  })
) {
  for (const slots of [1, 2, 7, 64]) {
    depotTest(`FrameTable finds the newest frame of numbers ${what}, in ${slots} slots`, () => {
      const random = new Random(slots);
      const table = new FrameTable(slots);
      const there: { sequence: number; number: number }[] = [];
      const newest = new Map<number, number>();
      for (let time = 0; time < 4000; time++) {
        // Slots are mostly filled in turn; some are passed over, and some frames are seen late.
        const slot = random.percent(20) ? random.integer(0, slots - 1) : time % slots;
        const sequence = random.percent(20) ? Math.max(0, time - random.integer(0, slots)) : time;
        const number = numberOf(random);
        const before = there[slot];
        if (newest.get(before?.number) === before?.sequence) newest.delete(before?.number);
        there[slot] = { sequence, number };
        if (!(newest.get(number)! >= sequence)) newest.set(number, sequence);
        table.set(slot, sequence, number);
        assertEquals([table.sequenceIn(slot), table.numberIn(slot)], [sequence, number]);
        const asked = random.percent(50) ? numberOf(random) : number;
        assertEquals(table.sequenceOf(asked), newest.get(asked));
      }
    });
  }
}
