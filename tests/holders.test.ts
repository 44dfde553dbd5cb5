/**
 * Holders of a name: refusals lead to the process, and name none that is another.
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DepotError, FramesDepot } from "../mod.ts";
import { spanSince } from "../ring/holders.ts";
import { depotTest, HERE, Peer, RUNTIMES } from "./support/harness.ts";
import type { Made } from "./support/make_peer.ts";
import { namespaceTest, unshared } from "./support/namespaces.ts";
import { Remote } from "./support/remote.ts";

const SHAPE = { frameSize: [4, 2, 3] as [number, number, number] };

const refusal = async (name: string): Promise<string> => {
  const { code, message } = await assertRejects(() => FramesDepot.create(name, SHAPE), DepotError);
  assertEquals(code, "EXISTS");
  return message;
};

depotTest("create names this process where it has the depot open itself, and what helps then", async (name) => {
  await using _one = await FramesDepot.create(name, SHAPE);
  await using _two = await FramesDepot.open(name);
  const message = await refusal(name);
  assertMatch(
    message,
    /: this process \(\w+, its maker\), for \d s, has it open; close the depot object .*loaded anew.* createOrOpen\(\)/,
  );
  assertMatch(message, /`replace: true` to take the name/);
});

for (const runtime of RUNTIMES) {
  depotTest(`create names each process that has the depot open, of ${runtime}`, async (name) => {
    await using holder = new Remote(runtime);
    await holder.tell({ do: "create", name, options: SHAPE });
    const pid = holder.child.pid;
    assertMatch(
      await refusal(name),
      new RegExp(`: process ${pid} \\(${runtime}, its maker\\), for \\d s, has it open; use createOrOpen`),
    );
    await using own = await FramesDepot.open(name);
    const [theirs, ours] = [`process ${pid} \\(${runtime}, its maker\\)`, `this process \\(${HERE}, no producer\\)`];
    const since = ", for \\d s,";
    assertMatch(await refusal(name), new RegExp(`: ${theirs}${since} and ${ours}${since} have it open; close the`));
    own.tryEnqueue({ frame: new Uint8Array(24) });
    const first = `this process \\(${HERE}, a producer\\)`;
    assertMatch(await refusal(name), new RegExp(`: ${first}${since} and ${theirs}${since} have it open;`));
  });
}

namespaceTest("create names no process of here for one of another pid namespace", async (name) => {
  await using holder = new Peer(HERE, "namespace_peer.ts", { scene: "keep", name });
  assertEquals(await holder.line(), { open: true });
  const flags = ["--pid", "--fork", "--mount-proc"];
  const { status, out } = unshared(flags, "", "make_peer.ts", { name, options: SHAPE });
  assertEquals(status, 0, out);
  const { code, message } = JSON.parse(out) as Made;
  assertEquals(code, "EXISTS");
  assertMatch(
    message!,
    new RegExp(`a process that has pid ${holder.child.pid} in another pid namespace, .* \\(${HERE}, (a|its) `),
  );
});

depotTest("spanSince is never negative, whatever the clock does", () => {
  const now = Date.now();
  assertEquals([-5e6, 0, 3000, 300e3, 36e5 * 5].map((ms) => spanSince(now - ms)), [
    "0 s",
    "0 s",
    "3 s",
    "5 min",
    "5 h",
  ]);
});
