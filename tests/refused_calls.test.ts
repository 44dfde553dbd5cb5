/**
 * Systems that lack a call, or refuse it: a filter does what older kernels, sandboxes and containers do. Each is named
 * with its error, before anything is made, or done without. Needs Linux and a C compiler; elsewhere it says so.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { CACHE_VARIABLE } from "../ffi/cache.ts";
import { LIBRARY_VARIABLE } from "../ffi/load.ts";
import { depotTest, Peer, type Runtime, skip, STARTED } from "./support/harness.ts";

const SOURCE = fileURLToPath(new URL("./support/refuse.c", import.meta.url));
const folder = mkdtempSync(`${tmpdir()}/frames-depot-test-`);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const refuse = `${folder}/refuse`;

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  const built = spawnSync("cc", ["-o", refuse, SOURCE], { encoding: "utf8" });
  if (built.status !== 0) return `no C compiler: ${built.error?.message ?? built.stderr}`;
  const { status, stderr } = spawnSync(refuse, ["locks=22", "--", "true"], { encoding: "utf8" });
  return status === 0 ? undefined : `no filters of system calls here: ${stderr}`;
}
const reason = whyNot();

type Answer = { values?: number[]; code?: string; message?: string };

/** What a process says that makes a depot while calls are refused. */
async function load(
  runtime: Runtime,
  name: string,
  rules: string,
  env: Record<string, string | undefined> = {},
  cwd?: string,
): Promise<Answer> {
  const before = `set -- ${rules} -- "$FRAMES_DEPOT_TEST_PEER" "$@"\nFRAMES_DEPOT_TEST_PEER=${refuse}`;
  const options = { before, env: { [LIBRARY_VARIABLE]: undefined, ...env }, cwd };
  await using peer = new Peer(runtime, "load_peer.ts", { name }, options);
  const answer = await peer.line<Answer>();
  assertEquals(await peer.exit(), 0, peer.errors);
  return answer;
}

const leftOf = (name: string) => readdirSync("/dev/shm").filter((file) => file.includes(name));
const unfinished = () => readdirSync("/dev/shm").filter((file) => file.startsWith(".frames-depot-"));

function refusedTest(title: string, body: (runtime: Runtime, name: string) => Promise<void>): void {
  for (const runtime of STARTED) {
    depotTest(`${title}, in ${runtime}`, async (name) => {
      if (reason !== undefined) return skip(reason);
      await body(runtime, name);
    });
  }
}

const NAMED: [rule: string, call: string, errno: string][] = [
  ["locks=22", "fcntl with F_OFD_SETLK", "EINVAL"],
  ["locks=37", "fcntl with F_OFD_SETLK", "ENOLCK"],
  ["locks=1", "fcntl with F_OFD_SETLK", "EPERM"],
  ["fallocate=95", "fallocate", "ENOTSUP"],
  ["fallocate=1", "fallocate", "EPERM"],
  ["linkat=1", "linkat", "EPERM"],
  ["tmpfile=1", "open", "EPERM"],
];

refusedTest("create names the call that the system refuses, and leaves nothing", async (runtime, name) => {
  for (const [rule, call, errno] of NAMED) {
    const { code, message } = await load(runtime, name, rule);
    assertEquals([rule, code, leftOf(name)], [rule, "UNSUPPORTED", []], message);
    for (const part of [name, `${call} `, "is refused", `(${errno})`]) assertStringIncludes(message!, part);
    assert(!/membership|a live process/.test(message!), message);
  }
});

refusedTest("create says what is used up where no limit told so before", async (runtime, name) => {
  const cases: [rule: string, says: RegExp][] = [
    [
      "fallocate=122",
      /a quota of this user at \/dev\/shm is used up \(fallocate\).* are left.*\(EDQUOT\); a smaller maxSize/,
    ],
    ["tmpfile=122", /a quota of this user at \/dev\/shm is used up.*\(EDQUOT\); a smaller maxSize/],
    [
      "fallocate=28",
      /the system has no \d+\.\d kB left \(fallocate\), while .*memory are available \(ENOSPC\); a smaller/,
    ],
    ["fallocate=12", /\(ENOMEM\);/],
  ];
  for (const [rule, says] of cases) {
    const { code, message } = await load(runtime, name, rule);
    assertEquals([rule, code, leftOf(name)], [rule, "NO_SPACE", []], message);
    assertMatch(message!, says);
  }
});

refusedTest("create does without files that have no name", async (runtime, name) => {
  const before = unfinished();
  for (const rule of ["tmpfile=95", "tmpfile=21", "tmpfile=22"]) {
    assertEquals((await load(runtime, name, rule)).values, [1, 2, 3, 4], rule);
    assertEquals([rule, leftOf(name)], [rule, []]);
  }
  const { code } = await load(runtime, name, "tmpfile=95 linkat=1");
  assertEquals(code, "UNSUPPORTED");
  assertEquals(unfinished().filter((file) => !before.includes(file)), []);
});

refusedTest("loadShim without memory files takes a private folder, and no other", async (runtime, name) => {
  const home = `${folder}/${name}`;
  const cache = `${home}/.cache/frames-depot`;
  mkdirSync(home, { mode: 0o700 });
  const env = { HOME: home, XDG_CACHE_HOME: undefined, [CACHE_VARIABLE]: undefined };
  assertEquals((await load(runtime, name, "memfd_create=1", env)).values, [1, 2, 3, 4]);
  assertEquals([statSync(cache).mode & 0o777, readdirSync(cache).length], [0o700, 1]);
  chmodSync(cache, 0o777);
  const open = await load(runtime, name, "memfd_create=38", { ...env, [CACHE_VARIABLE]: cache });
  assertEquals(open.code, "UNSUPPORTED");
  assertMatch(open.message!, /from memory: the system refuses memfd_create \(ENOSYS\)/);
  assertStringIncludes(open.message!, `other users may write to ${cache}: its mode is 0777`);
  const relative = await load(runtime, name, "memfd_create=1", { ...env, [CACHE_VARIABLE]: "cache" }, home);
  assertStringIncludes(relative.message!, `${CACHE_VARIABLE}=cache is not an absolute path`);
  assertEquals([relative.code, readdirSync(home).includes("cache")], ["UNSUPPORTED", false]);
});
