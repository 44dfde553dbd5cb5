/**
 * `deno task bench:relay`: raw frames through two relays, beside the same bytes over plain TCP between two processes,
 * one after the other again and again; and JPEGs that are there already. Everything on one machine.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type DepotOptions, FramesDepot } from "../../mod.ts";
import { NatsServer } from "../support/nats_server.ts";
import { executableOf, HERE, RUN, RUNTIMES } from "../support/runtimes.ts";
import { median } from "../support/statistics.ts";
import { RelayProcess } from "./relays.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, help: { type: "boolean", default: false } },
});
const runs = Number(values.runs);
if (values.help || !Number.isSafeInteger(runs) || runs < 1) {
  console.log("deno task bench:relay [--runs N]   (5)");
  process.exit(values.help ? 0 : 2);
}

const [WARM_UP, FRAMES] = [20, 150];
const RAW: DepotOptions = { frameSize: [1920, 1080], pixelFormat: "rgb24", maxSize: 8, whenFull: "wait" };
const JPEG: DepotOptions = { pixelFormat: "mjpeg", frameBytes: 1_000_000, variableLength: true, maxSize: 16 };
const [RAW_BYTES, JPEG_BYTES] = [1920 * 1080 * 3, 300_000];
const TCP_PEER = fileURLToPath(new URL("./tcp_peer.ts", import.meta.url));

/** Frames a second over plain TCP. */
async function tcp(frameBytes: number, frames: number): Promise<number> {
  const parameters = [...RUN[HERE], TCP_PEER, String(frameBytes * frames)];
  const receiver = spawn(executableOf(HERE), parameters, { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(receiver.stdout!, "data");
  const socket = net.createConnection(Number(String(port)), "127.0.0.1");
  await once(socket, "connect");
  const frame = new Uint8Array(frameBytes).fill(7);
  const done = once(socket, "data");
  const beganMs = performance.now();
  for (let n = 0; n < frames; n++) if (!socket.write(frame)) await once(socket, "drain");
  await done;
  const perSecond = frames * 1000 / (performance.now() - beganMs);
  await once(receiver, "close");
  return perSecond;
}

/** Frames a second from depot to depot. */
async function relayed(options: DepotOptions, frameBytes: number, frames: number): Promise<number> {
  const name = `relay-bench-${process.pid}`;
  const far = `${name}-far`;
  await using server = await NatsServer.start();
  await using source = await FramesDepot.create(name, { ...options, whenFull: "wait" });
  await using sending = new RelayProcess(HERE, [name, "--to", server.url("bench"), "--mode", "lossless"]);
  await using receiving = new RelayProcess(HERE, [far, "--from", server.url("bench")]);
  const filling = (async () => {
    for (let n = 0; n < WARM_UP + frames; n++) {
      using slot = await source.claim({ frameNumber: n });
      slot!.data[0] = n & 255;
      slot!.publish({ byteLength: frameBytes });
    }
    source.end();
  })();
  let [beganMs, count] = [0, 0];
  for await (const { frameNumber, byteLength, data } of FramesDepot.follow(far, { whenEnded: "end" })) {
    if (frameNumber !== count || byteLength !== frameBytes || data[0] !== (count & 255)) {
      throw new Error("another frame");
    }
    count++;
    if (count === WARM_UP) beganMs = performance.now();
  }
  const perSecond = frames * 1000 / (performance.now() - beganMs);
  await Promise.all([filling, sending.counts, receiving.counts]);
  FramesDepot.unlink(far);
  return perSecond;
}

const [floors, raws, jpegs]: number[][] = [[], [], []];
for (let run = 0; run < runs; run++) {
  floors.push(await tcp(RAW_BYTES, FRAMES));
  raws.push(await relayed(RAW, RAW_BYTES, FRAMES));
  jpegs.push(await relayed(JPEG, JPEG_BYTES, 5 * FRAMES));
  console.log([floors, raws, jpegs].map((all) => all.at(-1)!.toFixed(0)).join("  "));
}
const ratios = raws.map((raw, run) => raw / floors[run]);
console.log(`
${HERE} of ${RUNTIMES.join(", ")}; medians of ${runs} runs

| 1920×1080 rgb24 over plain TCP | relay --codec raw | ratio | JPEGs of 300 kB |
| ------------------------------ | ----------------- | ----- | --------------- |
| ${median(floors).toFixed(0)} frames/s | ${median(raws).toFixed(0)} frames/s | ${median(ratios).toFixed(2)} | ${
  median(jpegs).toFixed(0)
} frames/s |`);
