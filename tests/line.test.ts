/**
 * The line of enqueues and claims that wait in one depot object.
 */
import { assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { Line, type Place } from "../depot/line.ts";
import { depotTest } from "./support/harness.ts";

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A line of `count` places, and the order in which they came to the front. */
function lineOf(count: number): { line: Line; places: Place[]; came: number[] } {
  const line = new Line();
  const came: number[] = [];
  const places = Array.from({ length: count }, () => line.join());
  for (const [index, place] of places.entries()) {
    place.first(Infinity, undefined).then((isFirst) => {
      if (isFirst) came.push(index);
    });
  }
  return { line, places, came };
}

depotTest("Line lets the first place through at once, and each other place when all before it have left", async () => {
  const { line, places, came } = lineOf(4);
  for (const [index, place] of places.entries()) {
    await later(0);
    assertEquals(came, Array.from({ length: index + 1 }, (_, at) => at));
    assertEquals([line.isEmpty, places.map(({ isFirst }) => isFirst).indexOf(true)], [false, index]);
    place.leave();
  }
  await later(0);
  assertEquals([line.isEmpty, came], [true, [0, 1, 2, 3]]);
  const again = line.join();
  assertEquals([await again.first(Infinity, undefined), again.isFirst, line.isEmpty], [true, true, false]);
});

depotTest("Line keeps its order when places in the middle and at the end are given up", async () => {
  const { line, places, came } = lineOf(7);
  for (const index of [3, 6, 2]) places[index].leave();
  const late = line.join();
  for (const index of [0, 1, 4, 5]) {
    await later(0);
    assertEquals(came.at(-1), index);
    places[index].leave();
  }
  assertEquals([came, late.isFirst], [[0, 1, 4, 5], true]);
  late.leave();
  assertEquals(line.isEmpty, true);
});

depotTest("Place.first returns false when its time is up, not before", async () => {
  const line = new Line();
  const first = line.join();
  const started = performance.now();
  for (const timeoutMs of [0, 30]) {
    const place = line.join();
    assertEquals(await place.first(timeoutMs, undefined), false);
    assertGreaterOrEqual(performance.now() - started, timeoutMs - 2);
    place.leave();
  }
  // The first one has nothing to wait for.
  assertEquals(await first.first(0, undefined), true);
  const next = line.join();
  const waiting = next.first(60_000, undefined);
  first.leave();
  assertEquals(await waiting, true);
});

depotTest(
  "Place.first throws the reason of its signal, aborted before or meanwhile, and leaves no listener",
  async () => {
    const line = new Line();
    const first = line.join();
    const reason = new SyntaxError("enough");
    const place = line.join();
    assertEquals(await assertRejects(() => first.first(Infinity, AbortSignal.abort(reason))), reason);
    assertEquals(await assertRejects(() => place.first(Infinity, AbortSignal.abort(reason))), reason);
    const abort = new AbortController();
    const { signal } = abort;
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = ((...p: Parameters<typeof add>) => (listeners++, add(...p))) as typeof add;
    signal.removeEventListener = ((...p: Parameters<typeof remove>) => (listeners--, remove(...p))) as typeof remove;
    assertEquals([await place.first(5, signal), listeners], [false, 0]);
    const waiting = assertRejects(() => place.first(Infinity, signal));
    assertEquals(listeners, 1);
    abort.abort(reason);
    assertEquals([await waiting, listeners], [reason, 0]);
  },
);

depotTest("Line.end has every place look again, in order", async () => {
  const line = new Line();
  const looked: [number, boolean][] = [];
  const places = Array.from({ length: 5 }, () => line.join());
  const waiting = places.map(async (place, index) => {
    looked.push([index, await place.first(Infinity, undefined)]);
  });
  await later(0);
  line.end();
  await Promise.all(waiting);
  assertEquals(looked, [[0, true], [1, false], [2, false], [3, false], [4, false]]);
});

depotTest("Line wakes one place for each that leaves, however long it is", async () => {
  const { line, places, came } = lineOf(5000);
  await later(0);
  for (let index = 0; index < 100; index++) {
    places[index].leave();
    await undefined;
  }
  await later(0);
  assertEquals(came, Array.from({ length: 101 }, (_, index) => index));
  for (const place of places.slice(100)) place.leave();
  assertEquals(line.isEmpty, true);
});
