/**
 * Random numbers that a seed brings back: a run is planned by them, so its seed repeats the plan (not the moments).
 *
 * @module
 */

/** Mulberry32: small, and good enough to choose with. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 bits. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }

  /** From 0 to 1, without 1. */
  unit(): number {
    return this.word() / 2 ** 32;
  }

  /** A whole number, both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1));
  }

  /** True `chance` times in a hundred. */
  percent(chance: number): boolean {
    return this.unit() * 100 < chance;
  }

  /** One of several. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)];
  }

  /** A seed for another generator. */
  seed(): number {
    return this.integer(1, 0x7fffffff);
  }
}
