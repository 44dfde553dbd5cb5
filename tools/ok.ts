/**
 * `deno task ok`: the whole gate. `--fast` leaves out what takes minutes, for work in between;
 * `--without-tests` is for CI, which has run them already by the command that the README gives.
 *
 * @module
 */
import { importFlags } from "./support/import_map.ts";
import { run } from "./support/run.ts";
import { executableOf } from "./support/runtimes.ts";

const deno = executableOf("deno");
const fast = Deno.args.includes("--fast");
const { flags, says } = await importFlags();
const ROOMS = ["mod.ts", "bench/", "cli/", "depot/", "examples/", "ring/", "ffi/", "shim/", "tools/", "tests/"];

console.log(says);
run({ title: "format", command: [deno, "fmt", "--check"] });
run({ title: "lint", command: [deno, "lint"] });
run({ title: "types", command: [deno, "check", ...flags, ...ROOMS] });
run({ title: "documentation", command: [deno, "doc", "--lint", "mod.ts"] });
run({ title: "layout", command: [deno, "run", "--allow-read", "tools/layout/main.ts", "--check"] });
run({ title: "imports", command: [deno, "run", "--allow-read", "tools/imports_point_down.ts"] });
run({ title: "words", command: [deno, "run", "--allow-read", "tools/words.ts"] });
run({ title: "architecture", command: [deno, "run", "--allow-read", "tools/architecture.ts", "--check"] });
if (!fast) {
  run({
    title: "shipped binaries are what the sources give",
    command: [deno, "run", "-A", "shim/build.ts", "--check"],
  });
  run({ title: "C tests of the shim", command: [deno, "run", "-A", "shim/test.ts"] });
  run({ title: "models", command: ["bash", "docs/internals/model/run.sh"] });
}
if (!Deno.args.includes("--without-tests")) run({ title: "tests", command: [deno, "run", "-A", "tools/test.ts"] });
console.log("\nok");
