/**
 * A page of text that is refreshed in place and listens to keys. In every case the terminal is given back as it was.
 *
 * @module
 */
import process from "node:process";
import { isatty } from "node:tty";
import ansi from "ansi-escapes";
import { cutLine } from "./cut_line.ts";

/** A line is always one row, also while the terminal is being made narrower. */
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";

/** Takes the terminal over until it is disposed of. */
export class Screen implements Disposable {
  readonly #onKey: (data: string | Uint8Array) => void;
  readonly #atExit = () => this.#giveBack();
  readonly #onResize: () => void;
  readonly #listens: boolean;
  #given = false;

  /** @param options `onKey`: gets one character; `onResize`: draw again */
  constructor(options: { onKey: (key: string) => void; onResize: () => void }) {
    this.#onKey = (data) => {
      for (const key of typeof data === "string" ? data : new TextDecoder().decode(data)) options.onKey(key);
    };
    this.#onResize = options.onResize;
    this.#listens = isatty(0);
    process.on("exit", this.#atExit); // also after an uncaught error
    process.stdout.write(ansi.enterAlternativeScreen + ansi.cursorHide + NO_WRAP);
    process.stdout.on("resize", this.#onResize);
    if (!this.#listens) return;
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.#onKey).resume();
  }

  /** Lines that fit. */
  get rows(): number {
    return process.stdout.rows || 24;
  }

  /** Shows lines in place of those before, in one piece: no flicker. */
  draw(lines: string[]): void {
    // Erased before it is written: behind the last column, erasing would take the last character.
    const columns = process.stdout.columns || 80;
    const visible = lines.slice(0, this.rows).map((line) => ansi.eraseEndLine + cutLine(line, columns));
    const below = visible.length < this.rows ? "\r\n" + ansi.eraseDown : "";
    process.stdout.write(ansi.cursorTo(0, 0) + visible.join("\r\n") + below);
  }

  #giveBack(): void {
    if (this.#given) return;
    this.#given = true;
    if (this.#listens) process.stdin.setRawMode(false);
    process.stdout.write(WRAP + ansi.cursorShow + ansi.exitAlternativeScreen);
  }

  [Symbol.dispose](): void {
    process.stdout.off("resize", this.#onResize);
    if (this.#listens) process.stdin.off("data", this.#onKey).pause();
    this.#giveBack();
    process.off("exit", this.#atExit);
  }
}
