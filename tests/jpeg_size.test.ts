/**
 * The size in a JPEG's header, of headers that are put together here. That of pictures of encoders is tested with
 * `serve`.
 */
import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { jpegSize } from "../cli/video/jpeg_size.ts";

const START = [0xff, 0xd8];
const JFIF = [0xff, 0xe0, 0, 16, ...new TextEncoder().encode("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0];
const TABLES = [0xff, 0xc4, 0, 4, 0xff, 0xc0]; // DHT: its code is among those of frame headers
const frameHeader = (width: number, height: number, code = 0xc0) => {
  return [0xff, code, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0];
};
const sizeOf = (...bytes: number[]) => jpegSize(Uint8Array.from(bytes));

test("jpegSize is that of the frame header, baseline or progressive, whatever is before it", () => {
  assertEquals(sizeOf(...START, ...frameHeader(1, 1)), { width: 1, height: 1 });
  assertEquals(sizeOf(...START, ...JFIF, ...TABLES, ...frameHeader(641, 479)), { width: 641, height: 479 });
  assertEquals(sizeOf(...START, ...JFIF, ...frameHeader(65535, 300, 0xc2)), { width: 65535, height: 300 });
  const padded = [0xff, 0xff, 0xff, 0xfe, 0, 4, 0xff, 0xc0];
  assertEquals(sizeOf(...START, ...padded, ...frameHeader(20, 10)), { width: 20, height: 10 });
});

test("jpegSize of a part of a picture's memory is that of the part", () => {
  const bytes = Uint8Array.from([1, 2, 3, ...START, ...JFIF, ...frameHeader(20, 10)]);
  assertEquals(jpegSize(bytes.subarray(3)), { width: 20, height: 10 });
});

test("jpegSize of what is cut, says no size, or is no JPEG, is undefined", () => {
  const whole = [...START, ...JFIF, ...frameHeader(20, 10)];
  const end = START.length + JFIF.length + 9; // with the width
  for (let length = 0; length < end; length++) assertEquals(sizeOf(...whole.slice(0, length)), undefined, `${length}`);
  assertEquals(sizeOf(...whole.slice(0, end)), { width: 20, height: 10 });
  const others = [
    [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13],
    [...START, ...frameHeader(20, 0)], // the height comes after the lines
    [...START, 0xff, 0xda, ...new Array(20).fill(0)],
    [...START, 0xff, 0xe0, ...new Array(20).fill(0)], // a segment of no length
  ];
  for (const other of others) assertEquals(sizeOf(...other), undefined);
});
