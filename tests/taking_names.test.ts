/**
 * Whose name `create` and `createOrOpen` take, and whose they do not.
 */
import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import process from "node:process";
import { DepotError, type DepotOptions, FramesDepot } from "../mod.ts";
import { HEADER, LAYOUT_VERSION } from "../ring/layout.ts";
import { readAll } from "./support/actor.ts";
import { depotTest, errorOf, HERE, type Runtime, RUNTIMES, skip, skipPart } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";
import { IS_WINDOWS, NO_STALE } from "./support/windows.ts";

const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const WATCHED = { watchdogMs: 30_000 };
const options = (): DepotOptions => ({ frameSize: [2, 2, 1], maxSize: 4 });
const LARGER: DepotOptions = { frameSize: [4, 4, 3], maxSize: 2, whenFull: "overwrite" };
const replaced = (depot: FramesDepot) => [depot.replaced, depot.ended, depot.linked];
const file = (name: string) => `/dev/shm/frames-depot.${name}`;
const leftover = (name: string) => `/dev/shm/.frames-depot.${name}`;

async function fill(depot: FramesDepot, ...numbers: number[]): Promise<void> {
  for (const frameNumber of numbers) {
    await depot.enqueue({ frameNumber, frame: new Uint8Array(depot.frameBytes).fill(frameNumber) });
  }
}

depotTest("create takes the name of a stale depot, with replace and without", async (name) => {
  for (const replace of [true, false]) {
    const victim = new Remote(OTHER);
    await victim.tell({ do: "create", name, options: options() });
    await victim.tell({ do: "enqueue", frameNumber: 1 });
    await victim.kill();
    await using depot = await FramesDepot.create(name, { ...LARGER, replace });
    assertEquals([depot.length, depot.frameSize], [0, [4, 4, 3]]);
  }
}, WATCHED);

depotTest("create with replace refuses what live processes have and it cannot read", async (name) => {
  if (process.platform !== "linux") return skip("needs Linux");
  await using owner = new Remote();
  await owner.tell({ do: "create", name, options: options() });
  truncateSync(file(name), 100);
  assertEquals(await errorOf(() => FramesDepot.create(name, { ...options(), replace: true })), "CORRUPT");
  assertEquals(await errorOf(() => FramesDepot.create(name, options())), "EXISTS");
  truncateSync(file(name), 4096);
  writeFileSync(file(name), new Uint8Array(4096).fill(7), { flag: "r+" });
  assertEquals(await errorOf(() => FramesDepot.create(name, { ...options(), replace: true })), "INCOMPATIBLE");
  assertEquals([existsSync(file(name)), existsSync(leftover(name))], [true, false]);
}, WATCHED);

/** Of a name that a live depot of another version has: the ways to ask for it, and the code of each refusal. */
const REFUSALS = [
  ["create", false, "EXISTS"],
  ["create", true, "INCOMPATIBLE"],
  ["createOrOpen", false, "INCOMPATIBLE"],
  ["createOrOpen", true, "INCOMPATIBLE"],
] as const;

depotTest(
  "create of a name that another version's depot has says which version made it, and nothing that is refused",
  async (name) => {
    if (process.platform !== "linux") return skip("needs Linux");
    await using owner = new Remote();
    await owner.tell({ do: "create", name, options: options() });
    const version = new DataView(new ArrayBuffer(4));
    for (const [layout, made] of [[LAYOUT_VERSION - 1, "an earlier"], [LAYOUT_VERSION + 1, "a later"]] as const) {
      version.setUint32(0, layout, true);
      const fd = openSync(file(name), "r+");
      writeSync(fd, version, 0, 4, HEADER.version);
      closeSync(fd);
      const why = `it was made by ${made} version of this library (layout ${layout}, here ${LAYOUT_VERSION})`;
      for (const [make, replace, code] of REFUSALS) {
        const error = await assertRejects(() => FramesDepot[make](name, { ...options(), replace }), DepotError);
        assertEquals([error.code, error.message.includes(why)], [code, true], error.message);
        assertEquals(/createOrOpen|replace: true/.test(error.message), false, error.message);
      }
    }
  },
  WATCHED,
);

depotTest("create and createOrOpen leave a file alone that is no depot, and take a broken one's name", async (name) => {
  if (process.platform !== "linux") return skip("needs Linux");
  const letters = (text: string) => new TextEncoder().encode(text);
  for (const content of [letters("mine"), letters("mine".repeat(4096)), letters("FRMDEPO!".repeat(8))]) {
    writeFileSync(file(name), content, { mode: 0o600 });
    for (const make of ["create", "createOrOpen"] as const) {
      for (const replace of [false, true]) {
        const error = await assertRejects(() => FramesDepot[make](name, { ...options(), replace }), DepotError);
        const codes = make === "create" || content.length >= 4096 ? ["INCOMPATIBLE"] : ["INCOMPATIBLE", "CORRUPT"];
        assertEquals([codes.includes(error.code), error.remedy?.includes(`frames-depot rm ${name}`)], [true, true]);
      }
    }
    assertEquals(new Uint8Array(readFileSync(file(name))), content);
    rmSync(file(name));
  }
  for (const content of [new Uint8Array(0), letters("FRMDEPOT"), letters("FRMDEPOT".repeat(4096))]) {
    writeFileSync(file(name), content, { mode: 0o600 });
    await using depot = await FramesDepot.create(name, options());
    assertEquals(depot.length, 0);
  }
});

depotTest("create with replace refuses the depot of another user with PERMISSION", async (name) => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return skip("not root: no other user's depot");
  await using old = await FramesDepot.create(name, options());
  chownSync(file(name), 12345, 12345);
  const error = await assertRejects(() => FramesDepot.create(name, { ...options(), replace: true }), DepotError);
  assertEquals([error.code, replaced(old)], ["PERMISSION", [false, false, true]]);
  assertEquals(await errorOf(() => FramesDepot.create(name, options())), "EXISTS");
  rmSync(file(name));
});

depotTest("create says which processes have the name, and how to have it anyway", async (name) => {
  await using _own = await FramesDepot.create(name, options());
  await using other = new Remote(OTHER);
  await other.tell({ do: "open", name });
  const error = await assertRejects(() => FramesDepot.create(name, options()), DepotError);
  assertEquals(error.code, "EXISTS");
  for (const part of [`process ${other.child.pid}`, "this process", "createOrOpen()", "`replace: true`"]) {
    assertStringIncludes(error.message, part);
  }
});

for (const runtime of RUNTIMES) {
  for (const end of ["close", "kill"] as const) {
    depotTest(`create takes the name when the producer, a ${runtime} process, is gone: ${end}`, async (name) => {
      await using producer = new Remote(runtime);
      await producer.tell({ do: "create", name, options: options() });
      await using viewer = await FramesDepot.open(name);
      assertEquals(await errorOf(() => FramesDepot.create(name, options())), "EXISTS"); // its maker may still begin
      await producer.tell({ do: "enqueue", frameNumber: 1 });
      const reading = readAll(viewer);
      assertEquals(await errorOf(() => FramesDepot.create(name, options())), "EXISTS");
      if (end === "close") await producer.tell({ do: "close" });
      else await producer.kill();
      await using next = await FramesDepot.create(name, LARGER);
      assertEquals([await reading, replaced(viewer)], ["1, replaced", [true, true, false]]);
      await fill(next, 1);
    }, WATCHED);
  }
}

depotTest("createOrOpen opens the same geometry, and replaces another once producers are gone", async (name) => {
  const producer = await FramesDepot.createOrOpen(name, options());
  await using viewer = await FramesDepot.open(name);
  await fill(producer, 1);
  const error = await assertRejects(
    () => FramesDepot.createOrOpen(name, LARGER),
    DepotError,
    "its frameSize is [2,2,1], not [4,4,3]; producers have it open",
  );
  assertEquals(error.code, "INCOMPATIBLE");
  await producer.close();
  const again = await FramesDepot.createOrOpen(name, options());
  assertEquals([again.id, replaced(viewer)], [viewer.id, [false, false, true]]);
  await again.close();
  await using larger = await FramesDepot.createOrOpen(name, LARGER);
  assertEquals([larger.frameSize, replaced(viewer)], [[4, 4, 3], [true, true, false]]);
  assertEquals(await readAll(viewer), "1, replaced");
  await fill(larger, 1);
  await using forced = await FramesDepot.createOrOpen(name, { ...options(), replace: true });
  assertEquals([forced.frameSize, replaced(larger)], [[2, 2, 1], [true, true, false]]);
});

depotTest(
  "createOrOpen in several processes at once makes one depot in place of one of another geometry",
  async (name) => {
    const remotes = [...RUNTIMES, ...RUNTIMES].map((runtime) => new Remote(runtime));
    try {
      await using viewer = await FramesDepot.create(name, options());
      for (let round = 0; round < 15; round++) {
        const [width, before] = [3 + round, FramesDepot.inspect(name)?.id ?? viewer.id];
        const shape: DepotOptions = { frameSize: [width, 2, 1], maxSize: 4 };
        await using onlooker = await FramesDepot.open(name);
        if (round > 0) await remotes[0].tell({ do: "enqueue", frameNumber: 1 });
        else await fill(viewer, 1);
        for (const remote of round > 0 ? remotes : []) await remote.tell({ do: "close" });
        if (round === 0) await viewer.close();
        const order = { do: "createOrOpen", name, options: shape, at: Date.now() + 50 } as const;
        assertEquals(await Promise.all(remotes.map((remote) => remote.tell(order))), remotes.map(() => "made"));
        const ids = await Promise.all(remotes.map((remote) => remote.tell({ do: "id" }) as Promise<string[]>));
        assertEquals(new Set(ids.flat()).size, 1);
        assertNotEquals(ids[0][0], before);
        assertEquals([FramesDepot.inspect(name)?.frameSize, replaced(onlooker)], [[width, 2, 1], [true, true, false]]);
      }
    } finally {
      for (const remote of remotes) await remote[Symbol.asyncDispose]();
    }
  },
);

depotTest("createOrOpen replaces a depot that has ended, once its producers are gone", async (name) => {
  for (const frames of [1, 0]) {
    for (const end of ["close", "kill"] as const) {
      const producer = new Remote(OTHER);
      await producer.tell({ do: "createOrOpen", name, options: options() });
      if (frames > 0) await producer.tell({ do: "enqueue", frameNumber: 1 });
      await using viewer = await FramesDepot.open(name);
      await producer.tell({ do: "end" });
      if (end === "close") await producer.tell({ do: "close" });
      else await producer.kill();
      await using next = await FramesDepot.createOrOpen(name, options());
      assertEquals(replaced(viewer), [true, true, false]);
      await fill(next, 2);
      assertEquals(await readAll(viewer), frames > 0 ? "1, ended" : ", ended");
      await producer[Symbol.asyncDispose]();
    }
  }
}, WATCHED);

depotTest("createOrOpen joins a depot that has ended while a producer has it open", async (name) => {
  await using producer = await FramesDepot.create(name, options());
  await fill(producer, 1);
  producer.end();
  await using reader = await FramesDepot.createOrOpen(name, options());
  assertEquals([reader.id, await readAll(reader)], [producer.id, "1, ended"]);
  await using next = await FramesDepot.createOrOpen(name, { ...options(), replace: true });
  assertNotEquals(next.id, producer.id);
});

/** The rows and columns of the guide's table of createOrOpen. */
const FOUND = { same: options(), other: LARGER, ended: options() };
const OUTCOMES: Record<keyof typeof FOUND, Record<string, string>> = {
  same: { produced: "opened", gone: "opened", replace: "opened", dead: "replaced", stale: "opened" },
  other: { produced: "INCOMPATIBLE", gone: "replaced", replace: "replaced", dead: "replaced", stale: "replaced" },
  ended: { produced: "opened", gone: "replaced", replace: "replaced", dead: "replaced", stale: "replaced" },
};

for (const [found, outcomes] of Object.entries(OUTCOMES)) {
  depotTest(`createOrOpen of a depot that is ${found} does what the guide's table says`, async (_, another) => {
    for (const [state, outcome] of Object.entries(outcomes)) {
      if (state === "stale" && IS_WINDOWS) {
        skipPart(state, NO_STALE);
        continue;
      }
      const name = another();
      await using producer = new Remote(OTHER);
      await producer.tell({ do: "create", name, options: FOUND[found as keyof typeof FOUND] });
      await producer.tell({ do: "enqueue", frameNumber: 1 });
      const { id } = FramesDepot.inspect(name)!;
      if (found === "ended") await producer.tell({ do: "end" });
      await using viewer = ["dead", "stale"].includes(state) ? undefined : await FramesDepot.open(name);
      if (state === "gone" || viewer === undefined) await producer.kill();
      const more = state === "replace" ? { replace: true } : state === "stale" ? { stale: true } : {};
      const tried = FramesDepot.createOrOpen(name, { ...options(), ...more });
      const got = await tried.catch((error: DepotError) => error.code);
      const said = typeof got === "string" ? got : got.id === id ? "opened" : "replaced";
      assertEquals(said, outcome, `${found}, ${state}`);
      if (typeof got === "string") continue;
      assertEquals(got.ended, found === "ended" && state === "produced");
      await got.close();
    }
  }, WATCHED);
}
