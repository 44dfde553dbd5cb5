/**
 * `frames-depot relay --codec h264`: a frame for each frame, and after a loss nothing before the next key frame.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { isKeyUnit } from "../cli/video/access_units.ts";
import { FramesDepot } from "../mod.ts";
import { HERE, RUNTIMES, skip } from "./support/harness.ts";
import { NatsServer, relayTest } from "./support/nats_server.ts";
import { isFollowed, moment, OTHER, Relay } from "./support/relay_scene.ts";

const hasX264 = String(spawnSync("ffmpeg", ["-hide_banner", "-encoders"]).stdout ?? "").includes("libx264");

/** Gray of a frame, which changes slowly; its picture is as bright on the far side. */
const valueOf = (n: number): number => 40 + n * 2;

/** Pictures as ffmpeg decodes them, in RGB, one behind the other. */
function decoded(units: Uint8Array[]): Uint8Array {
  const command = ["-f", "h264", "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"];
  return spawnSync("ffmpeg", ["-loglevel", "error", ...command], { input: Buffer.concat(units) }).stdout;
}

for (const runtime of RUNTIMES) {
  relayTest(`relay --codec h264 makes an access unit of each frame, with its number (${runtime})`, async (
    name,
    another,
  ) => {
    if (!hasX264) return skip("no ffmpeg with libx264 here");
    await using server = await NatsServer.start();
    const far = another();
    const size = { frameSize: [63, 48], pixelFormat: "rgb24", maxSize: 4, metadataBytes: 2 } as const;
    await using source = await FramesDepot.create(name, { ...size, whenFull: "wait" });
    const to = [name, "--to", server.url("h264"), "--mode", "lossless", "--codec", "h264"];
    await using sending = new Relay(to, runtime);
    await using receiving = new Relay([far, "--from", server.url("h264"), "--max-size", "4"], OTHER);
    const units: Uint8Array[] = [];
    const reading = (async () => {
      const follower = FramesDepot.follow(far, { whenEnded: "end" });
      for await (const { frameNumber, timestampNs, metadata, data } of follower) {
        const { pixelFormat, frameSize, variableLength } = follower.depot!;
        assertEquals([pixelFormat, frameSize, variableLength], ["h264", [64, 48, 3], true]);
        const n = units.length;
        assertEquals([frameNumber, timestampNs, [...metadata]], [n * 3, BigInt(n) * 1000n, [n]]);
        units.push((data as Uint8Array).slice());
      }
    })();
    for (let n = 0; n < 70; n++) {
      const frame = new Uint8Array(source.frameBytes).fill(valueOf(n));
      await source.enqueue({ frameNumber: n * 3, timestampNs: BigInt(n) * 1000n, metadata: Uint8Array.of(n), frame });
    }
    source.end();
    await reading;
    assertEquals([(await sending.counts()).frames, (await receiving.counts()).frames], [70, 70]);
    assertEquals(units.flatMap((unit, n) => isKeyUnit(unit) ? [n] : []), [0, 30, 60]);
    for (const upTo of [1, 31, 70]) {
      const middle = decoded(units.slice(0, upTo)).at(-(24 * 64 + 32) * 3);
      assert(middle !== undefined && Math.abs(middle - valueOf(upTo - 1)) < 6, `frame ${upTo - 1} is ${middle}`);
    }
  });
}

relayTest("relay --codec h264 stores nothing after a loss that could not be decoded, and counts it", async (
  name,
  another,
) => {
  if (!hasX264) return skip("no ffmpeg with libx264 here");
  await using server = await NatsServer.start();
  const [far, frames] = [another(), 600];
  const size = { frameSize: [64, 48], pixelFormat: "yuv420p", maxSize: 4 } as const;
  await using source = await FramesDepot.create(name, { ...size, whenFull: "overwrite" });
  await using sending = new Relay([name, "--to", server.url("keys"), "--codec", "h264"], HERE);
  await using receiving = new Relay([far, "--from", server.url("keys"), "--when-full", "wait"], OTHER);
  await isFollowed(source);
  const seen: { number: number; isKey: boolean }[] = [];
  const reading = (async () => {
    for await (const { frameNumber, data } of FramesDepot.follow(far, { whenEnded: "end" })) {
      seen.push({ number: frameNumber, isKey: isKeyUnit(data as Uint8Array) });
    }
  })();
  for (let n = 0; n < frames; n++) {
    await moment(10);
    await source.enqueue({ frameNumber: n, frame: new Uint8Array(source.frameBytes).fill(n) });
    if (n !== 200 && n !== 400) continue;
    server.standStill();
    await moment(100);
    for (let m = 0; m < 5; m++) { // under way when the server dies
      await source.enqueue({ frameNumber: ++n, frame: new Uint8Array(source.frameBytes).fill(n) });
      await moment(20);
    }
    await server.kill();
    await server.start();
  }
  source.end();
  await reading;
  const [sent, received] = await Promise.all([sending.counts(), receiving.counts()]);
  assertEquals([sent.frames + sent.lost, received.frames + received.lost], [frames, frames]);
  assertEquals(seen.length, received.frames);
  assert(received.lost > sent.lost, "nothing was lost on the way");
  const gaps = seen.filter(({ number }, at) => at > 0 && number > seen[at - 1].number + 1);
  assert(seen[0].isKey && gaps.some(({ isKey }) => isKey), "no key frame after a loss");
});
