/**
 * `deno task soak:relay`: a million small frames through two relays, while the server and the relays are killed again
 * and again. With `lossless` all must arrive. With the other modes nothing may be torn, doubled or out of order; the
 * last relays live through kills of the server, and what both of them and the reader count must be exact.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { FramesDepot } from "../../mod.ts";
import { NatsServer } from "../support/nats_server.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { RelayProcess } from "./relays.ts";

const USAGE = `deno task soak:relay [options]
  --frames N   how many (1000000)
  --kills N    how often the server and each relay are killed (10); then both relays at once, and the server twice
  --mode M     lossless (default), lossy or latest`;

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    kills: { type: "string", default: "10" },
    mode: { type: "string", default: "lossless" },
    help: { type: "boolean", default: false },
  },
});
const [frames, kills, mode] = [Number(values.frames), Number(values.kills), values.mode];
const isKnown = ["lossless", "lossy", "latest"].includes(mode);
if (values.help || !Number.isSafeInteger(frames) || !(frames > 0) || !(kills >= 0) || !isKnown) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const BYTES = 64;
const name = `relay-soak-${process.pid}`;
const far = `${name}-far`;
const [one, other] = RUNTIMES;
const isLossless = mode === "lossless";
/** Without a reader that holds the producer up, it makes a pause now and then. */
const [BURST, PAUSE_MS] = [32, 4];

/** Every byte of a frame says which one it is. */
const valueOf = (n: number): number => (n * 7 + (n >> 8)) & 255;

/** Faults are frames that are torn, doubled or out of order. */
async function read(): Promise<{ count: number; faults: number; lost: number; numbers: Uint32Array }> {
  const seen = { count: 0, faults: 0, lost: 0, numbers: new Uint32Array(frames) };
  let before = -1;
  for await (const { frameNumber, data, lost } of FramesDepot.follow(far, { whenEnded: "end" })) {
    const isInOrder = isLossless ? frameNumber === before + 1 : frameNumber > before;
    if (!isInOrder || !data.every((byte) => byte === valueOf(frameNumber))) seen.faults++;
    before = frameNumber;
    seen.lost += lost;
    seen.numbers[seen.count++] = frameNumber;
    if (seen.count % 100_000 === 0) {
      console.log(
        `${new Date().toISOString()} ${seen.count} frames, up to number ${frameNumber}, ${seen.faults} faults`,
      );
    }
  }
  return seen;
}

const whenFull = isLossless ? "wait" : "overwrite";
await using server = await NatsServer.start();
await using source = await FramesDepot.create(name, { frameSize: [8, 8, 1], maxSize: 256, whenFull });
const send = () => new RelayProcess(one, [name, "--to", server.url("soak"), "--mode", mode, "--codec", "raw"]);
const receive = () => new RelayProcess(other, [far, "--from", server.url("soak"), "--when-full", "wait"]);
let [sending, receiving] = [send(), receive()];
type Victim = "server" | "sending" | "receiving" | "both";
const VICTIMS: Victim[] = [
  ...Array.from({ length: kills }, () => ["server", "sending", "receiving"] as const).flat(),
  ...["both", "server", "server"] as const,
];

async function kill(victim: Victim): Promise<void> {
  if (victim === "server") return await server.kill().then(() => server.start());
  if (victim !== "receiving") await sending.kill();
  if (victim !== "sending") await receiving.kill();
  if (victim !== "receiving") sending = send();
  if (victim !== "sending") receiving = receive();
  if (victim === "both") await isFollowed();
}

/** Waits until the relay reads the source: what was made before that is no frame of its. */
async function isFollowed(): Promise<void> {
  const loops = () => source.stats().peers.filter(({ pid }) => pid === sending.pid).flatMap(({ readers }) => readers);
  while (loops().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

try {
  const reading = read();
  await isFollowed();
  const every = Math.ceil(frames / (VICTIMS.length + 1));
  for (let n = 0; n < frames; n++) {
    if (n > 0 && n % every === 0) await kill(VICTIMS[n / every - 1]);
    if (!isLossless && n % BURST === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await source.enqueue({ frameNumber: n, frame: new Uint8Array(BYTES).fill(valueOf(n)) });
  }
  source.end();
  const { count, faults, lost, numbers } = await reading;
  const [sent, received] = await Promise.all([sending.counts, receiving.counts]);
  console.log(`${count} of ${frames} frames arrived; ${faults} torn, doubled or out of order`);
  console.log(
    `the last relays: sent ${sent.frames}, lost ${sent.lost}; received ${received.frames}, lost ${received.lost}`,
  );
  const ofLast = sent.frames + sent.lost;
  const seen = numbers.subarray(0, count).filter((number) => number >= frames - ofLast).length;
  console.log(`${seen} frames of the last ${ofLast} were read`);
  const isExact = received.frames + received.lost === ofLast && seen === received.frames && lost === 0;
  const isRight = faults === 0 && (isLossless ? count === frames && received.lost === 0 : isExact && ofLast > 0);
  if (!isRight) process.exitCode = 1;
  console.log(isRight ? "all as it must be" : "WRONG");
} finally {
  await Promise.all([sending[Symbol.asyncDispose](), receiving[Symbol.asyncDispose]()]);
  FramesDepot.unlink(far);
}
