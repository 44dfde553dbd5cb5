/**
 * Coloured lines that must not be wider than the terminal.
 *
 * @module
 */

/** An escape sequence, which has no width, or one visible character. */
// deno-lint-ignore no-control-regex -- that is what it looks for
const PIECE = /\x1b\[[\d;]*m|./gsu;

/** Cuts a line to the terminal's width, because the rest would overwrite the last column. Colour sequences all stay. */
export function cutLine(line: string, columns: number): string {
  let room = columns;
  return line.replace(PIECE, (piece) => piece.startsWith("\x1b") || room-- > 0 ? piece : "");
}
