/**
 * Coloured lines that must not be wider than the terminal.
 *
 * @module
 */

/** A sequence that takes no room, or a character that does. */
// deno-lint-ignore no-control-regex -- that is what it looks for
const PIECE = /\x1b\[[\d;]*m|./gsu;

/** A line as far as it fits: what comes later would all be written into the last column. Colours end as they would. */
export function cutLine(line: string, columns: number): string {
  let room = columns;
  return line.replace(PIECE, (piece) => piece.startsWith("\x1b") || room-- > 0 ? piece : "");
}
