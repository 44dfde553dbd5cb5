/**
 * Sizes of pictures: few of them, so that clients share what is made.
 *
 * @module
 */

/** The widths that there are, beside that of the frame itself. */
export const WIDTHS: readonly number[] = [160, 240, 320, 480, 640, 960, 1280, 1920, 2560, 3840];

/** A width and a height. */
export type Size = { width: number; height: number };

/** The least width that is enough for a client. */
export function roundedWidth(wanted: number): number {
  return WIDTHS.find((width) => width >= wanted) ?? WIDTHS.at(-1)!;
}

/**
 * The size of a picture of a frame: never larger than the frame, and at most as wide as the largest width. Height 0
 * where the size of the frame is not known before it is decoded.
 */
export function sizeOf([fullWidth, fullHeight]: readonly [number, number, ...number[]], wanted: number): Size {
  if (fullWidth === 0 || fullHeight === 0) return { width: roundedWidth(wanted), height: 0 };
  const width = Math.min(fullWidth, roundedWidth(wanted));
  return { width, height: Math.max(1, Math.round(fullHeight * width / fullWidth)) };
}

/** Even sizes, as H.264 of 4:2:0 wants them; at least 2. */
export function evenSize({ width, height }: Size): Size {
  return { width: Math.max(2, width & ~1), height: Math.max(2, height & ~1) };
}
