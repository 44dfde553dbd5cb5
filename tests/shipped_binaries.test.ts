/**
 * The binaries of `ffi/prebuilt/`, also of systems that these tests may never run on: the orders of memory in the code
 * for aarch64, and what macOS asks of a library before it loads it.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { instructionsOf, loadCommands, shipped } from "./support/binaries.ts";
import { depotTest } from "./support/harness.ts";

const TARGETS = ["linux_aarch64", "linux_aarch64_musl", "macos_aarch64", "windows_aarch64"];

/** `dmb ish`: nothing before it is seen after what follows it. */
const FENCE = 0xd5033bbf;
const NOP = 0xd503201f;
/** `stlr` and `stlur` of 64 bits. */
const isRelease = (word: number): boolean =>
  matches(word, 0xfffffc00, 0xc89ffc00) || matches(word, 0xffe00c00, 0xd9000000);
/** `ldar`, `ldapr` and `ldapur` of 64 bits. */
const isAcquire = (word: number): boolean =>
  matches(word, 0xfffffc00, 0xc8dffc00) || matches(word, 0xfffffc00, 0xf8bfc000) ||
  matches(word, 0xffe00c00, 0xd9400000);
/** Any load or store, and any branch. */
const isMemory = (word: number): boolean => matches(word, 0x0a000000, 0x08000000);
const isBranch = (word: number): boolean => matches(word, 0x1c000000, 0x14000000);

const matches = (word: number, mask: number, value: number): boolean => ((word & mask) >>> 0) === value;
/** The register and the distance that an ordered load takes its address from. */
const place = (word: number): string =>
  `${(word >>> 5) & 31}+${matches(word, 0x3f000000, 0x19000000) ? (word >>> 12) & 511 : 0}`;

/** Whether a claim's number (C8) is released, and fenced before any other access follows. */
function fencesC8(code: readonly number[]): boolean {
  const released = code.findIndex(isRelease);
  if (released < 0) return false;
  const next = code.findIndex((word, at) => at > released && (word === FENCE || isMemory(word) || isBranch(word)));
  return code[next] === FENCE;
}

/** Whether the words are loaded in order as sequence, number, sequence. */
function looksTwice(code: readonly number[]): boolean {
  const [first, number, second] = code.filter(isAcquire).map(place);
  return first !== undefined && first === second && number !== undefined && number !== first;
}

for (const target of TARGETS) {
  depotTest(`fd_claim for ${target} has a fence between C8 and all that follows`, () => {
    const code = instructionsOf(shipped(target), "fd_claim");
    assert(fencesC8(code), code.map((word) => word.toString(16)).join(" "));
    assertEquals(fencesC8(code.map((word) => word === FENCE ? NOP : word)), false);
  });

  depotTest(`fd_look for ${target} loads sequence, number, sequence in this order`, () => {
    const code = instructionsOf(shipped(target), "fd_look");
    assert(looksTwice(code), code.map((word) => word.toString(16)).join(" "));
    const number = code.findIndex((word, at) => isAcquire(word) && code.slice(0, at).some(isAcquire));
    assertEquals(looksTwice(code.with(number, NOP)), false);
  });
}

const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const ADHOC = 0x2;

/** What is wrong with the signature, by its pages' hashes. */
function assertSigned(binary: Buffer): void {
  const command = loadCommands(binary).find(({ kind }) => kind === LC_CODE_SIGNATURE);
  assert(command !== undefined, "there is no signature");
  const at = binary.readUInt32LE(command.at + 8);
  assertEquals(binary.readUInt32BE(at), 0xfade0cc0);
  assertEquals(binary.readUInt32BE(at + 12), 0, "the code directory is not the first part");
  const directory = binary.subarray(at + binary.readUInt32BE(at + 16));
  const [magic, , , flags, hashes, , , pages, end] = Array.from({ length: 9 }, (_, i) => directory.readUInt32BE(4 * i));
  assertEquals([magic, flags & ADHOC, end, directory[36], directory[37]], [0xfade0c02, ADHOC, at, 32, 2]);
  const page = 2 ** directory[39];
  assertEquals(pages, Math.ceil(end / page));
  for (let i = 0; i < pages; i++) {
    const hash = createHash("sha256").update(binary.subarray(i * page, Math.min(end, (i + 1) * page))).digest("hex");
    assertEquals(hash, directory.toString("hex", hashes + 32 * i, hashes + 32 * (i + 1)), `page ${i}`);
  }
}

depotTest("The library for macOS on aarch64 is signed, and each page has the hash that the signature names", () => {
  const binary = shipped("macos_aarch64");
  assertSigned(binary);
  const changed = Buffer.from(binary);
  changed[0x4000] ^= 1;
  assertThrows(() => assertSigned(changed), Error, "page ");
});

depotTest("The libraries for macOS have segments that begin at whole pages", () => {
  // 16 KB on aarch64, which refuses others; 4 KB on x86_64.
  for (const [target, page] of [["macos_aarch64", 0x4000], ["macos_x86_64", 0x1000]] as const) {
    const binary = shipped(target);
    const segments = loadCommands(binary).filter(({ kind }) => kind === LC_SEGMENT_64);
    assert(segments.length >= 3, target);
    for (const { at } of segments) {
      const [address, offset] = [binary.readBigUInt64LE(at + 24), binary.readBigUInt64LE(at + 40)];
      assertEquals([address % BigInt(page), offset % BigInt(page)], [0n, 0n], `${target} ${address}`);
    }
  }
});
