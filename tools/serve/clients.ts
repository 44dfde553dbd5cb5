/**
 * `deno task bench:serve:clients`: pictures a second and delay of clients of the WebSocket of `frames-depot serve`, and
 * what they cost a producer: its own rate without the server, and with it.
 *
 * The delay is from the timestamp of a frame, which it gets when it is published, to the moment when its picture is
 * with the client. Clients decode nothing.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FramesDepot } from "../../mod.ts";
import { installed, output } from "../support/ffmpegs.ts";
import { installPackages } from "../support/node_packages.ts";
import { executableOf, RUN, type Runtime, RUNTIMES } from "../support/runtimes.ts";
import { end, started } from "./started.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    runtime: { type: "string", multiple: true, default: [...RUNTIMES] },
    clients: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
const [seconds, clients] = [Number(values.seconds), Number(values.clients)];
if (values.help || !(seconds > 0) || !(clients > 0)) {
  console.log("deno task bench:serve:clients [--seconds N] [--clients N] [--runtime deno|bun|node]...");
  process.exit(values.help ? 0 : 2);
}

const [PER_SECOND, WARM_UP_MS] = [30, 2000];
const SIZES = [[1920, 1080], [1280, 720]] as const;
const SHARP = "sharp@0.35.5";
const [CAMERA, MAIN] = ["./camera.ts", "../../cli/main.ts"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url))
);
const folder = installed(SHARP, (made) => {
  writeFileSync(join(made, "package.json"), "{}");
  output("npm", ["install", "--silent", "--prefix", made, SHARP]);
});

const QUIETLY = { cwd: folder, errors: "ignore" } as const;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Frames a second that a depot stores. */
async function rateOf(name: string): Promise<number> {
  const stored = () => FramesDepot.inspect(name)!.stats!.stored;
  const [before, beganMs] = [stored(), performance.now()];
  await sleep(seconds * 1000);
  return (stored() - before) / (performance.now() - beganMs) * 1000;
}

/** A client that shows each picture as soon as it is there. @param got gets the delay of each, in milliseconds */
async function client(url: URL, name: string, width: number, got: (delayMs: number) => void): Promise<WebSocket> {
  const socket = new WebSocket(url.href.replace(/^http/, "ws"));
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return;
    const bytes = new Uint8Array(data, 4, new DataView(data).getUint32(0, true));
    const { timestampNs } = JSON.parse(new TextDecoder().decode(bytes));
    got(Date.now() - Number(BigInt(timestampNs) / 1_000_000n));
    socket.send('{"type":"shown","channel":1}');
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  socket.send(JSON.stringify({ type: "show", channel: 1, name, width, codec: "jpeg" }));
  return socket;
}

async function measured(runtime: Runtime, [width, height]: readonly [number, number]): Promise<string> {
  const name = `serve-clients-${process.pid}`;
  const parameters = [name, width, height, PER_SECOND].map(String);
  const { child: camera } = await started([executableOf("deno"), ...RUN.deno, CAMERA, ...parameters], /ready/, QUIETLY);
  try {
    await sleep(WARM_UP_MS);
    const alone = await rateOf(name);
    const command = [executableOf(runtime), ...RUN[runtime], MAIN, "serve", name, "--port", "0"];
    const { child: server, found } = await started(command, /http:\/\/\S+/, QUIETLY);
    try {
      const delays: number[] = [];
      const url = new URL("api/live", found);
      const sockets = await Promise.all(
        Array.from({ length: clients }, () => client(url, name, width, (delayMs) => delays.push(delayMs))),
      );
      await sleep(WARM_UP_MS);
      delays.length = 0;
      const beside = await rateOf(name);
      for (const socket of sockets) socket.close();
      delays.sort((one, other) => one - other);
      const [middle, late] = [0.5, 0.95].map((share) => delays[Math.floor(delays.length * share)]);
      const each = (delays.length / seconds / clients).toFixed(1);
      const rates = [alone, beside].map((rate) => rate.toFixed(1)).join(" | ");
      return `| ${runtime} | ${width}×${height} | ${clients} | ${each} | ${middle} ms | ${late} ms | ${rates} |`;
    } finally {
      await end(server);
    }
  } finally {
    await end(camera);
    FramesDepot.unlink(name);
  }
}

console.log("| server | picture | clients | pictures/s each | delay p50 | p95 | producer alone | beside it |");
console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const runtime of values.runtime as Runtime[]) {
  if (runtime === "node") installPackages();
  for (const size of SIZES) console.log(await measured(runtime, size));
}
