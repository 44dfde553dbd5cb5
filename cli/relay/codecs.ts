/**
 * What frames are packed with on their way.
 *
 * @module
 */
/** How the body of a frame is packed: `raw` is as it is, JPEG included. */
export type Codec = "raw" | "jpeg" | "h264" | "zstd";
export const CODECS: readonly Codec[] = ["raw", "jpeg", "h264", "zstd"];
