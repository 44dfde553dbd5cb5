/**
 * Room: which limit has none, how much is needed, how much is left, and what raises it, before anything is taken. Each
 * limit is set here; what needs Linux, root or a file system of its own says so elsewhere.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import type { LimitKind } from "../ffi/shim.ts";
import { FramesDepot } from "../mod.ts";
import { leftOf, remedyOf, shortOf, tightest } from "../ring/limits.ts";
import { withControlGroup } from "./support/control_group.ts";
import { depotTest, Peer, skip, STARTED } from "./support/harness.ts";
import type { Made } from "./support/make_peer.ts";
import { namespaceTest, unshared } from "./support/namespaces.ts";

const folder = mkdtempSync(`${tmpdir()}/frames-depot-test-`);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** 25 MB. */
const OPTIONS = { frameSize: [1920, 1080, 3], maxSize: 4 };

depotTest("shortOf names the limit that is furthest from what is needed, and nothing where all have room", () => {
  const limits = ([["fileSystem", 10e6, 64e6], ["group", 3e6, 100e6], ["inodes", 5, 9]] as const)
    .map(([kind, left, whole]) => ({ kind, left, whole }));
  assertEquals(shortOf(2e6, limits), undefined);
  assertEquals(tightest(20e6, limits)?.kind, "group");
  assertMatch(
    shortOf(20e6, limits)!.join("; "),
    /^20\.0 MB are needed where 3\.0 MB of 100\.0 MB of memory are left to this control/,
  );
  assertEquals(tightest(20e6, [...limits, { kind: "inodes", left: 0, whole: 9 }])?.kind, "inodes");
  const kinds: LimitKind[] = ["fileSystem", "inodes", "quota", "group", "file", "addresses", "memory"];
  for (const kind of kinds) {
    assertMatch(leftOf({ kind, left: 1, whole: 2e6 }), kind === "inodes" ? /2000000/ : /2\.0 MB/);
    assert(remedyOf(kind).length > 20);
  }
});

function expectRefusal({ status, out }: { status: number | null; out: string }, parts: (string | RegExp)[]): void {
  assertEquals(status, 0, out);
  const { made, code, message, left } = JSON.parse(out) as Made;
  assertEquals([made, code, left], [false, "NO_SPACE", []], out);
  for (const part of parts) assertMatch(message!, typeof part === "string" ? new RegExp(part) : part);
}

const make = (name: string, setUp: string, options: unknown = OPTIONS) => {
  return unshared(["--mount"], setUp, "make_peer.ts", { name, options });
};

namespaceTest("create takes a size of 0 for what it is: no limit", (name) => {
  const { out } = make(name, "mount -t tmpfs -o size=0 tmpfs /dev/shm &&");
  assertEquals(JSON.parse(out), { made: true, left: [] });
});

namespaceTest("create says that /dev/shm may hold no more files", (name) => {
  const mount = "mount -t tmpfs -o size=1g,nr_inodes=3 tmpfs /dev/shm && touch /dev/shm/a /dev/shm/b &&";
  expectRefusal(make(name, mount), ["one more file is needed where 0 of 3 files \\(inodes\\)", "nr_inodes="]);
});

namespaceTest("create says how much of a user's quota is left", (name) => {
  const mount = "mount -t tmpfs -o usrquota,usrquota_block_hardlimit=10m,mode=1777 tmpfs /dev/shm";
  const { status } = unshared(["--mount"], `${mount} &&`, "make_peer.ts", { name, options: { frameSize: [2, 2, 1] } });
  if (status !== 0) return skip("this kernel's tmpfs has no quotas (Linux 6.6)");
  const user = "setpriv --reuid 1234 --regid 1234 --clear-groups";
  const home = "export HOME=/dev/shm/none DENO_DIR=/dev/shm/none DENO_NO_UPDATE_CHECK=1 &&";
  const ending = make(name, `${mount} && ${home} ${user}`);
  if (/Permission denied/.test(ending.out)) return skip("another user may not run this runtime");
  expectRefusal(ending, ["24\\.9 MB are needed where 10\\.5 MB of 10\\.5 MB of this user's quota", "setquota"]);
});

namespaceTest("create names the system that lacks a /dev/shm to write to, and makes nothing", (name) => {
  const cases: [setUp: string, parts: RegExp][] = [
    ["mount -t tmpfs -o ro tmpfs /dev/shm &&", /read-only \(EROFS\); .*remount,rw/],
    [
      "mount -t tmpfs tmpfs /mnt && mount --bind /mnt /dev &&",
      /folder of shared memory is missing \(ENOENT\); .*mount -t tmpfs/,
    ],
    ["mount -t ramfs ramfs /dev/shm &&", /fallocate is refused.*\(ENOTSUP\); .*tmpfs/],
  ];
  for (const [setUp, pattern] of cases) {
    const { status, out } = make(name, setUp);
    assertEquals(status, 0, out);
    const { code, message, left } = JSON.parse(out) as Made;
    assertEquals([setUp, code, left], [setUp, "UNSUPPORTED", []]);
    assertMatch(message!, pattern);
  }
});

for (const runtime of STARTED) {
  depotTest(`create says that a file may not be so large, and ${runtime} lives on`, async (name) => {
    if (process.platform !== "linux") return skip("needs Linux");
    // 20 MB; Deno has files of its own that grow, and dies of the limit itself where one is beyond it.
    const peerOptions = { before: "ulimit -f 40000", env: { DENO_DIR: folder } };
    await using peer = new Peer(runtime, "make_peer.ts", { name, options: OPTIONS }, peerOptions);
    const { code, message } = await peer.line<Made>();
    assertEquals([code, await peer.exit()], ["NO_SPACE", 0], peer.errors);
    assertMatch(
      message!,
      /24\.9 MB are needed where a file of this process may have \d+\.\d MB \(RLIMIT_FSIZE\); `ulimit -f/,
    );
  });
}

for (const runtime of STARTED) {
  depotTest(`list throws in ${runtime} when no descriptor is left, and needs no more than one`, async (name) => {
    if (process.platform !== "linux") return skip("needs Linux");
    await using _depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
    await using peer = new Peer(runtime, "descriptors_peer.ts", { name }, { before: "ulimit -n 256" });
    const { none, one } = await peer.line<{ none: string; one: string }>();
    assertMatch(none, /^UNSUPPORTED .*as many open files as it may have \(EMFILE\); close .*ulimit -n/);
    assertMatch(one, /^[1-9]\d* depots$/);
    await peer.exit();
  });

  depotTest(`create says how much memory a control group leaves, and ${runtime} is not killed`, async (name) => {
    await withControlGroup(name, 400 * 2 ** 20, async (before) => {
      if (before === undefined) return skip("no control group for memory can be made: needs root");
      const options = { ...OPTIONS, maxSize: 80 };
      await using peer = new Peer(runtime, "make_peer.ts", { name, options }, { before });
      const { code, message, left } = await peer.line<Made>();
      assertEquals([code, await peer.exit()], ["NO_SPACE", 0], peer.errors);
      assertMatch(message!, /49\d\.\d MB are needed where \d+\.\d MB of 419\.4 MB of memory are left to this control/);
      assertStringIncludes(message!, "MemoryMax=");
      assertEquals(left.filter((file) => file.includes(name)), []);
      await using small = new Peer(runtime, "make_peer.ts", { name, options: OPTIONS }, { before });
      assertEquals((await small.line<Made>()).made, true, small.errors);
      await small.exit();
    });
  });
}
