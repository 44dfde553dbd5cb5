/**
 * Fills a depot while V8 compiles what does it, and ends at once; what hears its end is hot, too.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";

const depot = await FramesDepot.create(process.argv[2], { frameSize: [2, 2, 1], whenFull: "overwrite" });
const frame = new Uint8Array(4);
for (const end = performance.now() + 300; performance.now() < end;) depot.tryEnqueue({ frame });
process.on("exit", () => {
  try {
    (0, eval)("%IsSmi(1)");
    console.log("natives");
  } catch { // they are not allowed
  }
  for (const end = performance.now() + 300; performance.now() < end;) FramesDepot.limits();
});
