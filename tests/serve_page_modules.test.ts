/**
 * Modules of the page of `frames-depot serve` that need no browser: numbers, remarks, what is remembered.
 */
import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { slowness } from "../cli/serve/page/condition.js";
import * as format from "../cli/serve/page/format.js";
import { parsePicture } from "../cli/serve/page/messages.js";
import { Meter } from "../cli/serve/page/meter.js";
import { Remembered } from "../cli/serve/page/remembered.js";
import * as units from "../cli/terminal/units.ts";

const NUMBERS = [0, 0.0004, 0.42, 1, 9.994, 9.996, 33.4, 99.94, 99.96, 999.4, 999.6, 1234, 59_940, 200_000, 7.5e6, 3e9];

test("format of the page writes numbers as the other commands do", () => {
  for (const value of NUMBERS) {
    for (const name of ["bytes", "rate", "count", "gigabytesPerSecond"] as const) {
      assertEquals(format[name](value), units[name](value), `${name}(${value})`);
    }
    assertEquals(format.counted(value, "frame"), units.counted(value, "frame"));
    if (value >= 1) assertEquals(format.duration(value), units.duration(value));
  }
  assertEquals(format.size([640, 480, 3]), units.size([640, 480, 3]));
  assertEquals(format.size([0, 0, 0]), "");
});

test("timestamp is a time of day where it is a date, and seconds where it is not", () => {
  const date = new Date(2026, 10, 30, 7, 8, 9, 12);
  assertEquals(format.timestamp(`${date.getTime()}000000`), "07:08:09.012");
  assertEquals(format.timestamp("1500000000"), "1.500000 s");
});

/** A binary message as the server sends it. */
function message(header: object, bytes: number[]): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const whole = new Uint8Array(4 + text.length + bytes.length);
  new DataView(whole.buffer).setUint32(0, text.length, true);
  whole.set(text, 4);
  whole.set(bytes, 4 + text.length);
  return whole.buffer;
}

test("parsePicture takes a message apart", () => {
  const { header, bytes } = parsePicture(message({ channel: 3, name: "ä", number: 2 ** 40 }, [1, 2, 3]));
  assertEquals([header.channel, header.name, header.number], [3, "ä", 2 ** 40]);
  assertEquals([...bytes], [1, 2, 3]);
});

test("Remembered steps through the last pictures, and forgets those before", () => {
  const remembered = new Remembered();
  const add = (number: number, codec = "jpeg") => {
    remembered.add(parsePicture(message({ number, codec }, Array(1000).fill(0))));
  };
  for (let number = 0; number < 1000; number += 2) add(number);
  add(1001, "h264");
  assertEquals(remembered.beside(900, -1)?.header.number, 898);
  assertEquals(remembered.beside(900, 1)?.header.number, 902);
  assertEquals(remembered.beside(998, 1), undefined);
  assertEquals(remembered.beside(901, -1), undefined);
  assertEquals(remembered.beside(100, -1), undefined);
});

test("Meter counts what is drawn now, and the median of delays", () => {
  const meter = new Meter();
  for (let n = 0; n < 50; n++) meter.add(n * 100, n % 2 === 0 ? 40 : 60);
  const { perSecond, delayMs } = meter.read(4900);
  assertEquals([Math.round(perSecond), delayMs], [10, 60]);
  assertEquals(meter.read(20_000), { perSecond: 0, delayMs: undefined });
});

test("slowness names the reader that holds the queue up", () => {
  const depot = { name: "camera0", state: "live" as const, maxSize: 8 };
  const slow = [
    { pid: 1, runtime: "bun", mode: "lossy", lag: 9 },
    { pid: 2, runtime: "deno", mode: "lossless", lag: 8, blocks: true },
  ];
  const held = slowness({ ...depot, slow, full: true });
  assertEquals(held, { text: "full: deno 2 holds the queue up, 8 frames behind", level: "bad" });
  assertEquals(slowness({ ...depot, slow: [{ ...slow[0], lag: 4 }] })?.level, "warning");
  assertEquals(slowness({ ...depot, slow: [{ ...slow[0], lag: 3 }] })?.level, "plain");
  const missing = slowness({ ...depot, full: true, whenFull: "wait" });
  assertEquals(missing?.text, "full: no lossless reader is attached, so the frames wait for one");
  assertEquals(slowness(depot), undefined);
});
