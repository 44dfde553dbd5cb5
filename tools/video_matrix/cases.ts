/**
 * What is moved: every pixel format, and every kind of time and picture.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { PIXEL_FORMATS } from "../../mod.ts";

/** One source, as ffmpeg's lavfi makes it. */
export type Case = { name: string; source: string; format: string };

const FRAMES = 6;
const UNEVEN = "setpts='(N/30+if(gt(N,2),0.4,0)+mod(N,3)*0.004)/TB'";

function sourceOf(format: string, { size = "34x18", rate = "25", filters = "null" } = {}): string {
  // The time base is one that has all of these times.
  return `testsrc2=size=${size}:rate=${rate},settb=1/720000,trim=end_frame=${FRAMES},format=${format},${filters}`;
}

/** Kinds of times and pictures. */
const SHAPES: Record<string, Parameters<typeof sourceOf>[1]> = {
  "29.97 frames a second": { rate: "30000/1001" },
  "59.94 frames a second": { rate: "60000/1001" },
  "23.976 frames a second": { rate: "24000/1001" },
  "480 frames a second": { rate: "480" },
  "uneven times": { rate: "30", filters: UNEVEN },
  "pixels of 64:45": { filters: "setsar=64/45" },
  "odd sizes": { size: "33x17" },
  "one pixel": { filters: "scale=1:1" }, // not every version draws one
  "interlaced": { filters: "setfield=tff" },
  "BT.709": { filters: "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709" },
  "BT.2020": { filters: "setparams=range=pc:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084" },
};

/** The formats of both ffmpeg and Frames Depot that ffmpeg can make. */
export function formatsOf(ffmpeg: string): string[] {
  const { stdout } = spawnSync(ffmpeg, ["-v", "error", "-pix_fmts"], { encoding: "utf8" });
  const known = new Set([...stdout.matchAll(/^.O... (\S+) +\d/gm)].map(([, name]) => name));
  return [...PIXEL_FORMATS.keys()].filter((name) => known.has(name));
}

/** All cases. @param formats names */
export function casesOf(formats: readonly string[]): Case[] {
  return [
    ...formats.map((format) => ({ name: format, format, source: sourceOf(format) })),
    ...Object.entries(SHAPES).map(([name, shape]) => ({
      name,
      format: "yuv420p",
      source: sourceOf("yuv420p", shape),
    })),
  ];
}
