/**
 * Functions of a library of C, in either runtime.
 *
 * @module
 */
import process from "node:process";

type Type = "i32" | "u32" | "u64" | "f64" | "buffer";
/** Its functions by name. */
export type Signatures = Record<string, { readonly parameters: readonly Type[]; readonly result: Type }>;

type BunFfi = { dlopen(path: string, symbols: unknown): { symbols: unknown } };

/** Loads a library for good. @param T the type of its functions, which must fit the signatures */
export function openLibrary<T>(path: string, signatures: Signatures): T {
  if (!("Bun" in globalThis)) return Deno.dlopen(path, signatures).symbols as T;
  const { dlopen } = (process as unknown as { getBuiltinModule(name: string): BunFfi }).getBuiltinModule("bun:ffi");
  const bunType = (type: Type) => type === "buffer" ? "ptr" : type;
  const table = Object.entries(signatures).map(([name, { parameters, result }]) => [
    name,
    { args: parameters.map(bunType), returns: result },
  ]);
  return dlopen(path, Object.fromEntries(table)).symbols as T;
}
