/**
 * Every code of a DepotError: its message says what was tried, what is in the way, and what helps.
 */
import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import process from "node:process";
import { CALL, ERRNO } from "../ffi/constants.ts";
import { LIBRARY_VARIABLE } from "../ffi/load.ts";
import { DepotError, type DepotErrorCode, type DepotOptions, FramesDepot } from "../mod.ts";
import { failure } from "../ring/failures.ts";
import { depotTest, HERE, Peer, skip } from "./support/harness.ts";

const SHAPE: DepotOptions = { frameSize: [2, 2, 1], maxSize: 2, maxReaders: 1 };
const file = (name: string) => `/dev/shm/frames-depot.${name}`;

type Refusal = Pick<DepotError, "code" | "message" | "remedy" | "depot">;

/** Only Linux has segments as files. */
const onLinux = process.platform === "linux";

async function refusalOf(run: () => unknown): Promise<DepotError> {
  const error = await Promise.resolve().then(run).then(() => undefined, (error) => error);
  assertInstanceOf(error, DepotError);
  return error;
}

/** How each cause comes about; undefined where the system has no such thing. */
const CAUSES: Record<DepotErrorCode, (name: string) => Promise<Refusal | undefined>> = {
  async EXISTS(name) {
    await using _depot = await FramesDepot.create(name, SHAPE);
    return await refusalOf(() => FramesDepot.create(name, SHAPE));
  },
  NOT_FOUND: (name) => refusalOf(() => FramesDepot.open(name)),
  async NOT_READY(name) {
    if (!onLinux) return undefined;
    writeFileSync(file(name), "", { mode: 0o600 });
    return await refusalOf(() => FramesDepot.open(name));
  },
  async INCOMPATIBLE(name) {
    await using depot = await FramesDepot.create(name, SHAPE);
    depot.tryEnqueue({ frame: new Uint8Array(4) });
    return await refusalOf(() => FramesDepot.createOrOpen(name, { ...SHAPE, maxSize: 3 }));
  },
  async CORRUPT(name) {
    if (!onLinux) return undefined;
    writeFileSync(file(name), "FRMDEPOT", { mode: 0o600 });
    return await refusalOf(() => FramesDepot.open(name));
  },
  NO_SPACE: (name) => refusalOf(() => FramesDepot.create(name, { frameSize: [30_000, 30_000, 4], maxSize: 1000 })),
  async PERMISSION(name) {
    if (!onLinux) return undefined;
    await using _depot = await FramesDepot.create(name, SHAPE);
    if (process.getuid?.() === 0) chownSync(file(name), 54_321, 54_321);
    else chmodSync(file(name), 0);
    return await refusalOf(() => FramesDepot.open(name));
  },
  async TOO_MANY_PEERS(name) {
    await using depot = await FramesDepot.create(name, SHAPE);
    using _reader = depot.frames();
    return await refusalOf(() => depot.frames());
  },
  async CLOSED(name) {
    const depot = await FramesDepot.create(name, SHAPE);
    await depot.close();
    return await refusalOf(() => depot.latest());
  },
  async ENDED(name) {
    await using depot = await FramesDepot.create(name, SHAPE);
    depot.end();
    return await refusalOf(() => depot.tryClaim());
  },
  async REPLACED(name) {
    await using depot = await FramesDepot.create(name, SHAPE);
    await using _next = await FramesDepot.create(name, { ...SHAPE, replace: true });
    return await refusalOf(() => depot.tryClaim());
  },
  async BUSY(name) {
    await using depot = await FramesDepot.create(name, SHAPE);
    using slot = depot.tryClaim()!;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const filling = slot.fillFrom(readable);
    const error = await refusalOf(() => slot.publish());
    const writer = writable.getWriter();
    await writer.write(new Uint8Array(4));
    await filling;
    return error;
  },
  async UNSUPPORTED(name) {
    await using peer = new Peer(HERE, "load_peer.ts", { name }, { env: { [LIBRARY_VARIABLE]: "/nowhere/library" } });
    const error = await peer.line<Refusal>();
    assertEquals(await peer.exit(), 0, peer.errors);
    return error;
  },
};

for (const [code, cause] of Object.entries(CAUSES)) {
  depotTest(`DepotError ${code} says what was tried, why it failed, and what helps`, async (name) => {
    const error = await cause(name);
    if (error === undefined) return skip("segments are files on Linux only");
    assertEquals(error.code, code);
    assertMatch(error.message, /^cannot [^:]+: ./);
    assert(error.remedy !== undefined && error.remedy.length > 3, error.message);
    assert(error.message.endsWith(`; ${error.remedy}`), error.message);
    if (code === "UNSUPPORTED") return; // it concerns no depot
    assertEquals(error.depot, name);
    assert(error.message.includes(`depot "${name}"`), error.message);
  });
}

depotTest("failure says what helps for every error and call of the system", (name) => {
  const { STEP, ...calls } = CALL;
  const errors = Object.entries(ERRNO).filter(([name]) => /^E[A-Z]+$/.test(name)).map(([, errno]) => errno);
  assert(errors.length > 10);
  for (const errno of errors) {
    for (const call of [0, ...Object.values(calls)]) {
      const { message, remedy } = failure("create", name, -(call * STEP + errno));
      assert(remedy !== undefined && message.endsWith(`; ${remedy}`), `${call} ${errno}: ${message}`);
      assertMatch(message, new RegExp(`^cannot create depot "${name}": .+ \\(E[A-Z0-9]+\\); `));
    }
  }
});
