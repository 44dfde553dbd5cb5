/**
 * The import map for tests and tools: deno.json's own where JSR answers, otherwise one with a stand-in for
 * `@std/assert` and the runtime's own `node:path`.
 *
 * @module
 */

const STAND_INS = "tests/support/import_map.json";

/** Flags for Deno, and a line that says what they mean. */
export async function importFlags(): Promise<{ flags: string[]; says: string }> {
  // Through a variable, so that the specifier is not part of the module graph.
  const probe = "jsr:@std/assert@^1.0.0";
  try {
    await import(probe);
    return { flags: [], says: "imports: jsr:@std, as deno.json has them" };
  } catch {
    return {
      flags: [`--import-map=${STAND_INS}`],
      says: "imports: JSR is out of reach; tests/support replaces @std/assert, node:path replaces @std/path",
    };
  }
}
