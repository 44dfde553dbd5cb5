/**
 * A file beside the depot in which every life notes what it has done. A write is over once the call returns, so a note
 * outlives the process that made it, however that ended.
 *
 * @module
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** What a life notes, each a double. */
export const NOTE = {
  /** Frames begun. */
  attempted: 0,
  /** Frames whose storing was said to be done: every lossless reader has to see them. */
  acknowledged: 8,
  /** One of STATE. */
  state: 16,
  /** Frames read. */
  read: 24,
  /** Errors by which a thread means to end. */
  fails: 32,
  /** Where names are taken: the depot in which it stores or reads, as {@linkcode generationOf} has it. */
  generation: 40,
  /** The sequence of the last frame that was acknowledged. */
  sequence: 48,
} as const;

/** A depot's id as a number that a note can hold: its first 52 bits. */
export const generationOf = (id: string): number => parseInt(id.slice(0, 13), 16);

/** What a life is at; `killed` with its process, at a step of its end. */
export const STATE = { unborn: 0, living: 1, frozen: 2, died: 3, ended: 4, killed: 5 } as const;

const BYTES = 56;

/** The file, which every process opens by its path. */
export class Board {
  readonly path: string;
  readonly #file: number | undefined;
  readonly #bytes = new Float64Array(1);
  readonly #view = new Uint8Array(this.#bytes.buffer);

  /** @param stays whether it stays open; not in a worker, whose files Bun does not close when it ends */
  constructor(file: string, stays = true) {
    this.path = file;
    this.#file = stays ? fs.openSync(file, "r+") : undefined;
  }

  #use<T>(use: (file: number) => T): T {
    if (this.#file !== undefined) return use(this.#file);
    const file = fs.openSync(this.path, "r+");
    try {
      return use(file);
    } finally {
      fs.closeSync(file);
    }
  }

  /** Makes the file. */
  static make(name: string): Board {
    const file = path.join(os.tmpdir(), `frames-depot-${name}.board`);
    fs.writeFileSync(file, "", { flag: "wx" });
    fs.writeFileSync(`${file}.flaws`, "");
    return new Board(file);
  }

  /** Notes a number. */
  write(life: number, note: number, value: number): void {
    this.#bytes[0] = value;
    this.#use((file) => fs.writeSync(file, this.#view, 0, 8, Board.at(life, note)));
  }

  /** The offset of a note in the file, for the C code that writes it. */
  static at(life: number, note: number): number {
    return life * BYTES + note;
  }

  /** What was noted; 0 where nothing was. */
  read(life: number, note: number): number {
    this.#bytes[0] = 0;
    this.#use((file) => fs.readSync(file, this.#view, 0, 8, Board.at(life, note)));
    return this.#bytes[0];
  }

  /** Notes what must not be, in words. */
  accuse(what: string): void {
    fs.appendFileSync(`${this.path}.flaws`, `${what}\n`);
  }

  /** All that must not be. */
  accusations(): string[] {
    return fs.readFileSync(`${this.path}.flaws`, "utf8").split("\n").filter((line) => line !== "");
  }

  /** Removes the file. */
  remove(): void {
    if (this.#file !== undefined) fs.closeSync(this.#file);
    fs.rmSync(this.path, { force: true });
    fs.rmSync(`${this.path}.flaws`, { force: true });
  }
}
