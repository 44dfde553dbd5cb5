/**
 * Reading the shipped binaries: the machine code of a function in ELF, Mach-O and PE, and Apple's code signature.
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";

/** The bytes of a binary of `ffi/prebuilt/`. */
export function shipped(target: string): Buffer {
  const module = readFileSync(new URL(`../../ffi/prebuilt/${target}.ts`, import.meta.url), "utf8");
  return Buffer.from(/base64 = "([^"]+)"/.exec(module)![1], "base64");
}

/** Where functions begin, as offsets in the file. */
type Starts = Map<string, number>;

const textAt = (bytes: Buffer, at: number): string => bytes.toString("latin1", at, bytes.indexOf(0, at));

/** A number of eight bytes that is small. */
const u64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

function startsOfElf(bytes: Buffer): Starts {
  const PROGRAM_HEADER = 56, SECTION_HEADER = 64, SYMBOL = 24;
  const segments = Array.from({ length: bytes.readUInt16LE(56) }, (_, i) => u64(bytes, 32) + i * PROGRAM_HEADER);
  const sections = Array.from({ length: bytes.readUInt16LE(60) }, (_, i) => u64(bytes, 40) + i * SECTION_HEADER);
  const fileOffset = (address: number): number => {
    const at = segments.find((at) => {
      const isLoaded = bytes.readUInt32LE(at) === 1;
      return isLoaded && address >= u64(bytes, at + 16) && address < u64(bytes, at + 16) + u64(bytes, at + 32);
    });
    return at === undefined ? -1 : address - u64(bytes, at + 16) + u64(bytes, at + 8);
  };
  const symbols = sections.find((at) => bytes.readUInt32LE(at + 4) === 11)!; // SHT_DYNSYM
  const names = u64(bytes, sections[bytes.readUInt32LE(symbols + 40)] + 24);
  return new Map(
    Array.from({ length: u64(bytes, symbols + 32) / SYMBOL }, (_, i) => u64(bytes, symbols + 24) + i * SYMBOL)
      .map((at) => [textAt(bytes, names + bytes.readUInt32LE(at)), fileOffset(u64(bytes, at + 8))]),
  );
}

/** Where the load commands of a Mach-O file of 64 bits begin, by their kind. */
export function loadCommands(bytes: Buffer): { kind: number; at: number }[] {
  let at = 32;
  return Array.from({ length: bytes.readUInt32LE(16) }, () => {
    const command = { kind: bytes.readUInt32LE(at), at };
    at += bytes.readUInt32LE(at + 4);
    return command;
  });
}

function startsOfMachO(bytes: Buffer): Starts {
  const { at } = loadCommands(bytes).find(({ kind }) => kind === 2)!; // LC_SYMTAB
  const [symbols, count, names] = [8, 12, 16].map((offset) => bytes.readUInt32LE(at + offset));
  // The code's addresses begin at 0, as the file does. C's names begin with an underscore.
  return new Map(
    Array.from({ length: count }, (_, i) => symbols + 16 * i)
      .map((at) => [textAt(bytes, names + bytes.readUInt32LE(at) + 1), u64(bytes, at + 8)]),
  );
}

function startsOfPe(bytes: Buffer): Starts {
  const header = bytes.readUInt32LE(0x3c);
  const optional = header + 24;
  const first = optional + bytes.readUInt16LE(header + 20);
  const sections = Array.from({ length: bytes.readUInt16LE(header + 6) }, (_, i) => first + 40 * i);
  const fileOffset = (address: number): number => {
    const at = sections.findLast((at) => bytes.readUInt32LE(at + 12) <= address)!;
    return address - bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 20);
  };
  const table = fileOffset(bytes.readUInt32LE(optional + 112)); // the exports
  const [functions, names, ordinals] = [28, 32, 36].map((offset) => fileOffset(bytes.readUInt32LE(table + offset)));
  return new Map(
    Array.from({ length: bytes.readUInt32LE(table + 24) }, (_, i) => {
      const ordinal = bytes.readUInt16LE(ordinals + 2 * i);
      const name = textAt(bytes, fileOffset(bytes.readUInt32LE(names + 4 * i)));
      return [name, fileOffset(bytes.readUInt32LE(functions + 4 * ordinal))];
    }),
  );
}

function startsOf(bytes: Buffer): Starts {
  const magic = bytes.readUInt32BE(0);
  return magic === 0x7f454c46 ? startsOfElf(bytes) : magic === 0xcffaedfe ? startsOfMachO(bytes) : startsOfPe(bytes);
}

/** The instructions of a function of aarch64, four bytes each, up to where the next one begins. */
export function instructionsOf(bytes: Buffer, name: string): number[] {
  const starts = startsOf(bytes);
  const start = starts.get(name);
  if (start === undefined || start <= 0) throw new Error(`the binary exports no ${name}`);
  const end = Math.min(bytes.length, ...[...starts.values()].filter((other) => other > start));
  return Array.from({ length: Math.floor((end - start) / 4) }, (_, i) => bytes.readUInt32LE(start + 4 * i));
}
