/**
 * A process that imports the package and does one thing with it, to see what it needs for that.
 *
 * @module
 */
import { DepotError, FramesDepot } from "../../mod.ts";

// Not from node:process, whose argv older versions of Deno do not show without permission.
declare const Deno: { args: string[] } | undefined;
declare const process: { argv: string[] };
const { name } = JSON.parse(typeof Deno === "undefined" ? process.argv[2] : Deno.args[0]) as { name: string };

try {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  await depot.enqueue({ frameNumber: 5, frame: new Uint8Array([1, 2, 3, 4]) });
  const values: number[] = [];
  for await (const frame of depot.frames({ timeoutMs: 20 })) values.push(...frame.data);
  const listed = FramesDepot.list().some((info) => info.name === name);
  console.log(JSON.stringify({ values, listed }));
} catch (error) {
  const { name: kind, message } = error as Error;
  const { code, remedy } = error instanceof DepotError ? error : {};
  console.log(JSON.stringify({ kind, message, code, remedy }));
}
