/**
 * `doctor` and `rm`: what is dead goes, what lives is never touched.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Finding } from "../cli/doctor/finding.ts";
import { TESTED } from "../cli/doctor/system.ts";
import { removeDead } from "../cli/removal.ts";
import { FramesDepot } from "../mod.ts";
import { RUN } from "../tools/support/runtimes.ts";
import { BUN_VERSION, DENO_VERSION, NODE_VERSION } from "../tools/support/versions.ts";
import { runCli } from "./support/cli.ts";
import type { SceneReport } from "./support/cli_scene.ts";
import { depotTest, executableOf, HERE, skip, STARTED } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";
import { IS_WINDOWS, NO_SHELL, NO_STALE } from "./support/windows.ts";

const SHAPE = { frameSize: [4, 2, 3] as [number, number, number] };
const SCENE = fileURLToPath(new URL("./support/cli_scene.ts", import.meta.url));
const WAYS = [["--mount"], ["--user", "--map-root-user", "--mount"]];
const way = WAYS.find((flags) => spawnSync("unshare", [...flags, "true"]).status === 0);

const listed = (name: string) => FramesDepot.list().find((info) => info.name === name);

async function makeStale(name: string): Promise<void> {
  await using victim = new Remote();
  assertEquals(await victim.tell({ do: "create", name, options: SHAPE }), "made");
  await victim.kill();
  assertEquals(listed(name)?.stale, true);
}

/** Runs commands in a shared memory of their own. */
async function scene(commands: string[][], megabytes = 64): Promise<SceneReport> {
  const flags = RUN[HERE].join(" ");
  const shell = `mount -t tmpfs -o size=${megabytes}m tmpfs /dev/shm && exec "$RUNTIME" ${flags} "$0" "$1"`;
  const parameters = [...way!, "sh", "-c", shell, SCENE, JSON.stringify(commands)];
  // Deno rewrites a command line that has its own path in it, so the path comes through the environment.
  const env = { ...process.env, RUNTIME: executableOf(HERE) };
  const child = spawn("unshare", parameters, { stdio: ["ignore", "pipe", "inherit"], env });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
  const code = await new Promise((resolve) => child.on("close", resolve));
  assertEquals(code, 0, out);
  return JSON.parse(out);
}

function sceneTest(title: string, body: () => Promise<void>): void {
  depotTest(title, async () => {
    if (way === undefined) return skip("no mount namespaces here: needs Linux and the right to make them");
    await body();
  });
}

sceneTest("doctor --fix removes what is stale, broken or empty, and leaves what lives", async () => {
  const { answers: [before, fix, after], left, liveFrame, taken } = await scene([["doctor"], ["doctor", "--fix"], [
    "doctor",
  ]], 512);
  assertEquals(before.code, 1);
  assertMatch(before.out, /^wrong +depot broken +cannot open depot "broken": /m);
  assertMatch(before.out, /^wrong +depot empty +cannot open depot "empty": /m);
  assertMatch(before.out, /^warning +depot stale +stale, /m);
  assertStringIncludes(before.out, "→ `frames-depot doctor --fix`");
  for (const name of ["broken", "empty", "stale"]) assertStringIncludes(fix.out, `fixed: removed ${name} (`);
  assertEquals([fix.code, after.code], [0, 0]);
  assert(!fix.out.includes("removed live") && !/^(wrong|warning) +depot/m.test(after.out), after.out);
  assertEquals([left, liveFrame, taken], [["frames-depot.live"], 7, "EXISTS"]);
});

sceneTest("rm --stale removes what only dead processes held; --dry-run removes nothing", async () => {
  const { answers: [dry, rm, again], left, taken } = await scene([["rm", "--stale", "--dry-run"], ["rm", "--stale"], [
    "rm",
    "--stale",
  ]]);
  assertMatch(dry.out, /^would be removed stale {2}stale: /);
  assertMatch(rm.out, /^removed stale {2}stale: .*\n1 name, [\d.]+ kB\n$/);
  assertEquals([dry.code, rm.code, again.code, again.out], [0, 0, 0, "no stale depots\n"]);
  assertEquals([left, taken], [["frames-depot.broken", "frames-depot.empty", "frames-depot.live"], "EXISTS"]);
});

depotTest("rm refuses a live depot and removes stale and broken ones", async (live, another) => {
  if (IS_WINDOWS) return skip(NO_STALE);
  const [stale, broken] = [another(), another()];
  await using depot = await FramesDepot.create(live, SHAPE);
  await makeStale(stale);
  const names = [live, stale];
  const file = `/dev/shm/frames-depot.${broken}`;
  if (process.platform === "linux") {
    writeFileSync(file, "not a depot", { mode: 0o600 });
    names.push(broken);
  }
  try {
    const { code, out, errors } = await runCli(["rm", ...names]);
    assertEquals(code, 4);
    assertEquals(out.match(/^removed \S+/gm), names.slice(1).map((name) => `removed ${name}`));
    assertStringIncludes(errors, `not removed ${live}  live: a process holds it; --force removes it anyway`);
    assertEquals(names.map(listed).map((info) => info?.stale), [false, ...names.slice(1).map(() => undefined)]);
    const forced = await runCli(["rm", live, "--force"]);
    assertEquals([forced.code, listed(live)], [0, undefined]);
    await depot.enqueue({ frame: new Uint8Array(24) }); // its own process goes on
    assertEquals((await runCli(["rm", live])).code, 3);
  } finally {
    rmSync(file, { force: true });
  }
});

for (const runtime of STARTED) {
  depotTest(
    `rm removes what can be removed, and ends with the code of the first that cannot (${runtime})`,
    async (live, another) => {
      if (IS_WINDOWS) return skip(NO_STALE);
      const [missing, stale] = [another(), another()];
      await using _depot = await FramesDepot.create(live, SHAPE);
      await makeStale(stale);
      const wrong = await runCli(["rm", stale, "a/b"], { runtime });
      assertEquals([wrong.code, listed(stale)?.stale], [2, true], wrong.errors);
      const { code, out, errors } = await runCli(["rm", missing, live, stale], { runtime });
      assertEquals(code, 3, errors);
      assertEquals(errors.split("\n"), [
        `not removed ${missing}  there is no depot "${missing}"; \`frames-depot ls\` shows what is there`,
        `not removed ${live}  live: a process holds it; --force removes it anyway`,
        "",
      ]);
      assertMatch(out, new RegExp(`^removed ${stale}  stale: .*\n$`));
      assertEquals([listed(live)?.stale, listed(stale)], [false, undefined]);
      const again = await runCli(["rm", live, missing, "--json"], { runtime });
      assertEquals(again.code, 4);
      const outcomes = JSON.parse(again.out).map((
        { name, outcome }: { name: string; outcome: string },
      ) => [name, outcome]);
      assertEquals(outcomes, [[live, "refused"], [missing, "missing"]]);
    },
  );

  depotTest(
    `rm --force removes a FIFO, a link and a socket, and doctor says so (${runtime})`,
    async (fifo, another) => {
      if (process.platform !== "linux") return skip("what has a name is known on Linux");
      const [link, socket] = [another(), another()];
      const server = createServer();
      const fileOf = (name: string) => `/dev/shm/frames-depot.${name}`;
      const target = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
      try {
        assertEquals(spawnSync("mkfifo", [fileOf(fifo)]).status, 0);
        symlinkSync(target, fileOf(link));
        await new Promise<void>((resolve) => server.listen(fileOf(socket), resolve));
        const { findings }: { findings: Finding[] } = JSON.parse((await runCli(["doctor", "--json"], { runtime })).out);
        for (const [name, what] of [[fifo, "a FIFO"], [link, "a symbolic link"], [socket, "a socket"]]) {
          const found = findings.find(({ check }) => check === `depot ${name}`)!;
          assertEquals([found.id, found.verdict], ["stranger", "wrong"]);
          assertStringIncludes(found.says, `${what} has its name`);
          assertEquals(found.remedy, `\`frames-depot rm --force ${name}\` removes it`);
          for (const dry of [["--dry-run"], []]) {
            const { code, out, errors } = await runCli(["rm", name, ...dry], { runtime });
            assertEquals([code, out], [4, ""]);
            assertStringIncludes(errors, `not removed ${name}  ${what}, which is no depot; --force removes it`);
          }
          const opened = await runCli(["stat", name], { runtime });
          assertEquals(opened.code, 4);
          assertStringIncludes(opened.errors, "`frames-depot rm --force` removes it");
          const forced = await runCli(["rm", "--force", name], { runtime });
          assertEquals([forced.code, forced.out], [0, `removed ${name}  ${what}, which is no depot\n`], forced.errors);
          assertEquals(lstatSync(fileOf(name), { throwIfNoEntry: false }), undefined);
        }
        assertEquals(lstatSync(target).isDirectory(), true);
      } finally {
        server.close();
        for (const name of [fifo, link, socket]) rmSync(fileOf(name), { force: true });
        rmSync(target, { recursive: true });
      }
    },
  );
}

for (const runtime of STARTED) {
  depotTest(`doctor notes where there is no ffmpeg which commands need it (${runtime})`, async () => {
    if (IS_WINDOWS) return skip(NO_SHELL);
    const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
    const found = async (content: string | undefined) => {
      const path = join(folder, "ffmpeg");
      rmSync(path, { force: true });
      if (content !== undefined) writeFileSync(path, content, { mode: 0o755 });
      const { code, out, errors } = await runCli(["doctor", "--json"], { runtime, env: { PATH: folder } });
      assert(out.startsWith("{"), errors);
      const { findings }: { findings: Finding[] } = JSON.parse(out);
      // Depots of other tests may be stale, or wrong.
      assertEquals(code, findings.some(({ verdict }) => verdict === "wrong") ? 1 : 0, out);
      const { id, verdict, says, remedy } = findings.find(({ check }) => check === "ffmpeg")!;
      return [id, verdict, says, remedy];
    };
    try {
      const need =
        "`write --input`, `read --output`, and `grab` of compressed frames need it; all else works without it";
      const remedy = "any version of ffmpeg from 4.1 on will do, in a folder of the PATH";
      const missing = `cannot run ffmpeg: it is not on the PATH, install it. ${need}`;
      assertEquals(await found(undefined), ["ffmpeg-missing", "note", missing, remedy]);
      const lame = `cannot run ffmpeg: it ends at once, exit code 127: no such library. ${need}`;
      assertEquals(await found("#!/bin/sh\necho no such library >&2\nexit 127\n"), [
        "ffmpeg-missing",
        "note",
        lame,
        remedy,
      ]);
      const banner = "#!/bin/sh\necho 'ffmpeg version 6.1.1 Copyright' >&2\n";
      assertEquals(await found(banner), ["ffmpeg", "ok", "6.1.1", undefined]);
      rmSync(join(folder, "ffmpeg"));
      const { out } = await runCli(["doctor"], { runtime, env: { PATH: folder } });
      assertMatch(out, /^note +ffmpeg +cannot run ffmpeg: it is not on the PATH/m);
      assertMatch(out, /\n.*, 1 note\n$/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

depotTest("removeDead leaves a depot alone that another process holds, and its frames whole", async (name) => {
  await using holder = new Remote();
  await holder.tell({ do: "create", name, options: SHAPE });
  await holder.tell({ do: "enqueue", frameNumber: 3 });
  assertEquals(removeDead(name), "live");
  await using depot = await FramesDepot.open(name);
  assertEquals(depot.peekFrame(3)?.data[0], 3);
  await depot.close();
  await holder.kill();
  assertEquals([removeDead(name), listed(name)], ["removed", undefined]);
});

depotTest("doctor names a stopped process that holds a queue up", async (name) => {
  if (process.platform !== "linux") return skip("the state of a process is read from /proc: needs Linux");
  await using depot = await FramesDepot.create(name, { ...SHAPE, maxSize: 2 });
  await using reader = new Remote();
  await reader.tell({ do: "open", name });
  await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(24) });
  await reader.tell({ do: "follow", mode: "lossless", frames: 1 });
  for (const frameNumber of [2, 3]) await depot.enqueue({ frameNumber, frame: new Uint8Array(24) });
  process.kill(reader.child.pid!, "SIGSTOP");
  const { code, out } = await runCli(["doctor", "--json"]);
  process.kill(reader.child.pid!, "SIGCONT");
  const found = JSON.parse(out).findings.find(({ check }: { check: string }) => check === `depot ${name}`);
  assertEquals([code, found?.verdict], [1, "wrong"], out);
  assertStringIncludes(found.says, `pid ${reader.child.pid}`);
  assertStringIncludes(found.remedy, `kill -CONT ${reader.child.pid}`);
});

depotTest("doctor's idea of tested versions is what the tests run with", () => {
  assertEquals(TESTED, { deno: DENO_VERSION, bun: BUN_VERSION, node: NODE_VERSION });
});
