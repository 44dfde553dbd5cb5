/**
 * Which other files a module refers to: what it imports, for values or for types alone, what it exports from elsewhere,
 * and which modules it starts.
 *
 * @module
 */

/** Each finds one kind of reference. Sources are formatted: a static import or export begins its line. */
const KINDS: readonly RegExp[] = [
  /^(?:import|export)\b[^;]*?\bfrom\s*["']([^"'\n]+)["']/gm,
  /^import\s*["']([^"'\n]+)["']/gm,
  /\bimport\(\s*["'`]([^"'`\n]+)["'`]/g, // import("./x.ts"), also as a type
  /\bnew URL\(\s*["'`]([^"'`\n]+\.[cm]?[jt]s)["'`]\s*,\s*import\.meta\.url/g,
  /\bimport\.meta\.resolve\(\s*["'`]([^"'`\n]+)["'`]/g,
];
/** These are comments with a meaning. */
const DIRECTIVES: readonly RegExp[] = [
  /^\/\/\/\s*<reference\s+path="([^"\n]+)"/gm,
  /@(?:deno|ts)-types="(\.[^"\n]+)"/g,
];
const COMPUTED = /\bimport\((?!\s*["'`])/;
const COMMENT = /^\s*(?:\/\*.*|\*(?:[\s/].*)?)$|(?:^|\s)\/\/.*$/gm;

/** A module's code without its comments. */
export function codeOf(source: string): string {
  return source.replace(COMMENT, "");
}

/** The specifiers of a module, as they are written. */
export function specifiersOf(source: string): string[] {
  const code = codeOf(source);
  const find = (text: string, kinds: readonly RegExp[]) =>
    kinds.flatMap((kind) => [...text.matchAll(kind)].map(([, specifier]) => specifier));
  return [...find(code, KINDS), ...find(source, DIRECTIVES)];
}

/** Whether a module imports something whose name it computes. */
export function importsComputed(source: string): boolean {
  return COMPUTED.test(codeOf(source));
}
