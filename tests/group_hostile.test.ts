/**
 * Noise over the words of groups: members work on or get a DepotError, and nothing hangs or crashes. And a peer that
 * writes it while others share frames.
 */
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { depotTest, HERE, Peer, skip } from "./support/harness.ts";

const CASES = 400;

depotTest(`frames({ group }) survives ${CASES} depots whose groups are overwritten with noise`, async (name) => {
  if (process.platform !== "linux") return skip("needs Linux");
  const seed = Number(process.env.FRAMES_DEPOT_TEST_SEED ?? Math.floor(Math.random() * 0x7fffffff));
  await using peer = new Peer(HERE, "group_scribble_peer.ts", { name, cases: CASES, seed });
  for (;;) {
    const line = await peer.next<{ cases?: number; outcomes?: Record<string, number> }>();
    assert(line !== undefined, `seed ${seed}: ${peer.errors}`);
    if (line.outcomes === undefined) continue;
    assert(line.outcomes.worked > CASES, JSON.stringify(line.outcomes));
    break;
  }
  assertEquals([await peer.exit(), peer.errors.replaceAll(/^frames-depot: .*\n/gm, "")], [0, ""], `seed ${seed}`);
});
