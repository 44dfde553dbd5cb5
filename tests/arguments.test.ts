/**
 * Wrong names, geometries and options: a TypeError or RangeError that names the argument, before anything is touched.
 * Wrong frames, numbers and options of an open depot are in `arguments_of_frames.test.ts`.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import { remedyOf } from "../ring/limits.ts";
import { DepotError, type DepotOptions, FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";
import { leftovers } from "../tools/support/leftovers.ts";

/** Checks that there is no depot with this in its name. */
function assertNothing(mark: string): void {
  assertEquals(leftovers().filter((name) => name.includes(mark)), []);
  assertEquals(FramesDepot.list().filter(({ name }) => name.includes(mark)), []);
}

const SOUND: DepotOptions = { frameSize: [4, 4, 1] };
// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;

/** Name, error, what its message says. `*` is replaced by a unique name. */
const NAMES: [unknown, typeof TypeError | typeof RangeError, string][] = [
  ["", RangeError, "1 to 128 characters"],
  ["a/*", RangeError, "A-Z a-z 0-9"],
  ["/*", RangeError, "A-Z a-z 0-9"],
  ["../*", RangeError, "A-Z a-z 0-9"],
  ["*\\x", RangeError, "A-Z a-z 0-9"],
  [".*", RangeError, "not first, a full stop"],
  ["..", RangeError, "not first, a full stop"],
  ["* ", RangeError, "A-Z a-z 0-9"],
  ["*\n", RangeError, "A-Z a-z 0-9"],
  ["*\0x", RangeError, "A-Z a-z 0-9"],
  ["*ü", RangeError, "A-Z a-z 0-9"],
  [`*${"x".repeat(129)}`, RangeError, "1 to 128 characters"],
  [undefined, TypeError, "undefined"],
  [null, TypeError, "null"],
  [7, TypeError, "7"],
  [["*"], TypeError, "string"],
  [{ toString: () => "x" }, TypeError, "string"],
  [new String("x"), TypeError, "string"],
];

for (const [wrong, ErrorClass, says] of NAMES) {
  depotTest(`FramesDepot refuses the name ${JSON.stringify(wrong) ?? "undefined"}`, async (mark) => {
    const name = (typeof wrong === "string" ? wrong.replace("*", mark) : wrong) as Wrong;
    await assertRejects(() => FramesDepot.create(name, SOUND), ErrorClass, says);
    await assertRejects(() => FramesDepot.open(name), ErrorClass, says);
    await assertRejects(() => FramesDepot.createOrOpen(name, SOUND), ErrorClass, says);
    assertThrows(() => FramesDepot.unlink(name), ErrorClass, says);
    assertThrows(() => FramesDepot.inspect(name), ErrorClass, says);
    assertNothing(mark);
  });
}

depotTest("FramesDepot takes names up to their limits", async (mark) => {
  const longest = mark.padEnd(128, "x");
  for (const name of [longest, `-${mark}`, `_${mark}`, `${mark}..`]) {
    await using depot = await FramesDepot.create(name, SOUND);
    assertEquals(depot.name, name);
    assertEquals(FramesDepot.list().filter((info) => info.name === name).length, 1);
  }
  assertNothing(mark);
});

depotTest("new FramesDepot() says what makes and opens a depot", async (name) => {
  const Depot: Wrong = FramesDepot;
  for (const args of [[], [name], [name, SOUND]]) {
    assertStringIncludes(
      assertThrows(() => new Depot(...args), TypeError).message,
      "FramesDepot.create(name, options)",
    );
  }
  assertNothing(name);
  await using _depot = await FramesDepot.create(name, SOUND); // how it is done
});

/** What is wrong with the options, the error, what its message says: the argument and the value. */
const OPTIONS: [Wrong, typeof TypeError | typeof RangeError, string[]][] = [
  [undefined, TypeError, ["frameSize"]],
  [null, TypeError, ["frameSize"]],
  ["640x480", TypeError, ["frameSize", "640x480"]],
  [{}, TypeError, ["frameSize", "undefined"]],
  [{ frameSize: [4, 4] }, TypeError, ["frameSize", "[4, 4]"]],
  [{ frameSize: [4, 4, 1, 1] }, TypeError, ["frameSize"]],
  [{ frameSize: { 0: 4, 1: 4, 2: 1, length: 3 } }, TypeError, ["frameSize"]],
  [{ frameSize: ["4", 4, 1] }, TypeError, ["frameSize's width", '"4"']],
  [{ frameSize: [0, 4, 1] }, RangeError, ["frameSize's width", "from 1 to 4294967295", "0"]],
  [{ frameSize: [4, -4, 1] }, RangeError, ["frameSize's height", "-4"]],
  [{ frameSize: [4, 4, 1.5] }, RangeError, ["frameSize's channels", "1.5"]],
  [{ frameSize: [NaN, 4, 1] }, RangeError, ["frameSize's width", "NaN"]],
  [{ frameSize: [4, Infinity, 1] }, RangeError, ["frameSize's height", "Infinity"]],
  [{ frameSize: [2 ** 32, 1, 1] }, RangeError, ["frameSize's width", "4294967296"]],
  [{ frameSize: [4n, 4, 1] }, TypeError, ["frameSize's width", "4n"]],
  [{ frameSize: [65_536, 65_536, 1] }, RangeError, ["4294967296", "4294901760"]],
  [{ frameSize: [2 ** 31, 2 ** 31, 2 ** 31] }, RangeError, ["frameSize's width × height × channels × element size"]],
  ...["maxSize", "frameBytes", "metadataBytes", "maxReaders"].flatMap((what): typeof OPTIONS => [
    [{ [what]: "10" }, TypeError, [what, '"10"']],
    [{ [what]: true }, TypeError, [what, "true"]],
    [{ [what]: -1 }, RangeError, [what, "-1"]],
    [{ [what]: 2.5 }, RangeError, [what, "2.5"]],
    [{ [what]: NaN }, RangeError, [what, "NaN"]],
    [{ [what]: 2 ** 53 }, RangeError, [what, "9007199254740992"]],
  ]),
  [{ maxSize: 0 }, RangeError, ["maxSize", "from 1 to 1048576", "0"]],
  [{ maxSize: 1_048_577 }, RangeError, ["maxSize", "1048577"]],
  [{ frameBytes: 0 }, RangeError, ["frameBytes", "0"]],
  [{ maxReaders: 0 }, RangeError, ["maxReaders", "from 1 to 1023", "0"]],
  [{ maxReaders: 1024 }, RangeError, ["maxReaders", "1024"]],
  [{ maxGroups: -1 }, RangeError, ["maxGroups", "from 0 to 64", "-1"]],
  [{ maxGroups: 65 }, RangeError, ["maxGroups", "65"]],
  [{ metadataBytes: 16_777_217 }, RangeError, ["metadataBytes", "16777217"]],
  [{ elementType: "uint16", frameBytes: 7 }, RangeError, ["frameBytes", "multiple of 2", "7"]],
  [{ frameBytes: 4_294_901_760, maxSize: 1_048_576 }, RangeError, ["maxSize × frameBytes", "140737488355328"]],
  [{ elementType: "int8" }, RangeError, ["elementType", '"uint8"', '"int8"']],
  [{ elementType: Uint8Array }, TypeError, ["elementType"]],
  [{ whenFull: "block" }, RangeError, ["whenFull", '"overwrite"', '"block"']],
  [{ whenFull: 1 }, TypeError, ["whenFull", "1"]],
  [{ pixelFormat: "sixteen-letters!" }, RangeError, ["pixelFormat", "15", "sixteen-letters!"]],
  [{ pixelFormat: "rgb 24" }, RangeError, ["pixelFormat", "rgb 24"]],
  [{ pixelFormat: "rgb\0" }, RangeError, ["pixelFormat"]],
  [{ pixelFormat: "grün" }, RangeError, ["pixelFormat"]],
  [{ pixelFormat: 24 }, TypeError, ["pixelFormat", "24"]],
  [{ mode: "0600" }, TypeError, ["mode", '"0600"']],
  [{ mode: 0o1777 }, RangeError, ["mode", "1023"]],
  [{ mode: -1 }, RangeError, ["mode", "-1"]],
  [{ onBackpressure: "log" }, TypeError, ["onBackpressure", '"log"']],
  [{ onBackpressure: {} }, TypeError, ["onBackpressure"]],
];

depotTest("FramesDepot.create and createOrOpen refuse wrong options, naming argument and value", async (name) => {
  for (const [wrong, ErrorClass, says] of OPTIONS) {
    const options = typeof wrong === "object" && wrong !== null && Object.keys(wrong).length > 0
      ? { ...SOUND, ...wrong }
      : wrong;
    for (const make of ["create", "createOrOpen"] as const) {
      const { message } = await assertRejects(() => FramesDepot[make](name, options), ErrorClass);
      for (const part of says) assertStringIncludes(message, part);
    }
    assertNothing(name);
  }
});

depotTest("FramesDepot.open and createOrOpen refuse wrong options of waiting", async (name) => {
  const wrong: [Wrong, typeof TypeError | typeof RangeError, string][] = [
    [{ timeoutMs: "5" }, TypeError, 'timeoutMs must be a number: "5"'],
    [{ timeoutMs: -1 }, RangeError, "timeoutMs must be 0 or more: -1"],
    [{ timeoutMs: NaN }, RangeError, "timeoutMs must be 0 or more: NaN"],
    [{ signal: "stop" }, TypeError, 'signal must be an AbortSignal: "stop"'],
    [{ signal: new AbortController() }, TypeError, "AbortController"],
    [{ onBackpressure: 1 }, TypeError, "onBackpressure must be a function: 1"],
  ];
  for (const [options, ErrorClass, says] of wrong) {
    await assertRejects(() => FramesDepot.open(name, options), ErrorClass, says);
    await assertRejects(() => FramesDepot.createOrOpen(name, { ...SOUND, ...options }), ErrorClass, says);
  }
  for (const options of [null, "fast", 5] as Wrong[]) {
    await assertRejects(() => FramesDepot.open(name, options), TypeError, "options must be an object");
  }
  assertNothing(name);
});

/** A figure as the library writes it. */
function bytesOf(figure: string): number {
  const [value, unit] = figure.split(" ");
  return Number(value) * { kB: 1e3, MB: 1e6, GB: 1e9 }[unit]!;
}

depotTest("FramesDepot.create that needs more than there is names both figures and the remedy", async (name) => {
  const limits = loadShim().limits().filter(({ kind }) => kind !== "inodes");
  const { left: least, kind } = limits.sort((a, b) => a.left - b.left)[0];
  const frameBytes = 256 * 2 ** 20;
  const maxSize = Math.ceil(least * 2 / frameBytes) + 1;
  const options: DepotOptions = { frameSize: [1, 1, 1], frameBytes, maxSize };
  for (const make of ["create", "createOrOpen"] as const) {
    const error = await assertRejects(() => FramesDepot[make](name, options), DepotError);
    assertEquals([error.code, error.depot], ["NO_SPACE", name]);
    const [needed, there] = error.message.match(/\d+\.\d (kB|MB|GB)/g)!.map(bytesOf);
    assert(Math.abs(needed / (maxSize * frameBytes) - 1) < 0.1, error.message);
    // Other processes use memory meanwhile.
    assert(Math.abs(there / least - 1) < 0.5, `${error.message}; ${least} bytes`);
    assertStringIncludes(error.message, "smaller maxSize");
    assertStringIncludes(error.message, remedyOf(kind));
    assertNothing(name);
  }
});
