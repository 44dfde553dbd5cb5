/**
 * Functions of a library of C, in any runtime.
 *
 * @module
 */
import process from "node:process";
import { HERE } from "./runtimes.ts";

type Type = "i32" | "u32" | "u64" | "f64" | "buffer";
/** Its functions by name. */
export type Signatures = Record<string, { readonly parameters: readonly Type[]; readonly result: Type }>;

type Builtins = { getBuiltinModule(name: string): unknown };
type BunFfi = { dlopen(path: string, symbols: unknown): { symbols: unknown } };
type NodeFfi = { DynamicLibrary: new (path: string) => { getFunctions(table: unknown): unknown } };

const builtin = <T>(name: string): T => (process as unknown as Builtins).getBuiltinModule(name) as T;
const BUN_TYPES: Partial<Record<Type, string>> = { buffer: "ptr" };
const NODE_TYPES: Partial<Record<Type, string>> = { i32: "int32", u32: "uint32", u64: "uint64", f64: "float64" };
/** Node closes a library with its object. */
const kept: unknown[] = [];

/** Loads a library for good. @param T the type of its functions, which must fit the signatures */
export function openLibrary<T>(path: string, signatures: Signatures): T {
  if (HERE === "deno") return Deno.dlopen(path, signatures).symbols as T;
  const all = Object.entries(signatures);
  if (HERE === "bun") {
    const named = (type: Type) => BUN_TYPES[type] ?? type;
    const table = all.map(([name, { parameters, result }]) => [
      name,
      { args: parameters.map(named), returns: named(result) },
    ]);
    return builtin<BunFfi>("bun:ffi").dlopen(path, Object.fromEntries(table)).symbols as T;
  }
  const named = (type: Type) => NODE_TYPES[type] ?? type;
  const table = all.map(([name, { parameters, result }]) => [
    name,
    { arguments: parameters.map(named), return: named(result) },
  ]);
  const library = new (builtin<NodeFfi>("node:ffi").DynamicLibrary)(path);
  kept.push(library);
  return library.getFunctions(Object.fromEntries(table)) as T;
}
