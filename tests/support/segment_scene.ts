/**
 * Segments and their mappings through the interface between TypeScript and C, for tests of that interface.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { loadShim } from "../../ffi/load.ts";
import type { Mapping } from "../../ffi/mapping.ts";
import type { Segment } from "../../ffi/segment.ts";

/** Bytes of a segment. */
export const BYTES = 64 * 1024;
/** Two wake words, one for each lane. */
export const WAKE_WORDS = [512, 640];

/** Closes a segment at the end of its scope. */
export class Held implements Disposable {
  readonly segment: Segment;
  readonly mapping: Mapping;

  constructor(segment: Segment | number, bytes = BYTES, wakeWords = WAKE_WORDS) {
    assert(typeof segment !== "number", `errno ${segment}`);
    this.segment = segment;
    const mapping = segment.map(bytes, wakeWords);
    assert(typeof mapping !== "number", `errno ${mapping}`);
    this.mapping = mapping;
  }

  [Symbol.dispose](): void {
    this.mapping.unmap();
    this.segment.close();
  }
}

/** A named segment. */
export function make(name: string, bytes = BYTES, wakeWords = WAKE_WORDS): Held {
  const held = new Held(loadShim().create(name, bytes, 0o600), bytes, wakeWords);
  assertEquals(held.segment.name(), 0);
  return held;
}
