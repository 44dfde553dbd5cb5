/**
 * What Node is told by `--import`: the names that Deno has from an import map and Bun from tsconfig.json, and where the
 * packages of the command line are.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { enableCompileCache, isBuiltin, registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
const { compilerOptions: { paths } } = JSON.parse(readFileSync(new URL("tsconfig.json", root), "utf8")) as {
  compilerOptions: { paths: Record<string, [string]> };
};

/** Modules with their types taken off: without these a start takes four times as long. */
enableCompileCache(fileURLToPath(new URL(".cache/node", root)));

/**
 * Folders whose packages `node_packages.ts` has installed, or `npm install` in the clone. The other runtimes install
 * theirs themselves.
 */
const WITH_PACKAGES = ["cli", "examples"];

registerHooks({
  resolve(specifier, context, next) {
    if (specifier in paths) return next(new URL(paths[specifier][0], root).href, context);
    const isPackage = /^@?\w[^:]*$/.test(specifier) && !isBuiltin(specifier);
    const folder = WITH_PACKAGES.find((name) => context.parentURL?.startsWith(`${root}${name}/`));
    const isTheirs = isPackage && folder !== undefined;
    return next(specifier, isTheirs ? { ...context, parentURL: `${root}.cache/${folder}/any.js` } : context);
  },
});
