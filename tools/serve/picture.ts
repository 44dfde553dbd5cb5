/**
 * Pictures as a camera makes them, smooth with some noise: what an encoder has to do depends on what it gets.
 *
 * @module
 */

/** Pictures of the scene, until it begins again. */
export const PICTURES = 16;
const NOISE = 12;

/** One picture of a moving scene, in rgb24. */
export function picture(width: number, height: number, at: number): Uint8Array {
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
