/**
 * Fills a depot while V8 compiles what does it, and ends at once.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";

const depot = await FramesDepot.create(process.argv[2], { frameSize: [2, 2, 1], whenFull: "overwrite" });
const frame = new Uint8Array(4);
for (const end = performance.now() + 300; performance.now() < end;) depot.tryEnqueue({ frame });
