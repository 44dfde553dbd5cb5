/**
 * A producer for the bench of the page: pictures as a camera makes them, smooth with some noise, at a steady rate.
 * Takes a depot's name, width, height and frames a second; ends with its standard input.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";

/** Pictures that are made before the first is published, and shown again and again. */
const PICTURES = 16;
const NOISE = 12;

/** One picture of a moving scene. */
function picture(width: number, height: number, at: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  const centre = { x: width * (0.2 + 0.6 * at / PICTURES), y: height / 2 };
  let random = at + 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      random = random * 1_103_515_245 + 12_345 & 0x7fffffff;
      const noise = (random >> 16) % NOISE;
      const isNear = Math.hypot(x - centre.x, y - centre.y) < height / 5;
      const p = (y * width + x) * 3;
      pixels[p] = (isNear ? 200 : 40 + 120 * x / width) + noise;
      pixels[p + 1] = (isNear ? 90 : 60 + 100 * y / height) + noise;
      pixels[p + 2] = (isNear ? 60 : 150 - 80 * x / width) + noise;
    }
  }
  return pixels;
}

const [name, ...numbers] = process.argv.slice(2);
const [width, height, perSecond] = numbers.map(Number);
const pictures = Array.from({ length: PICTURES }, (_, at) => picture(width, height, at));
await using depot = await FramesDepot.create(name, {
  frameSize: [width, height, 3],
  pixelFormat: "rgb24",
  maxSize: 8,
  whenFull: "overwrite",
});
let isOver = false;
process.stdin.on("end", () => isOver = true).resume();
console.log("ready");
let dueMs = performance.now();
for (let frameNumber = 0; !isOver; frameNumber++) {
  await depot.enqueue({ frameNumber, frame: pictures[frameNumber % PICTURES] });
  dueMs = Math.max(performance.now(), dueMs + 1000 / perSecond);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
}
