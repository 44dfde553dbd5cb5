/**
 * A moving picture, drawn straight into a slot: colours that scroll, a box that bounces, and the frame's number. It is
 * put together from rows made beforehand, so a frame costs little more than copying it.
 *
 * @module
 */

const CHANNELS = 3;
const WHITE = 255;
const DARK = 24;

/** Digits of 3 × 5 cells: a character a row, whose three bits are the cells from left to right. */
const DIGITS = ["75557", "26227", "71747", "71717", "55711", "74717", "74757", "71222", "75757", "75717"];
const DIGIT_ROWS = 5;
/** Cells from one digit to the next. */
const ADVANCE = 4;

/** Goes from 0 to `most` and back. */
function bounce(way: number, most: number): number {
  if (most <= 0) return 0;
  const place = way % (2 * most);
  return place <= most ? place : 2 * most - place;
}

/** Draws numbered rgb24 pictures of one size. */
export class Picture {
  readonly #width: number;
  readonly #height: number;
  /** One row of colours, twice in a row: each row of the picture is a piece of it. */
  readonly #colours: Uint8Array;
  readonly #boxRow: Uint8Array;
  /** The piece of a row behind the number, and the number's own pixels in it. */
  readonly #plateRow: Uint8Array;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    const rowBytes = width * CHANNELS;
    this.#colours = new Uint8Array(2 * rowBytes);
    for (let i = 0; i < rowBytes; i++) {
      const turn = Math.floor(i / CHANNELS) / width + (i % CHANNELS) / CHANNELS;
      this.#colours[i] = this.#colours[i + rowBytes] = 128 + 110 * Math.cos(2 * Math.PI * turn);
    }
    this.#boxRow = new Uint8Array(Math.ceil(Math.min(width, height) / 6) * CHANNELS).fill(WHITE);
    this.#plateRow = new Uint8Array(rowBytes);
  }

  /** Draws picture number `number`, from 0, over whatever is in `pixels`. @returns true: there is always another one */
  fill(pixels: Uint8Array, number: number): boolean {
    this.#scroll(pixels, number);
    this.#box(pixels, number);
    this.#write(pixels, String(number));
    return true;
  }

  #scroll(pixels: Uint8Array, number: number): void {
    const rowBytes = this.#width * CHANNELS;
    for (let y = 0; y < this.#height; y++) {
      const from = ((number * 4 + y) % this.#width) * CHANNELS;
      pixels.set(this.#colours.subarray(from, from + rowBytes), y * rowBytes);
    }
  }

  #box(pixels: Uint8Array, number: number): void {
    const side = this.#boxRow.length / CHANNELS;
    const x = bounce(number * 7, this.#width - side);
    const y = bounce(number * 5, this.#height - side);
    this.#stack(pixels, this.#boxRow, x, y, side);
  }

  /** Repeats one piece of a row, `rows` times, with its top left corner at `x`, `y`. */
  #stack(pixels: Uint8Array, piece: Uint8Array, x: number, y: number, rows: number): void {
    for (let row = y; row < y + rows; row++) pixels.set(piece, (row * this.#width + x) * CHANNELS);
  }

  /** The number on a dark plate in the top left corner, as large as a fifth of the height or as fits the width. */
  #write(pixels: Uint8Array, digits: string): void {
    const columns = digits.length * ADVANCE + 1;
    const cell = Math.min(Math.ceil(this.#height / 24), Math.floor(this.#width / columns));
    if (cell < 1 || (DIGIT_ROWS + 2) * cell > this.#height) return;
    const plate = this.#plateRow.subarray(0, columns * cell * CHANNELS);
    for (let row = -1; row <= DIGIT_ROWS; row++) {
      plate.fill(DARK);
      for (let i = 0; i < digits.length; i++) {
        const cells = Number(DIGITS[Number(digits[i])][row] ?? 0);
        for (let column = 0; column < 3; column++) {
          if ((cells & (4 >> column)) === 0) continue;
          const from = (1 + i * ADVANCE + column) * cell * CHANNELS;
          plate.fill(WHITE, from, from + cell * CHANNELS);
        }
      }
      this.#stack(pixels, plate, 0, (row + 1) * cell, cell);
    }
  }
}
