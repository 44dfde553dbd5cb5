// deno-fmt-ignore-file
// A placeholder until shim/build.ts has built this target: the empty binary is refused by its hash.
/**
 * Not built yet.
 *
 * @module
 */

/** SHA-256 of the binary, in hexadecimal. */
export const sha256 = "none";

/** The binary. */
export const base64 = "";
