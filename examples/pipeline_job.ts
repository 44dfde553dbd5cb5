// One process of pipeline.ts. It may be killed at any moment, and takes its work up where the one before it left off.
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { createServer } from "node:http";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { type Frame, FramesDepot } from "@frames-depot/frames-depot";

const [role = "", name = "", recording = ""] = process.argv.slice(2);
function count(frames: number): void {
  try {
    process.send!(frames);
  } catch {
    process.exit(); // the process that started this one is gone
  }
}
const isWhole = ({ data, frameNumber }: Frame) => !data.some((value, i) => i % 97 === 0 && value !== frameNumber % 251);
FramesDepot.closeOnSignals();
process.on("disconnect", () => process.exit());

/** The newest frame of a name whenever it is asked for, whatever depot has the name by then. */
function newestOf(name: string): () => Frame<"uint8"> | undefined {
  let newest: Frame<"uint8"> | undefined;
  void (async () => {
    for await (const frame of FramesDepot.follow(name, { mode: "latest", elementType: "uint8" })) {
      newest?.release();
      newest = frame.clone(); // it takes one slot
    }
  })();
  return () => newest?.clone();
}

const roles: Record<string, () => Promise<void>> = {
  /** 60 frames a second. A real one has them from a camera or a file: write_from_ffmpeg.ts. */
  async decoder() {
    // "wait": while the recorder is gone, frames are kept for the next one. It never waits for the other three.
    // `stale`: also when all five are dead at a time, the queue is still there.
    const shape = { frameSize: [160, 120, 3], maxSize: 12, whenFull: "wait", stale: true } as const;
    await using depot = await FramesDepot.createOrOpen(name, shape);
    using newest = depot.latest();
    for (let n = newest === undefined ? 0 : newest.frameNumber + 1;; n++) {
      const frame = new Uint8Array(depot.frameBytes).fill(n % 251);
      await depot.enqueue({ frameNumber: n, frame });
      count(1);
      await setTimeout(16);
    }
  },
  /** Always the newest frame; what it finds goes into a depot of its own. */
  async detector() {
    const shape = {
      pixelFormat: "json",
      frameBytes: 1000,
      variableLength: true,
      whenFull: "overwrite",
      stale: true,
    } as const;
    await using results = await FramesDepot.createOrOpen(`${name}-results`, shape);
    for await (const frame of FramesDepot.follow(name, { mode: "latest" })) {
      await setTimeout(30);
      const found = JSON.stringify({ whole: isWhole(frame), value: frame.data[0] });
      await results.enqueue({ frameNumber: frame.frameNumber, frame: new TextEncoder().encode(found) });
      count(1);
    }
  },
  /** Every frame, once: a frame that its predecessor had recorded and not released comes again. */
  async recorder() {
    const text = existsSync(recording) ? readFileSync(recording, "utf8") : "";
    if (text !== "") truncateSync(recording, text.lastIndexOf("\n") + 1); // a line that a kill has cut
    let last = Number(text.slice(0, text.lastIndexOf("\n") + 1).trimEnd().split("\n").at(-1) || -1);
    for await (const frame of FramesDepot.follow(name)) {
      assert(isWhole(frame));
      if (frame.frameNumber <= last) continue;
      last = frame.frameNumber;
      appendFileSync(recording, `${last}\n`);
      count(1);
    }
  },
  /** The newest frame as a picture that any viewer shows, with what was found in it. */
  async preview() {
    const [newest, newestResult] = [newestOf(name), newestOf(`${name}-results`)];
    const server = createServer((_, response) => {
      using frame = newest();
      using found = newestResult();
      if (frame === undefined) return response.writeHead(503).end();
      response.setHeader("x-found", found === undefined ? "nothing" : new TextDecoder().decode(found.data));
      response.end(Buffer.concat([Buffer.from(`P6 ${frame.width} ${frame.height} 255\n`), frame.data]));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    for (;; await setTimeout(50)) {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      const picture = new Uint8Array(await response.arrayBuffer());
      if (response.ok) assert.equal(picture.length, 160 * 120 * 3 + "P6 160 120 255\n".length);
      count(1);
    }
  },
  /** The newest frame and the two before it. */
  async lookup() {
    const follower = FramesDepot.follow(name, { mode: "latest" });
    for await (const frame of follower) {
      const n = frame.frameNumber;
      using before = follower.depot?.peekFrame(n - 1); // in the depot that `frame` is of
      using twoBefore = follower.depot?.peekFrame(n - 2);
      for (const each of [frame, before, twoBefore]) if (each !== undefined) assert(isWhole(each));
      if (n >= 2) count(1);
    }
  },
};
await roles[role]!();
