/**
 * Which segment a name leads to: the id that all its processes see, and what the segment says of itself.
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { inspect } from "node:util";
import { FramesDepot } from "../mod.ts";
import { depotTest, RUNTIMES, skip } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";
import { IS_WINDOWS, NO_STALE } from "./support/windows.ts";

/** An object as `console.log` prints it here. */
function consoleText(value: unknown): string {
  const { Bun, Deno } = globalThis as unknown as Record<string, { inspect(value: unknown): string } | undefined>;
  return (Bun ?? Deno ?? { inspect }).inspect(value);
}

const OPTIONS = { frameSize: [2, 2, 1], maxSize: 4 } as const;

depotTest("id is the same in all processes for one segment, and another for the next of that name", async (name) => {
  const seen = new Set<string>();
  for (const runtime of RUNTIMES) {
    await using depot = await FramesDepot.create(name, OPTIONS);
    const { id } = depot;
    assertMatch(id, /^[0-9a-f]{16}$/);
    assert(!seen.has(id), "each segment has its own");
    seen.add(id);
    await using second = await FramesDepot.createOrOpen(name, OPTIONS);
    assertEquals([second.id, depot.stats().id, FramesDepot.inspect(name)?.id], [id, id, id]);
    await using other = new Remote(runtime);
    await other.tell({ do: "open", name });
    assertEquals(await other.tell({ do: "id" }), [id, id]);
    await depot.close();
    assertEquals(depot.id, id);
  }
});

depotTest("id of a stale segment is told, and goes with it", async (name) => {
  if (IS_WINDOWS) return skip(NO_STALE);
  await using victim = new Remote();
  await victim.tell({ do: "create", name, options: { frameSize: [2, 2, 1] } });
  const [id] = await victim.tell({ do: "id" }) as string[];
  await victim.kill();
  assertEquals([FramesDepot.inspect(name)?.id, FramesDepot.inspect(name)?.stale], [id, true]);
  await using next = await FramesDepot.create(name, OPTIONS);
  assertNotEquals(next.id, id);
});

depotTest("FramesDepot shows a console what it is, also once it is closed", async (name) => {
  const depot = await FramesDepot.create(name, { frameSize: [4, 2], pixelFormat: "yuv420p", maxSize: 3 });
  const shown = (closed: boolean) =>
    `FramesDepot { name: "${name}", id: "${depot.id}", frameSize: [4, 2, 1], elementType: "uint8", ` +
    `pixelFormat: "yuv420p", maxSize: 3, whenFull: "drop", closed: ${closed} }`;
  assertEquals(consoleText(depot), shown(false));
  await depot.close();
  assertEquals(consoleText(depot), shown(true));
});
