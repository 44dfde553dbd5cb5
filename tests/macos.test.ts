/**
 * What only macOS does: the library out of a folder, modes under the umask, and pages of 16 KB. `deno task platforms
 * macos` runs this on Linux.
 */
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { LIBRARY_VARIABLE, loadShim } from "../ffi/load.ts";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { depotTest, RUNTIMES, skip } from "./support/harness.ts";
import { BYTES, Held, make } from "./support/segment_scene.ts";
import { Remote } from "./support/remote.ts";

const OPTIONS: DepotOptions = { frameSize: [2, 2, 1], maxSize: 4 };
/** The pages of Apple's own processors. Those of older Macs are a quarter. */
const PAGE = 16_384;

/** A test of macOS alone. */
function macTest(title: string, body: (name: string) => Promise<void> | void): void {
  depotTest(title, (name) => process.platform === "darwin" ? body(name) : skip("needs macOS"));
}

macTest("loadShim takes the library for macOS out of a folder of the user's", () => {
  if (process.env[LIBRARY_VARIABLE]) return skip(`${LIBRARY_VARIABLE} names another library`);
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const { source } = loadShim();
  assert(source.startsWith(`darwin ${machine} from /`), source);
});

macTest("create gives the segment the permission bits of mode that the umask leaves, and tells them", (name) => {
  const shim = loadShim();
  const umask = process.umask(0o027);
  try {
    for (const [mode, bits] of [[0o600, 0o600], [0o640, 0o640], [0o666, 0o640]]) {
      using held = new Held(shim.create(name, BYTES, mode));
      assertEquals(held.segment.name(), 0);
      const told = shim.nameInfo(name);
      assert(typeof told !== "number");
      assertEquals([held.segment.info().mode & 0o777, told.mode & 0o777], [bits, bits]);
      held.segment.unlink();
    }
  } finally {
    process.umask(umask);
  }
});

macTest("Shim.create makes whole pages, and all of the last one is mapped", (name) => {
  using held = make(name, BYTES + 1);
  assertEquals(held.segment.info().bytes, BYTES + PAGE);
  const view = held.mapping.view(BYTES, 1);
  new Uint8Array(view)[0] = 7;
  const other = loadShim().open(name);
  assert(typeof other !== "number");
  using seen = new Held(other, BYTES + PAGE);
  const rest = seen.mapping.view(BYTES, PAGE);
  assertEquals([...new Uint8Array(rest, 0, 2), new Uint8Array(rest).at(-1)], [7, 0, 0]);
  for (const buffer of [view, rest]) buffer.transfer(0);
  held.segment.unlink();
});

macTest("Mapping.retire leaves all pages before, and zeros from there to the end of the last page", (name) => {
  using held = make(name, BYTES + 1);
  const fill = () => {
    const view = held.mapping.view(0, BYTES + 1);
    new Uint8Array(view).fill(9);
    view.transfer(0);
  };
  fill();
  const other = loadShim().open(name);
  assert(typeof other !== "number");
  using seen = new Held(other, BYTES + 1);
  assertEquals(seen.mapping.retire(PAGE), 0);
  fill();
  const view = seen.mapping.view(0, BYTES + 1), bytes = new Uint8Array(view);
  assertEquals([bytes[PAGE - 1], bytes[PAGE], bytes[BYTES]], [9, 0, 0]);
  view.transfer(0);
  held.segment.unlink();
});

for (const runtime of RUNTIMES) {
  macTest(`create takes the name of a depot whose only process, of ${runtime}, was killed`, async (name) => {
    await using one = new Remote(runtime);
    assertEquals(await one.tell({ do: "create", name, options: OPTIONS }), "made");
    await one.kill();
    await using depot = await FramesDepot.create(name, OPTIONS);
    await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(4).fill(5) });
    assertEquals(depot.peekFrame(1)?.data[0], 5);
  });
}
