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

/** At most this many names are offered for one that is not known. */
const SIMILAR = 3;

/** The names that are most like one that is not known: other letters, or a part of it. */
export function formatsLike(name: string): string[] {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "").replace(/(le|be)$/, "");
  const word = plain(name);
  const names = [...PIXEL_FORMATS.keys()];
  const same = names.filter((known) => plain(known) === word);
  if (same.length > 0) return same;
  const slips = names.map((known) => ({ known, slips: slipsBetween(word, plain(known)) }));
  const fewest = Math.min(...slips.map(({ slips }) => slips));
  if (fewest > Math.max(1, Math.floor(word.length / 4))) return [];
  return slips.filter(({ slips }) => slips === fewest).map(({ known }) => known).slice(0, SIMILAR);
}

/** How many letters must be added, removed or changed to make one word of another. */
function slipsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[other.length];
}

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
