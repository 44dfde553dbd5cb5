import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { makePicture } from "../cli/serve/picture_job.ts";
import { jpegSize } from "../cli/video/jpeg_size.ts";

async function picture(width: number, height: number): Promise<Uint8Array> {
  const pixels = {
    name: "a-picture",
    pixelFormat: "rgb24",
    elementType: "uint8" as const,
    frameSize: [width, height, 3] as [number, number, number],
    color: {},
  };
  const data = new Uint8Array(width * height * 3);
  return (await makePicture({ pixels, data, before: [], type: "jpeg", width, height, quality: 50 })).bytes;
}

test("jpegSize is what an encoder was asked for", async () => {
  for (const [width, height] of [[1, 1], [16, 8], [641, 479]]) {
    assertEquals(jpegSize(await picture(width, height)), { width, height });
  }
});

test("jpegSize passes over other segments and padding", async () => {
  const bytes = await picture(20, 10);
  const comment = [0xff, 0xff, 0xfe, 0, 4, 0xff, 0xc0];
  assertEquals(jpegSize(Uint8Array.of(0xff, 0xd8, ...comment, ...bytes.subarray(2))), { width: 20, height: 10 });
});

test("jpegSize of what is cut, or no JPEG, is undefined", async () => {
  const bytes = await picture(20, 10);
  const header = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xc0);
  for (let length = 0; length < header + 9; length++) assertEquals(jpegSize(bytes.subarray(0, length)), undefined);
  assertEquals(jpegSize(bytes.subarray(0, header + 9)), { width: 20, height: 10 });
  const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  const scan = [0xff, 0xd8, 0xff, 0xda, ...new Array(20).fill(0)];
  const endless = [0xff, 0xd8, 0xff, 0xe0, ...new Array(20).fill(0)]; // a segment of no length
  for (const other of [png, scan, endless]) assertEquals(jpegSize(Uint8Array.from(other)), undefined);
});
