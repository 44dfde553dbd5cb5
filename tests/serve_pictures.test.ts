/**
 * Pictures of `frames-depot serve`: of numbered frames in every format, decoded by ffmpeg; and what is no picture.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { jpegSize } from "../cli/video/jpeg_size.ts";
import { loadShim } from "../ffi/load.ts";
import { FramesDepot } from "../mod.ts";
import { installed, output } from "../tools/support/ffmpegs.ts";
import { pathWith } from "./support/fake_ffmpeg.ts";
import { depotTest, skip } from "./support/harness.ts";
import { colored, colorOf, Served, textOf } from "./support/serve_scene.ts";
import { decoded, ffmpeg, fileOf, makeClip, videoTest } from "./support/video.ts";

const [WIDTH, HEIGHT] = [64, 48];
const SHAPE = { frameSize: [WIDTH, HEIGHT, 3], pixelFormat: "rgb24", maxSize: 4, whenFull: "overwrite" } as const;
const SHARP = "sharp@0.35.5";
/** Of 255: what a JPEG may differ by within one colour. */
const SLACK = 6;

async function fill(depot: FramesDepot, numbers: readonly number[]): Promise<void> {
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: colored(frameNumber, WIDTH, HEIGHT) });
}

function assertColor(pixels: Uint8Array, number: number): void {
  const color = colorOf(number);
  const farthest = pixels.reduce((most, value, at) => Math.max(most, Math.abs(value - color[at % 3])), 0);
  assert(farthest <= SLACK, `frame ${number} differs by ${farthest}: ${pixels.slice(0, 3)} for ${color}`);
}

videoTest("serve's pictures are those of the frames with their numbers", async ({ name, folder }) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await fill(depot, [3, 4, 5, 6, 7, 8]);
  await using served = await Served.start([]);
  const newest = await served.get(`depots/${name}/latest.jpg`);
  assertEquals([newest.status, newest.headers["content-type"], newest.headers["x-frame-number"]], [
    200,
    "image/jpeg",
    "8",
  ]);
  assertEquals(newest.headers["cache-control"], "no-store");
  assertColor(decoded(fileOf(folder, "newest.jpg", newest.bytes), ["-pix_fmt", "rgb24"]), 8);
  for (const number of [5, 6, 8]) {
    const { status, headers, bytes } = await served.get(`depots/${name}/frames/${number}.png`);
    assertEquals([status, headers["content-type"], headers["x-frame-number"]], [200, "image/png", String(number)]);
    const pixels = decoded(fileOf(folder, `${number}.png`, bytes), ["-pix_fmt", "rgb24"]);
    assertEquals(pixels, colored(number, WIDTH, HEIGHT));
  }
  const gone = await served.get(`depots/${name}/frames/3.png`);
  assertEquals(gone.status, 404);
  assertStringIncludes(textOf(gone), "has no frame 3 any more");
  assertEquals((await served.get(`depots/${name}/latest.png`)).headers["x-frame-number"], "8");
  assertEquals(depot.stats().stored, 6);
});

videoTest("serve makes pictures smaller, never larger, in few widths", async ({ name, folder }) => {
  const [width, height] = [700, 350];
  await using depot = await FramesDepot.create(name, { ...SHAPE, frameSize: [width, height, 3] });
  await depot.enqueue({ frameNumber: 1, frame: colored(1, width, height) });
  await using served = await Served.start([]);
  for (
    const [asked, wide, high] of [[1, 160, 80], [160, 160, 80], [161, 240, 120], [650, 700, 350], [5000, 700, 350]]
  ) {
    const { bytes } = await served.get(`depots/${name}/latest.jpg?width=${asked}`);
    const pixels = decoded(fileOf(folder, `${asked}.jpg`, bytes), ["-pix_fmt", "rgb24"]);
    assertEquals(pixels.length, wide * high * 3, `width ${asked}`);
    assertColor(pixels, 1);
  }
  for (const wrong of ["0", "-5", "x", "1e3", "99999", "16385", ""]) {
    assertEquals((await served.get(`depots/${name}/latest.jpg?width=${wrong}`)).status, 400, wrong);
  }
});

videoTest(
  "serve makes YUV and planes of colours smaller without moving anything",
  async ({ name, another, folder }) => {
    const [width, height] = [643, 322]; // no multiple of anything
    const colors = [[0xc8, 0x28, 0x28], [0x28, 0x28, 0xc8]];
    const halves = `color=0xc82828:s=${width}x${height},drawbox=x=${
      width >> 1
    }:w=${width}:h=${height}:color=0x2828c8:t=fill`;
    await using served = await Served.start([]);
    for (const [index, pixelFormat] of ["yuv420p", "nv12", "gbrp", "yuyv422"].entries()) {
      const frame = ffmpeg([
        ...["-f", "lavfi", "-i", halves, "-frames:v", "1"],
        ...[
          "-vf",
          `scale=${index === 3 ? width + 1 : width}:${height}`,
          "-pix_fmt",
          pixelFormat,
          "-f",
          "rawvideo",
          "pipe:1",
        ],
      ]);
      const each = index === 0 ? name : another();
      const frameSize = [index === 3 ? width + 1 : width, height] as [number, number];
      await using depot = await FramesDepot.create(each, { pixelFormat, frameSize, whenFull: "overwrite" });
      await depot.enqueue({ frameNumber: 1, frame });
      const { bytes } = await served.get(`depots/${each}/latest.jpg?width=160`);
      const pixels = decoded(fileOf(folder, `${index}.jpg`, bytes), ["-pix_fmt", "rgb24"]);
      assertEquals(pixels.length, 160 * 80 * 3, pixelFormat);
      for (const [half, columns] of [[5, 70], [90, 155]].entries()) {
        for (const [x, y] of columns.flatMap((x) => [[x, 5], [x, 75]])) {
          const at = (y * 160 + x) * 3;
          for (const [channel, value] of colors[half].entries()) {
            assert(
              Math.abs(pixels[at + channel] - value) <= 12,
              `${pixelFormat} at ${x}, ${y}: ${pixels.slice(at, at + 3)}`,
            );
          }
        }
      }
    }
  },
);

videoTest(
  "serve shows YUV, 16 bits and JPEG; a JPEG of its own size passes as it is",
  async (scene) => {
    const { name, another, folder } = scene;
    const clip = (format: string) =>
      ffmpeg(["-f", "lavfi", "-i", `color=0x3c78b4:s=${WIDTH}x${HEIGHT}`, "-frames:v", "1", ...format.split(" ")]);
    const jpeg = clip("-c:v mjpeg -q:v 2 -f image2pipe pipe:1");
    const frames: [options: object, frame: Uint8Array | Uint16Array][] = [
      [{ pixelFormat: "yuv420p", frameSize: [WIDTH, HEIGHT] }, clip("-pix_fmt yuv420p -f rawvideo pipe:1")],
      [
        { pixelFormat: "rgb48le", frameSize: [WIDTH, HEIGHT] },
        new Uint16Array(clip("-pix_fmt rgb48le -f rawvideo pipe:1").buffer),
      ],
      [{ pixelFormat: "mjpeg", frameSize: [WIDTH, HEIGHT], frameBytes: 100_000, variableLength: true }, jpeg],
    ];
    await using served = await Served.start([]);
    for (const [index, [options, frame]] of frames.entries()) {
      const each = index === 0 ? name : another();
      await using depot = await FramesDepot.create(each, { whenFull: "overwrite", ...options });
      await depot.enqueue({ frameNumber: 1, frame });
      const { status, bytes } = await served.get(`depots/${each}/latest.jpg`);
      assertEquals(status, 200);
      const pixels = decoded(fileOf(folder, `${index}.jpg`, bytes), ["-pix_fmt", "rgb24"]);
      assertEquals(pixels.length, WIDTH * HEIGHT * 3);
      for (const [at, value] of [0x3c, 0x78, 0xb4].entries()) {
        assert(Math.abs(pixels[at] - value) <= SLACK, `${pixels.slice(0, 3)}`);
      }
      if (index === 2) assertEquals(bytes, jpeg);
    }
  },
);

for (const [pixelFormat, codec] of [["mjpeg", "-c:v mjpeg -f image2pipe"], ["h264", "-c:v libx264 -f h264"]]) {
  videoTest(`serve takes the size of ${pixelFormat} from the frames, where their depot has none`, async ({ name }) => {
    const clip = ffmpeg(`-f lavfi -i testsrc2=s=320x200 -frames:v 1 -pix_fmt yuv420p ${codec} pipe:1`.split(" "));
    await using depot = await FramesDepot.create(name, { pixelFormat, frameBytes: 200_000, variableLength: true });
    await depot.enqueue({ frameNumber: 1, frame: clip });
    await using served = await Served.start([]);
    for (const [asked, size] of [["", [320, 200]], ["?width=160", [160, 100]]] as const) {
      const { bytes } = await served.get(`depots/${name}/latest.jpg${asked}`);
      assertEquals(jpegSize(bytes), { width: size[0], height: size[1] });
    }
    const live = await served.live();
    live.show(name, { width: 160 });
    const { header, bytes } = await live.picture(() => true);
    assertEquals([header.width, header.height, jpegSize(bytes)], [160, 100, { width: 160, height: 100 }]);
  });
}

videoTest("serve makes the same pictures with sharp, where that is installed", async ({ name, another, folder }) => {
  if (loadShim().source.includes("musl")) return skip("npm, which runs on glibc, installs sharp for it");
  let cwd: string;
  try {
    cwd = installed(SHARP, (made) => {
      writeFileSync(join(made, "package.json"), "{}");
      output("npm", ["install", "--silent", "--prefix", made, SHARP]);
    });
  } catch (error) {
    return skip(`${SHARP}: ${(error as Error).message}`);
  }
  await using served = await Served.start([], { cwd });
  const live = await served.live();
  assertEquals((await live.said("hello")).sharp, true);
  const size = `color=0x3c78b4:s=320x200`;
  const clip = (format: string) => ffmpeg(["-f", "lavfi", "-i", size, "-frames:v", "1", ...format.split(" ")]);
  for (const [index, pixelFormat] of ["rgb24", "rgba", "gray", "bgr24", "yuv420p", "rgb48le", "mjpeg"].entries()) {
    const isJpeg = pixelFormat === "mjpeg";
    const bytes = clip(
      isJpeg ? "-c:v mjpeg -q:v 2 -f image2pipe pipe:1" : `-pix_fmt ${pixelFormat} -f rawvideo pipe:1`,
    );
    const frame = pixelFormat === "rgb48le" ? new Uint16Array(bytes.buffer) : bytes;
    const each = index === 0 ? name : another();
    const shape = { pixelFormat, frameSize: [320, 200] as [number, number], whenFull: "overwrite" as const };
    await using depot = await FramesDepot.create(
      each,
      isJpeg ? { ...shape, frameBytes: 200_000, variableLength: true } : shape,
    );
    await depot.enqueue({ frameNumber: 1, frame });
    live.show(each, { channel: index, width: 160 });
    const { header, bytes: jpeg } = await live.picture(({ channel }) => channel === index);
    assertEquals([header.width, header.height], [160, 100]);
    const pixels = decoded(fileOf(folder, `${index}.jpg`, jpeg), ["-pix_fmt", "rgb24"]);
    assertEquals(pixels.length, 160 * 100 * 3);
    const color = pixelFormat === "gray" ? [bytes[0], bytes[0], bytes[0]] : [0x3c, 0x78, 0xb4];
    for (const [at, value] of color.entries()) {
      assert(Math.abs(pixels[at] - value) <= SLACK, `${pixelFormat}: ${pixels.slice(0, 3)}`);
    }
  }
});

videoTest("serve decodes H.264 that a depot holds", async ({ name, folder }) => {
  const found = spawnSync("ffmpeg", ["-hide_banner", "-encoders"], { encoding: "utf8" });
  if (!found.stdout.includes(" libx264 ")) return skip("this ffmpeg has no libx264");
  const all = join(folder, "all.mkv");
  ffmpeg(["-i", makeClip(folder, { frames: 6 }), "-c:v", "libx264", "-bf", "0", "-g", "4", all]);
  const cut = ["-map", "0", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "segment", "-segment_format", "h264"];
  const each = [...cut, "-break_non_keyframes", "1", "-segment_frames", "1,2,3,4,5"];
  ffmpeg(["-i", all, ...each, join(folder, "%d.bin")]);
  await using depot = await FramesDepot.create(name, {
    ...{ frameSize: [160, 120], pixelFormat: "h264", frameBytes: 100_000, variableLength: true, whenFull: "overwrite" },
  });
  for (let n = 0; n < 6; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(readFileSync(join(folder, `${n}.bin`))) });
  }
  await using served = await Served.start([]);
  const rgb = ["-pix_fmt", "rgb24"];
  const size = 160 * 120 * 3;
  const png = await served.get(`depots/${name}/frames/5.png`);
  assertEquals(png.status, 200, textOf(png));
  assertEquals(decoded(fileOf(folder, "5.png", png.bytes), rgb), decoded(all, rgb).slice(5 * size));
  const live = await served.live();
  live.show(name, { width: 160 });
  const { bytes } = await live.picture(({ number }) => number === 5);
  assertEquals(decoded(fileOf(folder, "5.jpg", bytes), rgb).length, size);
});

videoTest("serve gives an ffmpeg up that does not decode, and goes on with other depots", async (scene) => {
  const { name, folder } = scene;
  const another = scene.another();
  await using depot = await FramesDepot.create(name, {
    ...{ frameSize: [WIDTH, HEIGHT, 3], pixelFormat: "h264", variableLength: true, whenFull: "overwrite" },
  });
  for (const frameNumber of [1, 2]) await depot.enqueue({ frameNumber, frame: new Uint8Array(100) });
  await using other = await FramesDepot.create(another, SHAPE);
  await fill(other, [1]);
  const PATH = pathWith(folder, `case "$*" in *matroska*) exec sleep 1000;; esac; exec "$REAL" "$@"`);
  await using served = await Served.start([], { env: { PATH } });
  const stuck = [1, 2].map((number) => served.get(`depots/${name}/frames/${number}.png`)); // both places are taken
  assertEquals((await served.get(`depots/${another}/latest.jpg`)).status, 200);
  for (const got of await Promise.all(stuck)) {
    assertEquals(got.status, 409);
    assertStringIncludes(textOf(got), "ffmpeg has not decoded it in 10 s");
  }
});

depotTest("serve says why frames are no pictures", async (name) => {
  await using depot = await FramesDepot.create(name, {
    frameSize: [4, 2, 3],
    pixelFormat: "json",
    variableLength: true,
    whenFull: "overwrite",
  });
  await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(24) });
  await using served = await Served.start([]);
  const got = await served.get(`depots/${name}/latest.jpg`);
  assertEquals(got.status, 409);
  assertStringIncludes(textOf(got), 'its pixel format, \\"json\\", has no meaning here');
});

depotTest("serve says of which depot a frame is no JPEG, and what shows it as it is", async (name) => {
  await using depot = await FramesDepot.create(name, {
    ...{ frameSize: [640, 480, 3], pixelFormat: "mjpeg", variableLength: true, whenFull: "overwrite" },
  });
  const huge = Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0xff, 0xff, 0xff, 0xff, 3, 1, 17, 0, 2, 17, 0, 3, 17, 0);
  for (const [frameNumber, frame] of [new Uint8Array(50), huge, new Uint8Array()].entries()) {
    await depot.enqueue({ frameNumber, frame });
  }
  await using served = await Served.start([]);
  for (const [number, length] of [50, huge.length, 0].entries()) {
    const got = await served.get(`depots/${name}/frames/${number}.png`);
    assertEquals(got.status, 409);
    const { error } = JSON.parse(textOf(got));
    const begin = `cannot make a picture of depot "${name}": its frame of ${length} bytes is no JPEG`;
    assertEquals(error.slice(0, begin.length), begin);
    assertStringIncludes(error, `\`frames-depot read ${name} --frames 1\``);
  }
});

videoTest("serve streams JPEGs as camera viewers read them", async ({ name, folder }) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await fill(depot, [1]);
  await using served = await Served.start([]);
  let stream = "";
  let changed = () => {};
  const asked = request(new URL(`depots/${name}/stream.mjpeg`, served.url), (response) => {
    assertEquals(response.headers["content-type"], "multipart/x-mixed-replace; boundary=frame");
    response.on("error", () => {}); // the server ends
    response.on("data", (data: Buffer) => {
      stream += data.toString("latin1");
      changed();
    });
  });
  asked.on("error", () => {});
  asked.end();
  const has = async (text: string) => {
    while (!stream.includes(text)) await new Promise<void>((resolve) => changed = resolve);
  };
  for (const number of [1, 2, 3]) {
    if (number > 1) await fill(depot, [number]);
    await has(`X-Frame-Number: ${number}\r\n`);
  }
  await fill(depot, [4]);
  await has("X-Frame-Number: 4\r\n"); // so that the third is whole
  const [, head, body] = /--frame\r\n(Content-Type: image\/jpeg\r\n[^]*?X-Frame-Number: 3\r\n[^]*?)\r\n\r\n([^]*)/.exec(
    stream.slice(stream.indexOf("X-Frame-Number: 2")),
  )!;
  const length = Number(/Content-Length: (\d+)/.exec(head)![1]);
  const picture = Uint8Array.from(body.slice(0, length), (letter) => letter.charCodeAt(0));
  assertColor(decoded(fileOf(folder, "3.jpg", picture), ["-pix_fmt", "rgb24"]), 3);
  asked.destroy();
});
