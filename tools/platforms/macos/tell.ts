/**
 * Tells a runtime on Linux, and each of its workers, that it is on macOS, before any module of the tests: what is asked
 * of it then is what is asked of it there. The layer beside this file answers for the system's own library.
 *
 * @module
 */
import process from "node:process";

const { Deno: deno } = globalThis as unknown as { Deno?: { build: { os: string } } };
if (deno !== undefined) Object.defineProperty(deno, "build", { value: { ...deno.build, os: "darwin" } });
Object.defineProperty(process, "platform", { value: "darwin" });

// Node starts its workers with this module, too. Those of the web are started with a module that imports it first.
const scope = globalThis as { Worker?: typeof Worker };
if (scope.Worker !== undefined) {
  scope.Worker = class extends scope.Worker {
    constructor(module: string | URL, options?: WorkerOptions) {
      const imports = [import.meta.url, String(module)].map((url) => `import ${JSON.stringify(url)};`);
      super(`data:text/javascript,${encodeURIComponent(imports.join("\n"))}`, options);
    }
  };
}
