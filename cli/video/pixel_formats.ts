/**
 * Which pixel format frames have, and which of them ffmpeg is asked for.
 *
 * @module
 */
import { type ElementType, PIXEL_FORMATS, type PixelFormat } from "../../mod.ts";

/**
 * What ffmpeg may decode to: it takes a source's own format or, where that is not here, the one that loses least.
 *
 * @param known what this ffmpeg knows; where it does not say, what 5.1 knows
 */
export function decodedFormats(known: ReadonlySet<string> | undefined): string[] {
  return [...PIXEL_FORMATS.keys()].filter((name) => known?.has(name) ?? !NEWER.includes(name));
}

/** Formats that are newer than ffmpeg 5.1. */
const NEWER: readonly string[] = [
  ...["rgbf32le", "rgbaf32le", "gbrap14le", "p012le", "p212le", "p412le", "y212le", "y216le"],
  ...["ayuv", "vuya", "vuyx", "uyva", "vyu444", "xv36le", "xv48le"],
];

/** What a depot's frames most likely are: its label's meaning or, without a label, what its shape suggests. */
export function pixelFormatOf(
  depot: { pixelFormat: string; elementType: ElementType; frameSize: readonly [number, number, number] },
): PixelFormat | undefined {
  if (depot.pixelFormat !== "") return PIXEL_FORMATS.get(depot.pixelFormat);
  const [, , channels] = depot.frameSize;
  const names: Record<ElementType, Record<number, string>> = {
    uint8: { 1: "gray", 3: "rgb24", 4: "rgba" },
    uint16: { 1: "gray16le", 3: "rgb48le", 4: "rgba64le" },
    float32: { 1: "grayf32le" },
  };
  return PIXEL_FORMATS.get(names[depot.elementType][channels] ?? "");
}
