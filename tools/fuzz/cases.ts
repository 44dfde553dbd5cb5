/**
 * Broken and hostile segments: what each numbered case puts under a depot's name. A case depends on the seed and its
 * number alone, so that one can be run again.
 *
 * @module
 */
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { Random } from "../support/random.ts";

/** A sound segment's bytes, and where its tables end: what lies beyond is payload. */
export type Specimen = { bytes: Uint8Array; tablesEnd: number };

/** Values that break more than random ones do. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** What a case did, for the report of a failure. */
export type Case = { kind: string; detail: string };

/**
 * Puts case `number` at `path`, which must be free. The first cases go through every byte of header and tables; those
 * after mix all kinds.
 */
export function makeCase(path: string, specimen: Specimen, seed: number, number: number): Case {
  const random = new Random(seed ^ Math.imul(number + 1, 0x9e3779b1));
  const pick = (limit: number) => random.word() % limit;
  const bytes = specimen.bytes.slice();
  const write = (kind: string, detail: string, data: Uint8Array = bytes): Case => {
    writeFileSync(path, data, { mode: 0o600, flag: "wx" });
    return { kind, detail };
  };
  const byteAt = (at: number): Case => {
    const value = (bytes[at] ^ (1 + pick(255))) & 0xff;
    bytes[at] = value;
    return write("byte", `offset ${at} becomes ${value}`);
  };

  if (number < specimen.tablesEnd) return byteAt(number);
  switch (pick(12)) {
    case 0:
      return byteAt(pick(specimen.tablesEnd));
    case 1:
    case 2:
    case 3: { // a word of header or tables becomes an edge
      const at = pick(specimen.tablesEnd >> 2) * 4;
      const value = EDGES[pick(EDGES.length)];
      new DataView(bytes.buffer).setUint32(at, value, true);
      return write("word", `offset ${at} becomes ${value}`);
    }
    case 4: { // two words of one 64-bit field
      const at = pick(specimen.tablesEnd >> 3) * 8;
      const [low, high] = [EDGES[pick(EDGES.length)], EDGES[pick(EDGES.length)]];
      new DataView(bytes.buffer).setUint32(at, low, true);
      new DataView(bytes.buffer).setUint32(at + 4, high, true);
      return write("long", `offset ${at} becomes ${high}:${low}`);
    }
    case 5: { // many bytes
      const count = 1 + pick(64);
      for (let i = 0; i < count; i++) bytes[256 + pick(specimen.tablesEnd - 256)] = pick(256);
      return write("bytes", `${count} bytes after the geometry`);
    }
    case 6: { // cut short
      const length = pick(bytes.length);
      return write("cut", `${length} bytes`, bytes.subarray(0, length));
    }
    case 7: { // grown
      const made = write("grown", "");
      truncateSync(path, bytes.length + 1 + pick(1 << 20));
      return made;
    }
    case 8:
      return write("zeros", "", new Uint8Array(pick(2 * bytes.length)));
    case 9: {
      const noise = new Uint8Array(pick(2 * bytes.length));
      for (let i = 0; i < noise.length; i++) noise[i] = pick(256);
      return write("noise", `${noise.length} bytes`, noise);
    }
    case 10: { // the hot words and tables are noise, the geometry is sound
      for (let at = 256; at < specimen.tablesEnd; at++) bytes[at] = pick(256);
      return write("hot noise", "");
    }
    default:
      return odd(path, pick(3));
  }
}

/** Something that is no file at all. */
function odd(path: string, which: number): Case {
  if (which === 0) symlinkSync("/dev/zero", path);
  else if (which === 1) symlinkSync("/nowhere/at/all", path);
  else mkdirSync(path);
  return { kind: ["link", "dangling link", "directory"][which], detail: "" };
}
