/**
 * A producer for the bench of the page, at a steady rate. Takes a depot's name, width, height and frames a second; ends
 * with its standard input.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { picture, PICTURES } from "./picture.ts";

const [name, ...numbers] = process.argv.slice(2);
const [width, height, perSecond] = numbers.map(Number);
const pictures = Array.from({ length: PICTURES }, (_, at) => picture(width, height, at));
await using depot = await FramesDepot.create(name, {
  frameSize: [width, height, 3],
  pixelFormat: "rgb24",
  maxSize: 8,
  whenFull: "overwrite",
});
let isOver = false;
process.stdin.on("end", () => isOver = true).resume();
console.log("ready");
let dueMs = performance.now();
for (let frameNumber = 0; !isOver; frameNumber++) {
  await depot.enqueue({ frameNumber, frame: pictures[frameNumber % PICTURES] });
  dueMs = Math.max(performance.now(), dueMs + 1000 / perSecond);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
}
