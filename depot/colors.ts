/**
 * What may be said of colours, of the shape of pixels and of fields.
 *
 * @module
 */
import type { Color, ColorRange, FieldOrder } from "../ring/color.ts";
import { LIMITS } from "../ring/geometry.ts";
import { FIELD_ORDERS, MATRICES, PRIMARIES, RANGES, TRANSFERS } from "../ring/layout.ts";
import { checkInteger, checkObject, checkOneOf, show } from "./checks.ts";
import { checkNames } from "./option_names.ts";

const said = <Name extends string>(names: readonly Name[]) =>
  names.filter((name): name is Exclude<Name, "unspecified"> => name !== "unspecified");

/** Every name that each part of a depot's `color` may have: those of ffmpeg's options, but for the ranges. */
export const COLOR_NAMES: { readonly [Part in keyof Color]-?: readonly NonNullable<Color[Part]>[] } = {
  matrix: said(MATRICES),
  range: said(RANGES),
  primaries: said(PRIMARIES),
  transfer: said(TRANSFERS),
};

/**
 * How numbers become colours, without what was not said.
 *
 * @param range what the pixel format says of itself
 * @throws {TypeError | RangeError}
 */
export function checkColor(value: unknown, range: { format: string; right: ColorRange } | undefined): Color {
  if (value === undefined) return {};
  checkObject("color", value);
  checkNames("color", value as object, COLOR_NAMES);
  const color = value as Color;
  if (range !== undefined && (color.range ?? range.right) !== range.right) {
    throw new RangeError(`color's range must be "${range.right}", as ${range.format} has it: ${show(color.range)}`);
  }
  const parts = (Object.keys(COLOR_NAMES) as (keyof Color)[]).filter((part) => color[part] !== undefined);
  return Object.fromEntries(
    parts.map((part) => [part, checkOneOf<string>(`color's ${part}`, color[part], COLOR_NAMES[part])]),
  );
}

/** Width and height of a pixel. @throws {TypeError | RangeError} */
export function checkAspect(value: unknown): readonly [width: number, height: number] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length !== 2) {
    throw new TypeError(`sampleAspectRatio must be [width, height] of a pixel: ${show(value)}`);
  }
  const part = (what: string, given: unknown) => checkInteger(`sampleAspectRatio's ${what}`, given, 1, LIMITS.aspect);
  return [part("width", value[0]), part("height", value[1])];
}

/** Whether frames are two fields, and which is the first. @throws {TypeError | RangeError} */
export function checkFieldOrder(value: unknown): FieldOrder | undefined {
  return value === undefined ? undefined : checkOneOf("fieldOrder", value, said(FIELD_ORDERS));
}
