/**
 * `deno task soak:relay`: a million small frames through two relays without loss, while the server and the relays are
 * killed again and again.
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
  --kills N    how often the server and each relay are killed (10)`;

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    kills: { type: "string", default: "10" },
    help: { type: "boolean", default: false },
  },
});
const [frames, kills] = [Number(values.frames), Number(values.kills)];
if (values.help || !Number.isSafeInteger(frames) || !(frames > 0) || !(kills >= 0)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const BYTES = 64;
const name = `soak-relay-${process.pid}`;
const far = `${name}-far`;
const [one, other] = RUNTIMES;

/** Every byte of a frame says which one it is. */
const valueOf = (n: number): number => (n * 7 + (n >> 8)) & 255;

async function read(): Promise<{ count: number; faults: number }> {
  const seen = { count: 0, faults: 0 };
  for await (const { frameNumber, data } of FramesDepot.follow(far, { whenEnded: "end" })) {
    if (frameNumber !== seen.count || !data.every((byte) => byte === valueOf(frameNumber))) seen.faults++;
    seen.count++;
    if (seen.count % 100_000 === 0) console.log(`${seen.count} frames, ${seen.faults} faults`);
  }
  return seen;
}

await using server = await NatsServer.start();
await using source = await FramesDepot.create(name, { frameSize: [8, 8, 1], maxSize: 256, whenFull: "wait" });
const send = () => new RelayProcess(one, [name, "--to", server.url("soak"), "--mode", "lossless"]);
const receive = () => new RelayProcess(other, [far, "--from", server.url("soak")]);
let [sending, receiving] = [send(), receive()];
try {
  const reading = read();
  const every = Math.ceil(frames / (3 * kills + 1));
  for (let n = 0, kill = 0; n < frames; n++) {
    if (n > 0 && n % every === 0) {
      const victim = kill++ % 3;
      if (victim === 0) await server.kill().then(() => server.start());
      else if (victim === 1) await sending.kill().then(() => sending = send());
      else await receiving.kill().then(() => receiving = receive());
    }
    await source.enqueue({ frameNumber: n, frame: new Uint8Array(BYTES).fill(valueOf(n)) });
  }
  source.end();
  const { count, faults } = await reading;
  await Promise.all([sending.counts, receiving.counts]);
  console.log(`${count} of ${frames} frames arrived; ${faults} torn, doubled or out of order`);
  if (count !== frames || faults > 0) process.exitCode = 1;
} finally {
  await Promise.all([sending[Symbol.asyncDispose](), receiving[Symbol.asyncDispose]()]);
  FramesDepot.unlink(far);
}
