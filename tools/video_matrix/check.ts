/**
 * One case: written, read, encoded, recorded, played and grabbed, and each compared with ffmpeg alone.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { PIXEL_FORMATS } from "../../mod.ts";
import type { FoundFfmpeg } from "../support/ffmpegs.ts";
import type { Case } from "./cases.ts";
import { alone, Command, type Place, timesOf } from "./commands.ts";

/** Times are equal to half a millisecond, which Matroska counts. */
const TIME_SLACK = 0.00051;
/** Of 255: what a picture may differ by. Sums of rounded parts, and bits that are cut off in another place. */
const GRAB_SLACK = 2;

/** Lossless, and with all of its formats. */
const FFV1 = ["-c:v", "ffv1", "-strict", "-2"];
/** The frame that is grabbed. */
const GRABBED = 2;

/** @returns what is wrong; nothing where all is right */
export async function check(place: Place, { source: from, format }: Case, folder: string): Promise<string[]> {
  const faults: string[] = [];
  const id = `video-matrix-${crypto.randomUUID().slice(0, 8)}`;
  const [encoded, recording, picture] = ["mkv", "fdr", "png"].map((extension) => join(folder, `${id}.${extension}`));
  const input = ["-f", "lavfi", "-i", from];
  const { ffmpeg } = place;
  const bytes = ["-pix_fmt", format, ...ffmpeg.passthrough, "-f", "rawvideo", "-"];
  const raw = alone(ffmpeg, [...input, ...bytes]);
  const reference = join(folder, `${id}.alone.mkv`);
  const encodes = canEncode(ffmpeg, [...input, ...ffmpeg.passthrough, ...FFV1, reference]);
  {
    const readers = encodes ? "3" : "2";
    const source = ["--input", from, "--ffmpeg", "-f lavfi", "--format", format];
    await using writer = new Command(place, ["write", id, ...source, "--wait-readers", readers]);
    await using reader = new Command(place, ["read", id]);
    await using recorder = new Command(place, ["record", id, recording]);
    const output = ["read", id, "--output", encoded, "--ffmpeg", FFV1.join(" ")];
    await using encoder = encodes ? new Command(place, output) : undefined;
    const [, read] = await Promise.all([writer.done, reader.done, recorder.done, encoder?.done]);
    compare(faults, "read", read, raw);
  }
  if (encodes) {
    const pixels = (path: string) => alone(ffmpeg, ["-i", path, ...bytes]);
    const ours = pixels(encoded);
    // An ffmpeg before 6 loses the full range on its way to the encoder; what is exact is right anyway.
    if (Buffer.compare(ours, raw) !== 0) compare(faults, "read --output", ours, pixels(reference));
    compareTimes(faults, timesOf(ffmpeg, ["-i", encoded]), timesOf(ffmpeg, input));
  }
  await replayed(place, `${id}-played`, recording, picture, raw, faults);
  grabbed(ffmpeg, input, format, picture, faults);
  return faults;
}

/** Whether ffmpeg alone can: not every version has an encoder for floats, or for gray with transparency. */
function canEncode(ffmpeg: FoundFfmpeg, parameters: string[]): boolean {
  try {
    alone(ffmpeg, parameters);
    return true;
  } catch {
    return false;
  }
}

/** Plays a recording; a frame of it is grabbed before a reader takes all. */
async function replayed(
  place: Place,
  id: string,
  recording: string,
  picture: string,
  raw: Uint8Array,
  faults: string[],
): Promise<void> {
  await using player = new Command(place, ["replay", recording, id, "--speed", "max"]);
  await using grab = new Command(place, ["grab", id, "--frame", String(GRABBED), "--timeout", "60", picture]);
  await grab.done;
  await using reader = new Command(place, ["read", id]);
  const [read] = await Promise.all([reader.done, player.done]);
  compare(faults, "record and replay", read, raw);
}

function grabbed(ffmpeg: FoundFfmpeg, input: string[], format: string, picture: string, faults: string[]): void {
  const { planes, elementType, isYuv } = PIXEL_FORMATS.get(format)!;
  // What ffmpeg makes of floats and of transparency is a matter of taste.
  if (elementType === "float32" || planes.some(({ components }) => components.includes("a"))) return;
  const rgb = ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"];
  const flags = ["-sws_flags", isYuv ? "neighbor+accurate_rnd+full_chroma_int" : "accurate_rnd"];
  const frame = ["-vf", `select=eq(n\\,${GRABBED}),format=${format}`, "-frames:v", "1"];
  const [ours, theirs] = [
    alone(ffmpeg, ["-i", picture, ...rgb]),
    alone(ffmpeg, [...input, ...frame, ...flags, ...rgb]),
  ];
  const farthest = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
  if (ours.length !== theirs.length || farthest > GRAB_SLACK) faults.push(`grab: differs by up to ${farthest}`);
}

function compareTimes(faults: string[], ours: readonly number[], theirs: readonly number[]): void {
  if (ours.length !== theirs.length) faults.push(`read --output: ${ours.length} frames, not ${theirs.length}`);
  const late = theirs.findIndex((time, i) => Math.abs(ours[i] - time) > TIME_SLACK);
  if (late >= 0) faults.push(`read --output: frame ${late} is at ${ours[late]} s, not ${theirs[late]} s`);
}

function compare(faults: string[], what: string, ours: Uint8Array, theirs: Uint8Array): void {
  if (ours.length !== theirs.length) faults.push(`${what}: ${ours.length} bytes, not ${theirs.length}`);
  else if (Buffer.compare(ours, theirs) !== 0) faults.push(`${what}: other pixels`);
}
