/**
 * The planes of a frame in shared memory.
 *
 * @module
 */
import { ELEMENT_BYTES, type Geometry } from "../ring/geometry.ts";
import type { ElementType, FrameData } from "./options.ts";
import { CONTENTS, PIXEL_FORMATS, type PlaneLayout } from "./pixel_formats.ts";

/** One plane of a frame. */
export interface Plane<E extends ElementType = ElementType> extends PlaneLayout {
  /** Its elements over the shared memory itself: `height` rows of `stride` bytes. */
  readonly data: FrameData<E>;
}

/** The typed array of each element type. */
export const CONSTRUCTORS: {
  readonly uint8: Uint8ArrayConstructor;
  readonly uint16: Uint16ArrayConstructor;
  readonly float32: Float32ArrayConstructor;
} = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

/** Frames of one depot have their planes in the same places. */
const layouts = new WeakMap<Geometry, readonly PlaneLayout[]>();

/** Views of the planes of a whole frame at the beginning of a buffer. Content of varying length has no planes. */
export function planesOver(buffer: ArrayBuffer, geometry: Geometry): readonly Plane[] {
  let places = layouts.get(geometry);
  if (places === undefined) layouts.set(geometry, places = layoutsOf(geometry));
  const View = CONSTRUCTORS[geometry.elementType];
  return places.map((plane) => {
    const elements = plane.stride * plane.height / ELEMENT_BYTES[geometry.elementType];
    return { ...plane, data: new View(buffer, plane.offset, elements) };
  });
}

function layoutsOf({ pixelFormat, width, height, channels, elementType, frameBytes }: Geometry): PlaneLayout[] {
  const format = PIXEL_FORMATS.get(pixelFormat);
  if (CONTENTS.includes(pixelFormat) || format !== undefined && format.elementType !== elementType) return [];
  const known = format?.planesOf(width, height) ??
    [{ name: "", offset: 0, width, height, stride: width * channels * ELEMENT_BYTES[elementType] }];
  // A segment may say anything; and what is no rows of pixels has no planes.
  const bytes = known.reduce((sum, { stride, height }) => sum + stride * height, 0);
  return bytes === frameBytes ? known : [];
}
