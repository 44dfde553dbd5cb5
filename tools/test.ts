/**
 * `deno task test`: the same test files in Deno and in Bun, the examples in the documentation, and a look at what is
 * left behind. Parameters are passed on as files or folders to test; without any, everything is.
 *
 * @module
 */
import { FramesDepot } from "../mod.ts";
import { leftovers } from "./support/leftovers.ts";
import { importFlags } from "./support/import_map.ts";
import { run } from "./support/run.ts";
import { executableOf, executablesAsEnv } from "./support/runtimes.ts";

const deno = executableOf("deno");
const bun = executableOf("bun");
const env = executablesAsEnv();
const { flags, says } = await importFlags();
const chosen = Deno.args.length > 0 ? Deno.args : ["tests/"];
const before = leftovers();

console.log(says);
run({ title: "tests in Deno", command: [deno, "test", "-A", "--quiet", ...flags, ...chosen], env });
run({ title: "tests in Bun", command: [bun, "test", ...chosen.map((path) => `./${path}`)], env });
if (Deno.args.length === 0) {
  run({
    title: "examples in the documentation",
    command: [deno, "test", "-A", "--quiet", "--doc", ...flags, "mod.ts", "depot/", "README.md", "docs/guide.md"],
  });
}

// Depots that other processes work with at this moment are not left behind, nor are those that are gone a moment later.
const there = leftovers().filter((name) => !before.includes(name));
const live = FramesDepot.list().filter(({ usable, stale }) => usable && !stale).map(({ name }) =>
  `frames-depot.${name}`
);
const left = leftovers().filter((name) => there.includes(name) && !live.includes(name));
if (left.length > 0) {
  console.error(`\nleft behind by the tests: ${left.join(", ")}`);
  Deno.exit(1);
}
console.log("\nnothing left behind: shared memory is as it was before");
