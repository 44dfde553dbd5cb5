/**
 * Colours, the shape of pixels and the order of fields: labels that are checked, kept in the segment, and said by every
 * frame.
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { COLOR_NAMES, DepotError, FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const HD = { matrix: "bt709", range: "limited", primaries: "bt709", transfer: "bt709" } as const;
const frameSize = [4, 2, 3] as const;
const SAID = { frameSize, color: HD, sampleAspectRatio: [4, 3] } as const;

depotTest(
  "color, sampleAspectRatio and fieldOrder are the same in every depot object and on every frame",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...SAID, fieldOrder: "tt" });
    await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(24) });
    await using other = await FramesDepot.open(name);
    using frame = other.peekFrame(1)!;
    for (const { color, sampleAspectRatio, fieldOrder } of [depot, other, frame, FramesDepot.inspect(name)!]) {
      assertEquals([color, sampleAspectRatio, fieldOrder], [HD, [4, 3], "tt"]);
    }
  },
);

depotTest("color has what was said, and nothing else", async (_, another) => {
  for (const color of [{}, { matrix: "bt2020nc" }, { range: "full", transfer: "arib-std-b67" }] as const) {
    const said = { frameSize, color: { primaries: undefined, ...color }, sampleAspectRatio: undefined };
    await using depot = await FramesDepot.create(another(), said);
    await using other = await FramesDepot.open(depot.name);
    assertEquals([depot.color, other.color, other.sampleAspectRatio], [color, color, undefined]);
  }
  await using silent = await FramesDepot.create(another(), { frameSize });
  assertEquals([silent.color, silent.sampleAspectRatio, silent.fieldOrder], [{}, undefined, undefined]);
});

depotTest("color takes every name there is", async (_, another) => {
  for (const [part, names] of Object.entries(COLOR_NAMES)) {
    for (const name of names) {
      await using depot = await FramesDepot.create(another(), { frameSize, color: { [part]: name } });
      await using other = await FramesDepot.open(depot.name);
      assertEquals(other.color as Record<string, string>, { [part]: name });
    }
  }
});

depotTest("fieldOrder takes every name of ffmpeg's", async (_, another) => {
  for (const fieldOrder of ["progressive", "tt", "bb", "tb", "bt"] as const) {
    await using depot = await FramesDepot.create(another(), { frameSize, fieldOrder });
    await using other = await FramesDepot.open(depot.name);
    assertEquals(other.fieldOrder, fieldOrder);
  }
});

// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;

const WRONG: [Wrong, typeof TypeError | typeof RangeError, string][] = [
  [{ color: "bt709" }, TypeError, 'color must be an object: "bt709"'],
  [{ color: null }, TypeError, "color must be an object: null"],
  [{ color: { matrix: "bt601" } }, RangeError, 'color\'s matrix must be one of "rgb", "bt709"'],
  [{ color: { range: "tv" } }, RangeError, 'color\'s range must be one of "limited", "full": "tv"'],
  [{ color: { matrix: "unspecified" } }, RangeError, "unspecified"],
  [{ color: { transfer: 1 } }, TypeError, "color's transfer must be a string: 1"],
  [{ color: { primarys: "bt709" } }, TypeError, 'color has no option "primarys": it has matrix, range'],
  [{ sampleAspectRatio: 1 }, TypeError, "sampleAspectRatio must be [width, height] of a pixel: 1"],
  [{ sampleAspectRatio: [1] }, TypeError, "sampleAspectRatio"],
  [{ sampleAspectRatio: [0, 1] }, RangeError, "sampleAspectRatio's width"],
  [{ fieldOrder: "top" }, RangeError, 'fieldOrder must be one of "progressive", "tt", "bb", "tb", "bt": "top"'],
  [{ fieldOrder: "unspecified" }, RangeError, "unspecified"],
  [{ fieldOrder: null }, TypeError, "fieldOrder must be a string: null"],
  [{ sampleAspectRatio: [1, 1.5] }, RangeError, "sampleAspectRatio's height"],
];

depotTest("create refuses wrong colours, aspect ratios and field orders, and names what there is", async (name) => {
  for (const [options, ErrorClass, says] of WRONG) {
    const error = await assertRejects(() => FramesDepot.create(name, { frameSize, ...options }), ErrorClass);
    assertStringIncludes(error.message, says);
  }
});

depotTest("createOrOpen of a depot of other colours or fields is INCOMPATIBLE", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SAID, fieldOrder: "tt" });
  const reordered = { transfer: "bt709", primaries: "bt709", range: "limited", matrix: "bt709" } as const;
  const said = { frameSize, sampleAspectRatio: [4, 3], fieldOrder: "tt" } as const;
  await using same = await FramesDepot.createOrOpen(name, { ...said, color: reordered });
  assertEquals(same.id, depot.id);
  const error = await assertRejects(
    () => FramesDepot.createOrOpen(name, { ...said, color: { matrix: "fcc" } }),
    DepotError,
  );
  assertEquals(error.code, "INCOMPATIBLE");
  assertStringIncludes(error.message, "its color is");
  const swapped = await assertRejects(
    () => FramesDepot.createOrOpen(name, { ...SAID, fieldOrder: "bb" }),
    DepotError,
    'its fieldOrder is "tt"',
  );
  assertEquals(swapped.code, "INCOMPATIBLE");
});
