/**
 * A process that holds a claim or a frame until it is killed, for the C peer to find.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";

const { name, what }: { name: string; what: "claim" | "pin" } = JSON.parse(process.argv[2]);
const depot = await FramesDepot.open(name);
const held = what === "claim" ? depot.tryClaim() : depot.frames().tryNext();
console.log(JSON.stringify({ holding: held !== undefined }));
setInterval(() => held?.released, 1000);
