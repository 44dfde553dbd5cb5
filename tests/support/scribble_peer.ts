/**
 * Processes that share a depot in which one writes noise over the words that the others work with. Errors of the
 * outside world are fine; anything else, a crash or a hang is not.
 *
 * @module
 */
import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { DepotError, FramesDepot, type WhenFull } from "../../mod.ts";
import { checkGeometry } from "../../depot/shape.ts";
import { layoutOf } from "../../ring/geometry.ts";
import { Random } from "../../tools/support/random.ts";

const { role, name, seconds, whenFull } = JSON.parse(process.argv[2]) as {
  role: string;
  name: string;
  seconds: number;
  whenFull: WhenFull;
};
const OPTIONS = { frameSize: [8, 4, 3], elementType: "uint16", variableLength: true, maxSize: 8, whenFull } as const;
/** Peers, readers, slots and groups end before this. */
const HOT_END = layoutOf(checkGeometry(OPTIONS)).payloadOffset;
let until = 0;
/** Says that it can begin, and begins when it is told to: others may take long to start. */
async function ready(): Promise<void> {
  console.log(JSON.stringify({ ready: true }));
  await once(process.stdin, "data");
  until = performance.now() + seconds * 1000;
}
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

/** Does something as often as time allows; whatever the outside world is to blame for is fine. */
async function again(act: () => unknown): Promise<void> {
  while (performance.now() < until) {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof DepotError)) throw error;
      await pause();
    }
  }
}

/** Writes through the file, as any process of the same user can: words and bytes after the geometry, at random. */
async function scribble(): Promise<void> {
  const file = openSync(`/dev/shm/frames-depot.${name}`, "r+");
  const random = new Random(process.pid);
  const noise = new Uint8Array(8);
  for (let i = 0; performance.now() < until; i++) {
    for (let k = 0; k < noise.length; k++) noise[k] = random.word();
    const at = 256 + (random.word() % ((HOT_END - 256) >> 3)) * 8;
    writeSync(file, noise, 0, random.word() % 2 === 0 ? 4 : 8, at);
    if (i % 10 === 0) await pause();
  }
  closeSync(file);
}

if (role === "produce") {
  const depot = await FramesDepot.create(name, OPTIONS);
  await ready();
  const frame = new Uint8Array(192);
  let count = 0;
  await again(async () => {
    await depot.enqueue({ frameNumber: count++, frame: frame.subarray(count % 9 * 2) }, { timeoutMs: 5 });
    depot.tryClaim()?.publish();
    if (count % 100 === 0) await pause();
  });
} else {
  const depot = await FramesDepot.open(name, { timeoutMs: 5000 });
  await ready();
  if (role === "scribble") await scribble();
  else {
    let count = 0;
    await again(async () => {
      const how = ([{ mode: "lossy" }, { mode: "lossless" }, { group: "some" }] as const)[count % 3];
      for await (const frame of depot.frames({ ...how, timeoutMs: 5 })) {
        frame.copy();
        if (frame.data.byteLength > depot.frameBytes) throw new Error(`frame ${frame.frameNumber} is too long`);
        // Noise may have made it a number that no producer could give.
        if (Number.isSafeInteger(frame.frameNumber)) depot.getFrame(frame.frameNumber)?.release();
        if (++count % 50 === 0) {
          depot.stats();
          FramesDepot.list();
          break;
        }
      }
    });
  }
}
process.exit(0);
