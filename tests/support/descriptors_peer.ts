/**
 * A process that uses up its descriptors, and says what listing says then: with none left, and with one for the folder.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { DepotError, FramesDepot } from "../../mod.ts";
import { say } from "../../tools/support/parent.ts";

function listing(): string {
  try {
    return `${FramesDepot.list().length} depots`;
  } catch (error) {
    return error instanceof DepotError ? `${error.code} ${error.message}` : String(error);
  }
}

listing(); // loads the library
const held: number[] = [];
try {
  for (;;) held.push(openSync("/dev/null", "r"));
} catch {
  // now
}
const none = listing();
closeSync(held.pop()!);
const one = listing();
for (const descriptor of held) closeSync(descriptor);
say({ none, one });
