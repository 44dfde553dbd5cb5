/**
 * Depots of several users. Needs root, which becomes other users; elsewhere it says so.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { statSync, truncateSync } from "node:fs";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { runCli } from "./support/cli.ts";
import { depotTest, HERE, Peer, type Runtime, RUNTIMES, skip } from "./support/harness.ts";
import type { Made } from "./support/make_peer.ts";
import { unshared } from "./support/namespaces.ts";
import type { UserOrder } from "./support/user_peer.ts";

const SHAPE = { frameSize: [640, 480, 3] as [number, number, number], maxSize: 4, mode: 0o666 };
const [ONE, OTHER] = [61234, 61235];

/** A process of another user. */
class User extends Peer {
  constructor(runtime: Runtime, user: number) {
    super(runtime, "user_peer.ts", { user });
  }

  async tell(order: UserOrder): Promise<unknown> {
    this.send(order);
    const { answer, error } = await this.line<{ answer?: unknown; error?: string }>();
    return error ?? answer;
  }
}

function usersTest(title: string, body: (name: string) => Promise<void> | void): void {
  depotTest(title, async (name) => {
    if (process.platform !== "linux" || process.getuid!() !== 0) return skip("needs Linux and root");
    await body(name);
  });
}

const fileOf = (name: string) => `/dev/shm/frames-depot.${name}`;
const takenBy = (name: string) => statSync(fileOf(name)).blocks * 512;

for (const runtime of RUNTIMES) {
  for (const end of ["close", "exit"] as const) {
    usersTest(`the last one out that may not remove the name empties it: ${end} in ${runtime}`, async (name) => {
      await using one = new User(runtime, ONE);
      await using other = new User(runtime, OTHER);
      assertEquals(await one.tell({ do: "create", name, options: SHAPE }), "made");
      assertEquals(await other.tell({ do: "open", name, options: { trustedOwners: [ONE] } }), 0);
      assert(takenBy(name) > 3e6);
      await one.tell({ do: "close" });
      if (end === "exit") {
        other.send({ do: "exit" });
        assertEquals(await other.exit(), 0);
      } else {
        await other.tell({ do: "close" });
        assertMatch(other.errors, new RegExp(`may not remove its name.*belongs to user ${ONE}.*0666.*user ${OTHER}`));
        assertStringIncludes(other.errors, "its memory was given back");
        assertMatch(String(await other.tell({ do: "try", to: "open", name })), /^PERMISSION .*belongs to user 61234/);
        const create = String(await other.tell({ do: "try", to: "create", name, options: SHAPE }));
        assertMatch(create, new RegExp(`^PERMISSION .*belongs to user ${ONE} and has mode 0666, .* user ${OTHER} `));
      }
      assert(takenBy(name) < 65536, `${takenBy(name)} bytes`);
      const info = FramesDepot.inspect(name);
      assertEquals([info?.usable, info?.owner], [false, ONE]);
      assertStringIncludes(info!.reason, "it was emptied");
      assertEquals(await one.tell({ do: "create", name, options: SHAPE }), "made");
      assert(takenBy(name) > 3e6);
    });
  }
}

usersTest("root sees what another user has, opens it only when told to, and removes what is stale", async (name) => {
  await using one = new User(HERE, ONE);
  assertEquals(await one.tell({ do: "create", name, options: { ...SHAPE, mode: 0o600 } }), "made");
  await one.tell({ do: "enqueue", frameNumber: 5 });
  const listed = FramesDepot.list().find((info) => info.name === name);
  assertEquals([listed?.usable, listed?.stale, listed?.owner, listed?.peers], [true, false, ONE, 1]);
  const { stats } = FramesDepot.inspect(name)!;
  assertEquals([stats?.stored, stats?.peers.map(({ pid, alive }) => [pid, alive])], [1, [[one.child.pid, true]]]);
  const error = await FramesDepot.open(name).catch((error) => error);
  assertEquals(error.code, "PERMISSION");
  assertStringIncludes(error.message, `belongs to user ${ONE} and has mode 0600, this process is user 0`);
  const exists = await FramesDepot.create(name, SHAPE).catch((error) => error);
  assertMatch(`${exists.code} ${exists.message}`, new RegExp(`^EXISTS .*: a live process of user ${ONE} has it open;`));
  const { out } = await runCli(["ls", "--no-rates"]);
  assertMatch(out, new RegExp(`^${name}: of user ${ONE}$`, "m"));
  assertEquals(FramesDepot.unlink(name, { onlyStale: true }), false);
  await using depot = await FramesDepot.open(name, { trustedOwners: [ONE] });
  assertEquals(depot.stats().peers.length, 2);
  await depot.close();
  await one.kill();
  assertEquals(FramesDepot.inspect(name)?.stale, true);
  assertEquals([FramesDepot.unlink(name, { onlyStale: true }), FramesDepot.inspect(name)], [true, undefined]);
});

usersTest("a look at another user's depot survives what that user does to it meanwhile", async (name) => {
  await using one = new User(HERE, ONE);
  assertEquals(await one.tell({ do: "create", name, options: SHAPE }), "made");
  const whole = statSync(fileOf(name)).size;
  for (const bytes of [whole - 1, 8192, 4096, 100, 0]) {
    truncateSync(fileOf(name), bytes);
    assertEquals(FramesDepot.inspect(name)?.usable, false, `${bytes} bytes`);
  }
});

usersTest("users who may not open a depot are told its owner and mode, and cannot see or remove it", async (name) => {
  await using one = new User(HERE, ONE);
  await using other = new User(HERE, OTHER);
  assertEquals(await one.tell({ do: "create", name, options: { ...SHAPE, mode: 0o640 } }), "made");
  for (const to of ["open", "create", "unlink"] as const) {
    const answer = String(await other.tell({ do: "try", to, name, options: SHAPE }));
    assertMatch(
      answer,
      new RegExp(`^PERMISSION .*belongs to user ${ONE} and has mode 0640, .* user ${OTHER} .*; its owner`),
    );
  }
  assertEquals(await other.tell({ do: "look", name }), [null, null, null]);
});

usersTest("the user id that stands for all unknown ones is trusted by none", async (name) => {
  await using one = new User(HERE, ONE);
  assertEquals(await one.tell({ do: "create", name, options: SHAPE }), "made");
  const flags = ["--user", "--map-user=65534"];
  if (spawnSync("unshare", [...flags, "true"]).status !== 0) return skip("no user namespaces here");
  const { status, out } = unshared(flags, "", "make_peer.ts", { name });
  assertEquals(status, 0, out);
  const { code, message } = JSON.parse(out) as Made;
  assertEquals(code, "PERMISSION", message);
  assertMatch(
    message!,
    /belongs to user 65534 and has mode 0666, this process is a user whom this user namespace shows/,
  );
});

for (const runtime of RUNTIMES) {
  usersTest(`stat and rm say whose a depot is that they may not look at (${runtime})`, async (name) => {
    await using depot = await FramesDepot.create(name, { ...SHAPE, mode: 0o600 });
    await using user = new User(runtime, ONE);
    for (const parameters of [["stat", name], ["stat", name, "--json"], ["rm", name], ["rm", "--force", name]]) {
      assertEquals(await user.tell({ do: "command", parameters }), 5, parameters.join(" "));
    }
    assertEquals(user.errors.split("it belongs to user 0 and has mode 0600").length, 5, user.errors);
    assertEquals(await user.tell({ do: "command", parameters: ["stat", `${name}-none`] }), 3);
    assertEquals(depot.linked, true);
  });
}
