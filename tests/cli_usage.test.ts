/**
 * The command line as such: help, wrong usage, exit codes, colours, completions, closed pipes.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FramesDepot } from "../mod.ts";
import { Cli, cliCommand, runCli } from "./support/cli.ts";
import { depotTest, executableOf, HERE, RUNTIMES, skip, STARTED } from "./support/harness.ts";
import { IS_WINDOWS, NO_PACKAGES } from "./support/windows.ts";

const COMMANDS = [
  ...["ls", "stat", "top", "watch", "write", "read", "grab", "record", "replay"],
  ...["relay", "doctor", "bench", "rm", "completions"],
];
const OTHER = RUNTIMES.find((runtime) => runtime !== HERE)!;
const BUN_ENTRY = fileURLToPath(new URL("../cli/bun.ts", import.meta.url));
const ESCAPE = "\x1b";

depotTest("frames-depot --help names every command, and the exit codes", async () => {
  const { code, out } = await runCli(["--help"]);
  assertEquals(code, 0);
  for (const command of COMMANDS) assertMatch(out, new RegExp(`^  ${command}\\b`, "m"));
  assertStringIncludes(out, "Exit codes: 0 done");
});

depotTest("frames-depot COMMAND --help gives examples that begin with the command", async () => {
  await Promise.all(COMMANDS.map(async (command) => {
    const { code, out } = await runCli([command, "--help"]);
    assertEquals(code, 0);
    assertMatch(out, new RegExp(`Examples:\\n  .*frames-depot ${command}\\b`), out);
    assert(out.split("\n").every((line) => line.length <= 80), out);
  }));
});

depotTest("frames-depot ends with 2 after wrong usage, and says what was meant", async () => {
  const wrong: [parameters: string[], says: string][] = [
    [[], "Usage: frames-depot"],
    [["lss"], "Did you mean ls?"],
    [["help", "recrd"], "Did you mean record?"],
    [["top", "--intervall", "1"], "Did you mean --interval?"],
    [["top", "--interval", "soon"], "It must be a number of seconds"],
    [["top", "--interval", "2147484", "--once"], "It must be a number of seconds from 0 to 2147483, which is 24 days"],
    [["stat", "x", "--seconds", "3000000"], "It must be a number of seconds from 0 to 2147483"],
    [["read", "x", "--timeout", "3000000"], "It must be a number of seconds from 0 to 2147483"],
    [["top", "--sort", "age"], "Allowed choices are name, length, fps, bandwidth"],
    [["watch", "x", "--count", "0"], "It must be a whole number from 1"],
    [["stat"], "missing required argument 'name'"],
    [["stat", "a b"], "a depot's name may have"],
    [["rm", "a/b"], "a depot's name may have"],
    [["rm", "x", "a/b", "--force"], "a depot's name may have"],
    [["rm"], "give either names or --stale"],
    [["rm", "x", "--stale"], "give either names or --stale"],
  ];
  await Promise.all(wrong.map(async ([parameters, says]) => {
    const { code, out, errors } = await runCli(parameters);
    assertEquals([code, out], [2, ""], parameters.join(" ") + errors);
    assertStringIncludes(errors, says);
  }));
});

depotTest("frames-depot says once what helps, in words of the command line", async (name, another) => {
  const missing = await runCli(["grab", name, "x.png"]);
  const helps = "`frames-depot ls` lists the depots; a command with `--timeout` can wait for one";
  assertEquals(missing.errors, `error: cannot open depot "${name}": there is none\n${helps}\n`);
  await using depot = await FramesDepot.create(another(), { frameSize: [4, 2, 1], maxReaders: 1 });
  await depot.enqueue({ frame: new Uint8Array(8) });
  for await (const _frame of depot.frames()) { // has the only place of a reader
    const full = await runCli(["read", depot.name, "--frames", "1"]);
    assertEquals(full.code, 4, full.errors);
    assertMatch(full.errors, /^error: .*all 1 readers are in use.*\nend a process that .*--max-readers`\n$/);
    break;
  }
});

depotTest("frames-depot tells what is not there without a stack, in both runtimes", async (name) => {
  for (const runtime of STARTED) {
    const { code, out, errors } = await runCli(["stat", name], { runtime });
    assertEquals([code, out], [3, ""]);
    assertStringIncludes(errors, `error: there is no depot "${name}"; \`frames-depot ls\` shows what is there\n`);
    assert(!errors.includes("    at "), errors);
  }
});

depotTest("frames-depot says in words what the system refuses, without a stack, in both runtimes", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  await depot.enqueue({ frame: new Uint8Array(4) });
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const refused: [parameters: string[], code: number, says: RegExp][] = [
    [["replay", folder], 5, /^error: cannot read .*: illegal operation on a directory\n$/],
    [["replay", `${folder}nowhere.fdr`], 3, /^error: cannot open .*nowhere.fdr: no such file or directory\n$/],
    [
      ["grab", name, `${folder}nowhere/x.png`],
      5,
      /^error: cannot write .*x.png: there is no folder .*nowhere; make it first, .*\n$/,
    ],
    [
      ["record", name, `${folder}nowhere/x.fdr`],
      5,
      /^error: cannot write .*x.fdr: there is no folder .*nowhere; make it first, .*\n$/,
    ],
  ];
  for (const runtime of STARTED) {
    await Promise.all(refused.map(async ([parameters, expected, says]) => {
      const { code, errors } = await runCli(parameters, { runtime });
      assertEquals(code, expected, errors);
      if (process.platform === "linux") assertMatch(errors, says);
    }));
  }
});

depotTest("frames-depot colours only a terminal, unless FORCE_COLOR says so; NO_COLOR wins", async (name) => {
  await using _depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  const coloured = async (env: Record<string, string>) =>
    (await runCli(["stat", name, "--seconds", "0"], { env })).out.includes(ESCAPE);
  assertEquals(await coloured({}), false);
  assertEquals(await coloured({ CI: "true" }), false);
  assertEquals(await coloured({ FORCE_COLOR: "1" }), true);
  assertEquals(await coloured({ FORCE_COLOR: "1", NO_COLOR: "1" }), false);
});

depotTest("frames-depot ends quietly when the reader of its output has gone", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], whenFull: "overwrite" });
  for (const runtime of STARTED) {
    await using watch = new Cli(["watch", name], { runtime });
    await watch.shows("NUMBER");
    watch.child.stdout!.destroy();
    let ended = false;
    const answer = watch.answer().finally(() => ended = true);
    for (let n = 0; !ended; n++) {
      await depot.enqueue({ frameNumber: n, frame: new Uint8Array(4) });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { code, errors } = await answer;
    assertEquals([code, errors], [0, ""]);
  }
});

depotTest("frames-depot says in a line that its output takes no more, and ends with 5", async (name) => {
  if (IS_WINDOWS || !existsSync("/dev/full")) return skip("there is no /dev/full here");
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  await depot.enqueue({ frame: new Uint8Array(4) });
  const commands = [["--help"], ["ls"], ["stat", name, "--json"], ["grab", name, "-"], ["read", name, "--frames", "1"]];
  for (const runtime of STARTED) {
    for (const parameters of commands) {
      const [program, ...first] = cliCommand(runtime);
      const full = openSync("/dev/full", "w");
      const { status, stderr } = spawnSync(program, [...first, ...parameters], {
        stdio: ["ignore", full, "pipe"],
        encoding: "utf8",
      });
      closeSync(full);
      assertEquals([status, stderr], [5, "error: cannot write standard output: no space left on device\n"]);
      if (parameters[0] === "read") await depot.enqueue({ frame: new Uint8Array(4) });
    }
  }
});

depotTest("completions offer commands, options, choices and depot names", async (name) => {
  if (IS_WINDOWS && OTHER === "bun") return skip(NO_PACKAGES);
  await using _depot = await FramesDepot.create(name, { frameSize: [4, 2, 1] });
  const offers = async (...words: string[]) => (await runCli(["complete", "--", ...words], { runtime: OTHER })).out;
  assertMatch(await offers("st"), /^stat\t/m);
  assertMatch(await offers("top", "--"), /^--interval\t/m);
  assertMatch(await offers("top", "--sort", ""), /^bandwidth\t/m);
  assertMatch(await offers("stat", name.slice(0, 6)), new RegExp(`^${name}\tlive 4×2×1$`, "m"));
});

for (const shell of ["bash", "zsh", "fish"]) {
  depotTest(`completions ${shell} prints a script that ${shell} accepts`, async () => {
    const { code, out } = await runCli(["completions", shell]);
    assertEquals(code, 0);
    assertStringIncludes(out, "frames-depot");
    const { status, error, stderr } = spawnSync(shell, ["-n"], { input: out, encoding: "utf8" });
    if (error !== undefined) return skip(`${shell} is not installed`);
    assertEquals([status, stderr], [0, ""]);
  });
}

/** A shell's answer to a session in which `frames-depot` is this command line; undefined where it is not installed. */
function inShell(shell: string, session: string): string | undefined {
  const command = cliCommand().map((word) => `'${word}'`).join(" ");
  const define = shell === "fish"
    ? `function frames-depot; ${command} $argv; end`
    : `frames-depot() { ${command} "$@"; }`;
  const { error, stdout, stderr } = spawnSync(shell, [], { input: `${define}\n${session}`, encoding: "utf8" });
  if (error !== undefined) return void console.log(`${shell} is not installed`);
  assertEquals(stderr, "");
  return stdout;
}

depotTest(
  "completions bash complete depots and choices in a real shell, files elsewhere, and sourced twice",
  async (name) => {
    await using _depot = await FramesDepot.create(name, { frameSize: [4, 2, 1] });
    const { out: script } = await runCli(["completions", "bash"]);
    const offers = (...words: string[]) =>
      `COMP_WORDS=(frames-depot ${words.join(" ")}) COMP_CWORD=${words.length}; _frames_depot; echo "\${COMPREPLY[*]}"`;
    const answer = inShell(
      "bash",
      [
        ...[script, script, offers("stat", name.slice(0, -1)), offers("top", "--sort", "b")],
        ...[offers("replay", "some"), "complete -p frames-depot"],
      ].join("\n"),
    );
    if (answer === undefined) return;
    const [depots, choices, files, registered] = answer.split("\n");
    assert(depots.split(" ").includes(name), answer);
    // Nothing offered: the shell's own default, which is files.
    assertEquals([choices, files, registered.includes("-o default")], ["bandwidth", "", true], answer);
  },
);

depotTest("completions fish complete a depot's name in a real shell", async (name) => {
  await using _depot = await FramesDepot.create(name, { frameSize: [4, 2, 1] });
  const { out: script } = await runCli(["completions", "fish"]);
  const answer = inShell("fish", `${script}\ncomplete -C "frames-depot stat ${name.slice(0, -1)}"`);
  if (answer !== undefined) assert(answer.includes(`${name}\tlive 4×2×1`), answer);
});

depotTest("bun.ts, which bun link makes a command of, is the same program", async () => {
  if (IS_WINDOWS) return skip(NO_PACKAGES);
  const { status, stdout, error } = spawnSync(executableOf("bun"), ["run", BUN_ENTRY, "--version"], {
    encoding: "utf8",
  });
  assertEquals([status, error], [0, undefined]);
  assertEquals(stdout, (await runCli(["--version"], { runtime: "deno" })).out);
  const { bin } = JSON.parse(readFileSync(new URL("../cli/package.json", import.meta.url), "utf8"));
  assertEquals(bin, { "frames-depot": "./bun.ts" });
  assertMatch(readFileSync(BUN_ENTRY, "utf8"), /^#!\/usr\/bin\/env bun\n/);
});

test("packages of the command line are of one version, whatever runs it", () => {
  const read = (path: string) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));
  const { dependencies } = read("cli/package.json");
  const others: [where: string, packages: Record<string, string>][] = [
    ...["deno.json", "tests/support/import_map.json"].map((path) => [path, read(path).imports] as [string, never]),
    ["tools/support/examples.json", read("tools/support/examples.json").dependencies],
  ];
  for (const [where, packages] of others) {
    for (const [name, version] of Object.entries(packages)) {
      if (!Object.hasOwn(dependencies, name)) continue;
      assertEquals(version.replace(`npm:${name}@`, ""), dependencies[name], `${name} in ${where}`);
    }
  }
});
