/**
 * Colours, the shape of pixels and the order of fields in a recording's header: ITU-T H.273 numbers the colours.
 *
 * @module
 */
import type { Color, FieldOrder } from "../../mod.ts";
import type { Appearance } from "./colors.ts";

/** By its number in H.273; what has none of its own there is left out. The range is numbered here. */
const NUMBERS: { [Part in keyof Required<Color>]: Record<NonNullable<Color[Part]>, number> } = {
  matrix: {
    ...{ rgb: 0, bt709: 1, fcc: 4, bt470bg: 5, smpte170m: 6, smpte240m: 7, ycgco: 8, bt2020nc: 9, bt2020c: 10 },
    ...{ smpte2085: 11, "chroma-derived-nc": 12, "chroma-derived-c": 13, ictcp: 14 },
  },
  range: { limited: 0, full: 1 },
  primaries: {
    ...{ bt709: 1, bt470m: 4, bt470bg: 5, smpte170m: 6, smpte240m: 7, film: 8, bt2020: 9, smpte428: 10 },
    ...{ smpte431: 11, smpte432: 12, ebu3213: 22 },
  },
  transfer: {
    ...{ bt709: 1, gamma22: 4, gamma28: 5, smpte170m: 6, smpte240m: 7, linear: 8, log100: 9, log316: 10 },
    ...{ "iec61966-2-4": 11, bt1361e: 12, "iec61966-2-1": 13, "bt2020-10": 14, "bt2020-12": 15 },
    ...{ smpte2084: 16, smpte428: 17, "arib-std-b67": 18 },
  },
};
const PARTS = Object.keys(NUMBERS) as (keyof Color)[];
/** Where the width and the height of a pixel are, after one byte for each part of the colours. */
const [WIDTH_AT, HEIGHT_AT, FIELD_ORDER_AT] = [4, 8, 12];
/** By their number; 0 is not said. */
const FIELD_ORDERS: readonly (FieldOrder | undefined)[] = [undefined, "progressive", "tt", "bb", "tb", "bt"];

/** Writes the 16 bytes. */
export function encodeAppearance(appearance: Appearance, view: DataView): void {
  const { color = {}, sampleAspectRatio = [0, 0], fieldOrder } = appearance;
  for (const [at, part] of PARTS.entries()) {
    const name = color[part];
    const number = name === undefined ? undefined : (NUMBERS[part] as Record<string, number>)[name];
    view.setUint8(at, number === undefined ? 0 : number + 1);
  }
  view.setUint32(WIDTH_AT, sampleAspectRatio[0], true);
  view.setUint32(HEIGHT_AT, sampleAspectRatio[1], true);
  view.setUint32(FIELD_ORDER_AT, FIELD_ORDERS.indexOf(fieldOrder), true);
}

/** Reads the 16 bytes; what they do not say is absent. */
export function decodeAppearance(view: DataView): Appearance {
  const named = PARTS.flatMap((part, at) => {
    const name = Object.entries(NUMBERS[part]).find(([, number]) => number + 1 === view.getUint8(at))?.[0];
    return name === undefined ? [] : [[part, name] as const];
  });
  const [width, height] = [view.getUint32(WIDTH_AT, true), view.getUint32(HEIGHT_AT, true)];
  const fieldOrder = FIELD_ORDERS[view.getUint32(FIELD_ORDER_AT, true)];
  return {
    ...(named.length === 0 ? {} : { color: Object.fromEntries(named) as Color }),
    ...(width === 0 || height === 0 ? {} : { sampleAspectRatio: [width, height] as const }),
    ...(fieldOrder === undefined ? {} : { fieldOrder }),
  };
}
