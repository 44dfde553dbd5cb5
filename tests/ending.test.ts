/**
 * Processes that end without close(): what they held is given back, and no name is left behind, however they end.
 */
import { assertEquals } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { depotTest, HERE, Peer } from "./support/harness.ts";

const ways = ["normally", "process.exit", "an uncaught exception", "an unhandled rejection"];
if (HERE === "deno") ways.push("Deno.exit");

for (const how of ways) {
  depotTest(`FramesDepot leaves no name behind when its process ends without close: ${how}`, async (name) => {
    await using peer = new Peer(HERE, "scenario_peer.ts", { scenario: `end.${how}`, name });
    assertEquals(await peer.line(), { open: true });
    await peer.exit();
    const left = FramesDepot.list().filter((info) => info.name === name).map(({ stale }) => stale);
    assertEquals(left, []);
    await using depot = await FramesDepot.create(name, { frameSize: [1, 1, 1] });
    assertEquals(depot.length, 0);
  });
}
