/** `mod.ts` is imported everywhere, also where the library cannot be used; the first use then says what is missing. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { loadShim } from "../ffi/load.ts";
import { FREE_NODE, LEAST_NODE } from "../ffi/node.ts";
import { codeOf, specifiersOf } from "../tools/rooms/references.ts";
import { Folder } from "./support/folder.ts";
import { depotTest, executableOf, HERE, Peer, skip } from "./support/harness.ts";
import { type Answer, load } from "./support/load_scene.ts";
import { DENO_GRANTS, IS_WINDOWS } from "./support/windows.ts";

depotTest("mod.ts is imported in Deno with no permission at all; create then names --allow-ffi", async (name) => {
  if (IS_WINDOWS && HERE === "deno") return skip(DENO_GRANTS);
  const { code, message, errors } = await load(name, "deno", { deno: ["--no-prompt"] });
  assertEquals([code, errors], ["UNSUPPORTED", ""]);
  assertStringIncludes(message!, "deno needs --allow-ffi (without a path");
  assertStringIncludes(message!, "tried ");
  assert(!existsSync(`/dev/shm/frames-depot.${name}`));
});

/** The modules that a module imports, itself among them, and what they hold. */
function graphOf(entry: URL): Map<string, string> {
  const found = new Map<string, string>();
  const left = [entry];
  for (let url; (url = left.pop()) !== undefined;) {
    if (found.has(url.href)) continue;
    const source = readFileSync(fileURLToPath(url), "utf8");
    found.set(url.href, source);
    for (const specifier of specifiersOf(source)) {
      assert(specifier.startsWith("."), `${url} imports ${specifier}`);
      left.push(new URL(specifier, url));
    }
  }
  return found;
}

/** Statements at the top of a module that await something before a function begins; formatted as all sources are. */
function topLevelAwaits(source: string): string[] {
  const code = codeOf(source).replace(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, '""');
  return code.split(/\n(?=[A-Za-z_$([{])/).filter((statement) => {
    return /^(?:(?!\basync\b)[\s\S])*?\bawait\b/.test(statement);
  }).map((statement) => statement.slice(0, 80));
}

depotTest(
  "mod.ts has no top-level await in any module that it imports: a Bun worker would lose its first messages",
  () => {
    const samples: [string, number][] = [
      ["export const a = 1;\nexport const b = await a;\n", 1],
      ["const a = 1;\nawait using b = a;\nfor await (const c of b) d(c);\n", 2],
      ["const a = async () => {\n  await 1;\n};\nexport async function b(): Promise<void> {\n  await 1;\n}\n", 0],
      ['class A {\n  async b() {\n    await 1;\n  }\n}\n// await\nconst c = "await" + `await ${d}`;\n', 0],
    ];
    for (const [source, count] of samples) assertEquals(topLevelAwaits(source).length, count, source);
    const entry = new URL("../mod.ts", import.meta.url);
    const graph = graphOf(entry);
    assert(graph.size > 30, `${graph.size} modules`);
    for (const [url, source] of graph) assertEquals(topLevelAwaits(source), [], url);
    // Deno loads a module for require() only if nothing in it or below it awaits.
    if (HERE === "deno") assert("FramesDepot" in createRequire(import.meta.url)(fileURLToPath(entry)));
  },
);

const ELSEWHERE = /this is another JavaScript runtime/;
type Says = { says: [string, ...{ code?: string; message: string }[]] };

function assertElsewhere({ says: [create, ...errors] }: Says): void {
  assertEquals([create, ...errors.map(({ code }) => code)], ["function", "UNSUPPORTED", "UNSUPPORTED", "UNSUPPORTED"]);
  for (const { message } of errors) assertMatch(message, ELSEWHERE);
}

depotTest(
  "mod.ts is imported where nothing says which runtime it is, as in a browser; the first use then says so",
  async () => {
    await using peer = new Peer("deno", "elsewhere_peer.ts", {});
    assertElsewhere(await peer.line<Says>());
    assertEquals(await peer.exit(), 0, peer.errors);
  },
);

depotTest("mod.ts is imported in an older Node without harm; the first use then says what is needed", () => {
  const node = spawnSync("node", ["--version"], { encoding: "utf8" });
  if (node.status !== 0) return skip("no Node on the PATH");
  const version = node.stdout.trim();
  if (parseFloat(version.slice(1)) >= parseFloat(LEAST_NODE)) return skip(`no older Node on the PATH: ${version}`);
  using folder = new Folder();
  const entry = fileURLToPath(new URL("./support/load_peer.ts", import.meta.url));
  const bundle = `${folder.path}/load.mjs`;
  // An older Node may not know the types in the sources, nor `using`.
  const built = spawnSync(executableOf("bun"), ["build", entry, "--target=node", `--outfile=${bundle}`], {
    encoding: "utf8",
  });
  assertEquals(built.status, 0, built.stderr);
  const { status, stdout, stderr } = spawnSync("node", [bundle, JSON.stringify({ name: "older" })], {
    encoding: "utf8",
  });
  assertEquals([status, stderr], [0, ""]);
  const { code, message } = JSON.parse(stdout) as Answer;
  assertEquals(code, "UNSUPPORTED");
  assertStringIncludes(message!, `Node ${version.slice(1)} has no node:ffi`);
  assertStringIncludes(message!, `node needs version ${FREE_NODE} or later`);
});

depotTest("mod.ts works in a program that `bun build --compile` has made one file of", (name) => {
  if (HERE !== "bun") return skip("it is Bun that compiles");
  if (IS_WINDOWS) return skip("Bun cannot copy itself into a program under Wine");
  if (loadShim().source.includes("musl")) return skip("musl's loader, which has started Bun, is taken for Bun");
  using folder = new Folder();
  const program = `${folder.path}/program`;
  const source = `${program}.ts`;
  writeFileSync(
    source,
    `import { FramesDepot } from ${JSON.stringify(fileURLToPath(new URL("../mod.ts", import.meta.url)))};
await using depot = await FramesDepot.create(${JSON.stringify(name)}, { frameSize: [4, 4, 3], maxSize: 2 });
depot.tryClaim({ frameNumber: 5 })!.publish();
using frame = depot.peekFrame(5);
console.log(frame?.frameNumber, frame?.data.length);
`,
  );
  const built = spawnSync(executableOf("bun"), ["build", "--compile", source, `--outfile=${program}`], {
    encoding: "utf8",
  });
  assertEquals(built.status, 0, built.stderr);
  rmSync(source);
  const { status, stdout, stderr } = spawnSync(program, { encoding: "utf8", cwd: "/" });
  assertEquals([status, stdout, stderr], [0, "5 48\n", ""]);
});

/** What the guide puts into a file of a project beside a clone, or on its command line. */
function fromGuide(pattern: RegExp, clone: string): string {
  const guide = readFileSync(new URL("../docs/guide.md", import.meta.url), "utf8");
  const found = pattern.exec(guide)?.[1];
  assert(found !== undefined, `docs/guide.md has no ${pattern}`);
  return found.replace("../frames-depot", clone);
}

depotTest("a project beside a clone finds the library there, as the guide says", (name) => {
  using folder = new Folder();
  const address = new URL("..", import.meta.url).href.replace(/\/$/, ""); // a path with a drive is no specifier
  const path = fileURLToPath(address).replaceAll("\\", "/");
  writeFileSync(
    `${folder.path}/program.ts`,
    `import { FramesDepot } from "@frames-depot/frames-depot";
await using depot = await FramesDepot.create(${JSON.stringify(name)}, { frameSize: [4, 4, 3] });
console.log(depot.frameBytes);
`,
  );
  const run = {
    deno: () => {
      writeFileSync(`${folder.path}/deno.json`, `{ ${fromGuide(/in `deno\.json`: `(.*?)`/, address)} }`);
      // As operating.md says: the library is written to a cache folder on Windows.
      return ["run", ...IS_WINDOWS ? ["-A"] : ["--allow-ffi"], "program.ts"];
    },
    bun: () => {
      writeFileSync(`${folder.path}/tsconfig.json`, `{ ${fromGuide(/in `tsconfig\.json`: `(.*?)`/, path)} }`);
      return ["program.ts"];
    },
    node: () => fromGuide(/`node (--import \S+ program\.ts)`/, address).split(" "),
  };
  const { stdout, stderr } = spawnSync(executableOf(HERE), run[HERE](), { encoding: "utf8", cwd: folder.path });
  assertEquals(stdout, "48\n", stderr);
});
