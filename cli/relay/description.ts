/**
 * What a source's frames are, in words that travel: enough to make a depot like it.
 *
 * @module
 */
import type { DepotOptions, FramesDepot } from "../../mod.ts";
import { isCodec } from "../video/encoder.ts";
import { EXIT, Failure } from "../failure.ts";
import { pixelFormatOf } from "../video/pixel_formats.ts";
import type { Codec } from "./codecs.ts";
import { colorInH264, sizeInH264 } from "./h264.ts";

/** A depot as the far side makes it, and how the bodies of its frames are packed. */
export type Description = {
  /** Of the source's depot. */
  id: string;
  name: string;
  codec: Codec;
  frameSize: readonly number[];
  elementType: FramesDepot["elementType"];
  pixelFormat: string;
  frameBytes: number;
  variableLength: boolean;
  metadataBytes: number;
  maxSize: number;
  color: FramesDepot["color"];
  sampleAspectRatio?: FramesDepot["sampleAspectRatio"];
  fieldOrder?: FramesDepot["fieldOrder"];
};

/** Names, as messages have them. */
const PICTURES = { jpeg: "JPEG", h264: "H.264" } as const;
/** A picture of noise is larger than its pixels, and a small one is mostly tables. */
const PICTURE_ROOM = 65_536;

/** Describes a depot. @param wanted how frames are packed that can be @throws {Failure} where they cannot */
export function describe(depot: FramesDepot, wanted: Codec): Description {
  const { id, name, frameSize, elementType, pixelFormat, frameBytes, variableLength, metadataBytes, maxSize } = depot;
  const { color, sampleAspectRatio, fieldOrder } = depot;
  const codec = variableLength || isCodec(pixelFormat) ? "raw" as const : wanted;
  const whole = {
    ...{ id, name, codec, frameSize, elementType, pixelFormat, frameBytes, variableLength, metadataBytes, maxSize },
    ...{ color, sampleAspectRatio, fieldOrder },
  };
  if (codec !== "jpeg" && codec !== "h264") return whole;
  if (pixelFormatOf(depot) === undefined) {
    const what = pixelFormat === "" ? `${frameSize.join("×")} ${elementType}` : `"${pixelFormat}"`;
    throw new Failure(
      `cannot make ${
        PICTURES[codec]
      } of depot "${name}": its frames, ${what}, are no picture; --codec raw sends them as they are`,
      EXIT.refused,
    );
  }
  const [width, height] = codec === "h264" ? sizeInH264(depot) : frameSize;
  return {
    ...whole,
    ...{ frameSize: [width, height, 3], elementType: "uint8", variableLength: true },
    frameBytes: width * height * 3 + PICTURE_ROOM,
    ...codec === "h264" ? { pixelFormat: "h264", color: colorInH264(depot) } : { pixelFormat: "mjpeg" },
  };
}

/** What the far depot is made with. The library checks the values. */
export function optionsOf(description: Description): DepotOptions {
  const { frameSize, elementType, pixelFormat, frameBytes, variableLength, metadataBytes } = description;
  const { color, sampleAspectRatio, fieldOrder } = description;
  const said = frameSize.filter((pixels) => pixels > 0);
  return {
    frameSize: said.length === 0 ? undefined : said as [number, number, number],
    pixelFormat: pixelFormat === "" ? undefined : pixelFormat,
    ...{ elementType, frameBytes, variableLength, metadataBytes },
    ...{ color, sampleAspectRatio: sampleAspectRatio ?? undefined, fieldOrder: fieldOrder ?? undefined },
  };
}
