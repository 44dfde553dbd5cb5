import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { AccessUnits, isKeyUnit } from "../cli/video/access_units.ts";

const tag = (type: number, body: number[]) => {
  return [type, 0, body.length >> 8, body.length & 255, 0, 0, 0, 0, 0, 0, 0, ...body, 0, 0, 0, 0];
};

test("AccessUnits takes pictures out of FLV, wherever it is cut", () => {
  const [sps, pps, idr, slice] = [[0x67, 1, 2], [0x68, 3], [0x65, 4, 5, 6], [0x41, ...Array<number>(300).fill(7)]];
  const sized = (unit: number[]) => [0, 0, unit.length >> 8, unit.length & 255, ...unit];
  const flv = Uint8Array.from([
    ...[0x46, 0x4c, 0x56, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0],
    ...tag(18, [2, 0, 3, 1, 2, 3]),
    ...tag(9, [0x17, 0, 0, 0, 0, 1, 100, 0, 30, 0xff, 0xe1, 0, 3, ...sps, 1, 0, 2, ...pps]),
    ...tag(9, [0x17, 1, 0, 0, 0, ...sized(idr)]),
    ...tag(9, [0x27, 1, 0, 0, 0, ...sized(slice), ...sized(slice)]),
  ]);
  const start = [0, 0, 0, 1];
  const wanted = [
    [...start, ...sps, ...start, ...pps, ...start, ...idr],
    [...start, ...slice, ...start, ...slice],
  ];
  for (let cut = 0; cut <= flv.length; cut++) {
    const units = new AccessUnits();
    const got = [...units.push(flv.subarray(0, cut)), ...units.push(flv.subarray(cut))];
    assertEquals(got.map(({ bytes }) => [...bytes]), wanted);
    assertEquals(got.map(({ key }) => key), [true, false]);
    assertEquals(got.map(({ bytes }) => isKeyUnit(bytes)), [true, false]);
    assertEquals(got[0].codecString, "avc1.64001E");
  }
});
