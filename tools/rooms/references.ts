/**
 * Which other files a module refers to: what it imports, for values or for types alone, what it exports from elsewhere,
 * and which modules it starts.
 *
 * @module
 */

/**
 * Each finds one kind of reference. Sources are formatted: nothing but a comment is before a static import or export.
 */
const KINDS: readonly RegExp[] = [
  /^[ \t]*(?:import|export)\b[^;]*?\bfrom\s*["']([^"'\n]+)["']/gm,
  /^[ \t]*import\s*["']([^"'\n]+)["']/gm,
  /\bimport\(\s*["'`]([^"'`\n]+)["'`]/g, // also of a type
  /\bnew URL\(\s*["'`]([^"'`\n]+\.[cm]?[jt]s)["'`]\s*,\s*import\.meta\.url/g,
  /\bnew (?:Shared)?Worker\(\s*["'`]([^"'`\n]+)["'`]/g,
  /\brequire\(\s*["'`]([^"'`\n]+)["'`]/g,
  /\bimport\.meta\.resolve\(\s*["'`]([^"'`\n]+)["'`]/g,
];
/** These are comments with a meaning. */
const DIRECTIVES: readonly RegExp[] = [
  /^\/\/\/\s*<reference\s+path="([^"\n]+)"/gm,
  /@(?:deno|ts)-types="(\.[^"\n]+)"/g,
];
const COMPUTED = /\bimport\((?!\s*["'`])/;
/**
 * Strings, which are kept, and comments. A regular expression may look like one inside, but without a space before it.
 */
const TOKEN = /(["'])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\[\s\S]|[^`\\])*`|(?<=^|[\s({[,;])\/(?:\*[\s\S]*?\*\/|\/.*)/gm;

/** A module's code without its comments. */
export function codeOf(source: string): string {
  return source.replace(TOKEN, (token) => token.startsWith("/") ? "" : token);
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
