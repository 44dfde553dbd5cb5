/**
 * What `doctor` finds: each condition is made, and each is looked for where it is not. The conditions need a shared
 * memory of their own, so Linux and root; elsewhere the tests say so.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Finding } from "../cli/doctor/finding.ts";
import { limitFinding } from "../cli/doctor/memory.ts";
import { runtimeFinding } from "../cli/doctor/system.ts";
import { FramesDepot } from "../mod.ts";
import { DENO_VERSION } from "../tools/support/versions.ts";
import { cliCommand, runCli } from "./support/cli.ts";
import { withControlGroup } from "./support/control_group.ts";
import type { SceneFindings } from "./support/doctor_scene.ts";
import { depotTest, HERE, Peer, skip, skipPart } from "./support/harness.ts";
import { namespaceTest, unshared } from "./support/namespaces.ts";
import { DENO_GRANTS, IS_WINDOWS, NO_PACKAGES } from "./support/windows.ts";

const folder = mkdtempSync(`${tmpdir()}/frames-depot-test-`);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const OWN = "mount -t tmpfs -o mode=1777,size=512m tmpfs /dev/shm";
const SHAPE = { frameSize: [4, 2, 3] as [number, number, number] };

/** Those that say more than that all is well, or that a program is missing. */
const bad = (findings: Finding[]) =>
  findings.filter(({ verdict }) => verdict === "warning" || verdict === "wrong").map(({ id }) => id);

/** What `doctor` finds after some commands of a shell. */
function doctor(setUp: string, flags = ["--mount"], before = ""): { code: number | null; findings: Finding[] } {
  const command = `${setUp} && exec ${before} ${cliCommand().join(" ")} doctor --json`;
  const { status, stdout, stderr } = spawnSync("unshare", [...flags, "sh", "-c", command], { encoding: "utf8" });
  assert(stdout.startsWith("{"), `${stdout}${stderr}`);
  return { code: status, findings: JSON.parse(stdout).findings };
}

function one(findings: Finding[], id: string): Finding {
  const finding = findings.find((finding) => finding.id === id);
  assert(finding !== undefined, `${id} is not among ${findings.map(({ id, verdict }) => `${id}: ${verdict}`)}`);
  if (finding.verdict !== "ok") assert(finding.remedy !== undefined && finding.remedy.length > 10, id);
  return finding;
}

namespaceTest("doctor finds nothing where nothing is wrong, and has used a depot of its own", () => {
  const { code, findings } = doctor(OWN);
  assertEquals([code, bad(findings)], [0, []]);
  for (
    const id of ["probe", "shared-memory", "limit-file-system", "limit-inodes", "limit-memory", "depots"]
  ) {
    assertEquals(one(findings, id).verdict, "ok");
  }
});

const SYSTEMS: [id: string, setUp: string, says: RegExp, before?: string][] = [
  [
    "shared-memory-missing",
    "mount -t tmpfs tmpfs /mnt && mknod -m 666 /mnt/null c 1 3 && mknod -m 666 /mnt/urandom c 1 9 " +
    "&& mkdir /mnt/pts && mount --bind /mnt /dev",
    /\/dev\/shm is missing/,
  ],
  ["shared-memory-missing", "mount -t tmpfs -o ro tmpfs /dev/shm", /read-only/],
  ["shared-memory-on-disk", `mkdir -p ${folder}/disk && mount --bind ${folder}/disk /dev/shm`, /not on a tmpfs/],
  ["shared-memory-on-disk", "mount -t ramfs ramfs /dev/shm", /is a ramfs, not a tmpfs/],
  [
    "limit-file-system",
    "mount -t tmpfs -o size=16m tmpfs /dev/shm",
    /16\.8 MB of 16\.8 MB .* room for 2 frames of 1080p/,
  ],
  ["limit-inodes", "mount -t tmpfs -o size=512m,nr_inodes=6 tmpfs /dev/shm", /\d of 6 files \(inodes\)/],
  ["limit-descriptors", `${OWN} && ulimit -n 200`, /^200 at a time/],
  ["limit-file", `${OWN} && export DENO_DIR=${folder} && ulimit -f 100000`, /may have 51\.2 MB \(RLIMIT_FSIZE\)/],
];

for (const [id, setUp, says] of SYSTEMS) {
  namespaceTest(`doctor finds ${id} after ${setUp.split("&&").at(-1)!.trim()}`, () => {
    const { findings } = doctor(setUp);
    const finding = one(findings, id);
    assert(finding.verdict !== "ok");
    assertMatch(finding.says, says);
    const isUseless = id === "shared-memory-missing" || setUp.includes("ramfs");
    const expected = isUseless ? [id, "probe-failed"] : [id];
    assertEquals(bad(findings).sort(), expected.sort());
  });
}

namespaceTest("doctor finds a control group that leaves little memory", async (name) => {
  await withControlGroup(name, 300 * 2 ** 20, (enter) => {
    if (enter === undefined) return skip("no control group for memory can be made: needs root");
    // Pages of its own and of the runtime's files stay: some of the limit is used.
    const { findings } = doctor(`${OWN} && ${enter} && head -c 234000000 /dev/zero > /dev/shm/ballast`);
    const finding = one(findings, "limit-group");
    assertEquals(bad(findings), ["limit-group"]);
    assertMatch(finding.says, /of 314\.6 MB of memory are left .* room for \d frames of 1080p/);
    assertStringIncludes(finding.remedy!, "MemoryMax=");
  });
});

depotTest("limitFinding warns of each limit that leaves less than ten frames of 1080p", () => {
  const limits = ["fileSystem", "quota", "group", "file", "addresses", "memory"] as const;
  for (const kind of limits) {
    const of = (left: number) => limitFinding({ kind, left, whole: 9e9, says: "left", remedy: "more" });
    assertEquals([of(63e6), of(62e6).remedy].map((found) => typeof found === "string" ? found : found!.verdict), [
      "ok",
      "more",
    ]);
    assertEquals(of(62e6).says, "left: room for 9 frames of 1080p");
  }
});

depotTest("runtimeFinding knows versions that are too old, and those that were not tested", () => {
  const ids = [runtimeFinding("bun", "1.3.9"), runtimeFinding("bun", "1.4.0"), runtimeFinding("deno", "2.0.0")];
  assertEquals(ids.map(({ id, verdict }) => `${id} ${verdict}`), [
    "runtime-too-old wrong",
    "runtime-untested warning",
    "runtime-untested warning",
  ]);
  assertEquals(runtimeFinding("deno", DENO_VERSION).id, "runtime");
});

depotTest("doctor says that the library is missing, and checks the rest", async () => {
  if (IS_WINDOWS && HERE === "bun") return skip(NO_PACKAGES);
  const { code, out } = await runCli(["doctor", "--json"], { env: { FRAMES_DEPOT_LIB: "/nowhere/x.so" } });
  const { findings } = JSON.parse(out);
  assertEquals([code, one(findings, "library-missing").verdict], [1, "wrong"]);
  assert(!findings.some(({ id }: Finding) => id === "probe" || id === "probe-failed" || id === "depots"));
});

depotTest("doctor says which permission Deno does not grant", () => {
  if (HERE !== "deno") return skip("Deno alone has permissions to grant");
  if (IS_WINDOWS) return skip(DENO_GRANTS);
  const [deno, , , , main] = ["", ...cliCommand("deno")].slice(1);
  const { stdout, status, stderr } = spawnSync("sh", [
    "-c",
    'exec "$RUNTIME" run --no-prompt -R -E -S "$0" doctor --json',
    main,
  ], {
    encoding: "utf8",
    env: { ...process.env, RUNTIME: deno },
  });
  assert(stdout.startsWith("{"), stderr);
  const [finding, ...others] = JSON.parse(stdout).findings as Finding[];
  assertEquals([status, finding.id, finding.verdict, others], [1, "permissions-missing", "wrong", []]);
  assertMatch(finding.says, /ffi, write, run/);
});

/** A small program or library of C; undefined where there is no compiler. */
function built(name: string, source: string, flags: string[]): string | undefined {
  writeFileSync(`${folder}/${name}.c`, source);
  const { status } = spawnSync("cc", [...flags, "-o", `${folder}/${name}`, `${folder}/${name}.c`]);
  return status === 0 ? `${folder}/${name}` : undefined;
}

namespaceTest("doctor's probe names the call that the system refuses", () => {
  const refuse = `${folder}/refuse`;
  const source = fileURLToPath(new URL("./support/refuse.c", import.meta.url));
  if (spawnSync("cc", ["-o", refuse, source]).status !== 0) return skip("no C compiler");
  const { code, findings } = doctor(OWN, ["--mount"], `${refuse} locks=37 --`);
  assertEquals([code, bad(findings)], [1, ["probe-failed"]]);
  assertMatch(one(findings, "probe-failed").says, /UNSUPPORTED: .*F_OFD_SETLK is refused.*\(ENOLCK\)/);
});

/** The fork keeps segments alone: the end of its parent's pipes is waited for. */
const FORKS = `#include <stdio.h>
#include <string.h>
#include <unistd.h>
int forks(void) {
  const int id = fork();
  if (id != 0) return id;
  for (int at = 0; at < 1024; at++) {
    char link[64], path[64] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    if (readlink(link, path, sizeof path - 1) > 0 && strncmp(path, "/dev/shm/", 9) != 0) close(at);
  }
  sleep(60);
  _exit(0);
}`;

namespaceTest("doctor finds what is stale, broken, lost, forked, open to others, or half made, and only that", () => {
  const library = built("forks.so", FORKS, ["-shared", "-fPIC"]);
  const { status, out } = unshared(["--mount"], `${OWN} &&`, "doctor_scene.ts", { library }, HERE, 300_000);
  assertEquals(status, 0, out);
  const scene: SceneFindings = JSON.parse(out);
  const expected: [condition: string, ids: string[], id: string, says: RegExp][] = [
    ["nothing", [], "depots", /^1 live/],
    ["stale", ["stale"], "stale", /^stale, its only owner \(pid \d+\) is dead; it takes/],
    ["broken", ["broken"], "broken", /cannot open depot "odd".*11 bytes/],
    [
      "removed",
      ["name-removed"],
      "name-removed",
      /removed or taken while process \d+ \(.*doctor_scene.*\) has it open: no other/,
    ],
    ["taken", [], "name-taken", /another depot has its name; process \d+ \(.*remote_peer/],
    ["written", ["others-write"], "others-write", /write to it and damage it: its mode is 0666/],
    ["read", ["others-read"], "others-read", /its mode is 0644.*hold a lock/],
    ["owned", [], "other-users", /user 61234 has 1 depot: open/],
    ["young", [], "depots", /^0 live/],
    [
      "unfinished",
      ["unfinished", "unfinished"],
      "unfinished",
      /\/dev\/shm\/\.frames-depot[-.].* was left by a process/,
    ],
    ["swept", [], "depots", /^0 live/],
    ["nothing left", [], "depots", /^0 live/],
  ];
  if (library === undefined) skipPart("a fork", "no C compiler");
  else {
    const fork = scene.forked.findings.find(({ id }) => id === "fork")!.says;
    expected.push(["forking", [], "depots", /^1 live/]);
    expected.push(["forked", ["fork-holds"], "fork-holds", new RegExp(`has ended, and its fork ${fork} \\(`)]);
    assertStringIncludes(one(scene.forked.findings, "fork-holds").remedy!, `kill ${fork}\``);
  }
  for (const [condition, ids, id, says] of expected) {
    // "young" is looked at twice, the second time beside the first file, which is old by then.
    const found = bad(scene[condition].findings);
    if (condition !== "young") assertEquals([condition, found], [condition, ids]);
    assertMatch(one(scene[condition].findings, id).says, says);
    assertEquals([condition, scene[condition].code], [condition, ids.includes("broken") ? 1 : 0]);
  }
}, { watchdogMs: 300_000 });

namespaceTest("doctor in another pid namespace names no process for a holder that it cannot know", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SHAPE, maxSize: 1 });
  await using reader = new Peer(HERE, "remote_peer.ts", {});
  reader.send({ do: "open", name });
  await reader.line();
  reader.send({ do: "follow", mode: "lossless", frames: 0 });
  await reader.line();
  await depot.enqueue({ frame: new Uint8Array(24) });
  process.kill(reader.child.pid!, "SIGSTOP");
  try {
    const here = JSON.parse((await runCli(["doctor", "--json"])).out).findings as Finding[];
    const mine = (findings: Finding[]) => findings.filter(({ check }) => check === `depot ${name}`);
    assertEquals(mine(here).map(({ id }) => id), ["reader-stopped"]);
    assertStringIncludes(one(mine(here), "reader-stopped").says, `pid ${reader.child.pid}`);
    // A process that has nothing to do with it gets the reader's pid there, and is stopped.
    const decoy = `echo ${reader.child.pid! - 1} > /proc/sys/kernel/ns_last_pid; sleep 60 & kill -STOP $!`;
    const { findings } = doctor(`${decoy}; test $! = ${reader.child.pid}`, [
      "--pid",
      "--fork",
      "--mount-proc",
      "--kill-child",
    ]);
    assertEquals(mine(findings).map(({ id, verdict }) => `${id} ${verdict}`), ["other-namespace ok"]);
    assertMatch(one(mine(findings), "other-namespace").says, /^2 holders in another pid namespace/);
  } finally {
    process.kill(reader.child.pid!, "SIGCONT");
  }
});
