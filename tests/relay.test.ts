/**
 * `frames-depot relay` on links that are slow or break: what travels with a frame, that all losses are counted, and
 * that no source is held up.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { cliCommand } from "./support/cli.ts";
import { inFolder } from "./support/folder.ts";
import { HERE, RUNTIMES } from "./support/harness.ts";
import { Link, NatsServer, relayTest } from "./support/nats_server.ts";
import {
  fill,
  gray,
  isFollowed,
  isFollowedBy,
  moment,
  opened,
  OTHER,
  readAll,
  Relay,
  stamped,
} from "./support/relay_scene.ts";

const RAW = ["--codec", "raw"];

/** Depots that have the name one after the other: as different as they can be. */
const SHAPES: DepotOptions[] = [
  {
    ...{ frameSize: [64, 32], pixelFormat: "yuv420p", metadataBytes: 5, sampleAspectRatio: [4, 3], fieldOrder: "tt" },
    color: { matrix: "bt709", range: "limited", primaries: "bt709", transfer: "bt709" },
  },
  { frameSize: [7, 5, 2], elementType: "float32", pixelFormat: "depth" },
  { pixelFormat: "json", frameBytes: 400_000, variableLength: true },
  { frameSize: [300, 200], pixelFormat: "gray16le" },
];

/** What a reader sees of a frame. */
type Seen = { labels: unknown; number: number; timestampNs: bigint; metadata: number[]; bytes: number[] };

/** Getters of a depot, which no copy has. */
const LABELS = [
  ...["frameSize", "elementType", "pixelFormat", "frameBytes", "variableLength", "metadataBytes", "maxSize"],
  ...["color", "sampleAspectRatio", "fieldOrder"],
] as (keyof FramesDepot)[];

const labelsOf = (depot: FramesDepot) => JSON.stringify(LABELS.map((label) => depot[label]));

/** Reads a name until it has had as many depots; each must end. */
async function seenIn(name: string, depots: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  const follower = FramesDepot.follow(name);
  for await (const { frameNumber: number, timestampNs, metadata, data } of follower) {
    const labels = labelsOf(follower.depot!);
    const bytes = [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
    seen.push({ labels, number, timestampNs, metadata: [...metadata], bytes });
    if (number === -depots) break;
  }
  return seen;
}

for (const runtime of RUNTIMES) {
  relayTest(`relay carries shape, labels, number, time and metadata, from depot to depot (${runtime})`, async (
    name,
    another,
  ) => {
    await using server = await NatsServer.start();
    const far = another();
    await using sending = new Relay([name, "--to", server.url("shapes"), "--mode", "lossless"], runtime, {
      goesOn: true,
    });
    await using receiving = new Relay([far, "--from", server.url("shapes")], runtime, { goesOn: true });
    const reading = seenIn(far, SHAPES.length);
    const wanted: Seen[] = [];
    for (const [index, options] of SHAPES.entries()) {
      await using depot = await FramesDepot.create(name, { ...options, maxSize: 3 + index, whenFull: "wait" });
      for (const number of [2 ** 40, 5, -1 - index]) {
        const length = depot.variableLength ? number & 1023 : depot.frameBytes;
        const bytes = Array.from({ length }, (_, at) => (at * 7 + number) & 63);
        const metadata = depot.metadataBytes > 0 ? [1, number & 255] : [];
        const timestampNs = 2n ** 63n + BigInt(number & 1023);
        wanted.push({ labels: labelsOf(depot), number, timestampNs, metadata, bytes });
        const frame = new Uint8Array(bytes);
        await depot.enqueue({ frameNumber: number, timestampNs, metadata: new Uint8Array(metadata), frame });
      }
      if (index % 2 === 1) depot.end(); // the others are left by their producer
      while (depot.stats().length > 0) await moment();
    }
    const seen = await reading;
    assertEquals(seen.map(({ labels }) => labels), wanted.map(({ labels }) => labels));
    assertEquals(seen, wanted);
    assertEquals((await sending.interrupted()).lost, 0);
    assertEquals((await receiving.interrupted()).depots, SHAPES.length);
  });
}

for (const mode of ["lossy", "latest"] as const) {
  relayTest(`relay --mode ${mode} counts each loss on a slow link, and holds no source up`, async (name, another) => {
    await using server = await NatsServer.start();
    await using link = await Link.to(server.port);
    link.bytesPerSecond = 2_000_000; // a fifth of what comes
    const [far, bytes, frames] = [another(), 50_000, 400];
    await using source = await FramesDepot.create(name, gray(250, 200, { maxSize: 8 }));
    const to = [name, "--to", server.url("slow"), "--mode", mode, ...RAW];
    await using sending = new Relay(to, HERE);
    await using receiving = new Relay([far, "--from", `nats://127.0.0.1:${link.port}/slow`, "--max-size", "64"], OTHER);
    await isFollowed(source);
    const reading = readAll(far, bytes, "lossy");
    await fill(source, frames, bytes, () => moment(5));
    assertEquals(source.droppedFrames, 0); // the newest always got in
    source.end();
    const seen = await reading;
    const [sent, received] = await Promise.all([sending.counts(), receiving.counts()]);
    assertEquals([sent.frames + sent.lost, received.frames + received.lost], [frames, frames]);
    assert(received.lost > 0, "the link was not slow");
    assertEquals([seen.torn, seen.disordered, seen.count + seen.lost], [0, 0, received.frames]);
  });
}

relayTest("relay counts what is lost under way, while its server is killed", async (name, another) => {
  await using server = await NatsServer.start();
  const [far, bytes, frames] = [another(), 300_000, 300];
  await using source = await FramesDepot.create(name, gray(600, 500, { maxSize: 8 }));
  await using sending = new Relay([name, "--to", server.url("killed"), ...RAW], OTHER);
  await using receiving = new Relay([far, "--from", server.url("killed"), "--max-size", "300"], HERE);
  await isFollowed(source);
  const reading = readAll(far, bytes, "lossy");
  await fill(source, frames, bytes, async (n) => {
    await moment(5);
    if (n % 100 !== 50) return;
    await server.kill();
    await moment(50);
    await server.start();
  });
  source.end();
  const seen = await reading;
  const [sent, received] = await Promise.all([sending.counts(), receiving.counts()]);
  assertEquals([sent.frames + sent.lost, received.frames + received.lost], [frames, frames]);
  assertEquals([seen.torn, seen.disordered, seen.count + seen.lost], [0, 0, received.frames]);
});

for (const policy of ["wait", "drop", "overwrite"]) {
  relayTest(`relay --mode lossy brings no frame twice when either relay was killed (far depot: ${policy})`, async (
    name,
    another,
  ) => {
    await using server = await NatsServer.start();
    const far = another();
    await using source = await FramesDepot.create(name, gray(8, 8, { whenFull: "overwrite" }));
    const send = () => new Relay([name, "--to", server.url("twice"), ...RAW], HERE);
    const receive = () => new Relay([far, "--from", server.url("twice"), "--when-full", policy], OTHER);
    let [sending, receiving] = [send(), receive()];
    const store = (n: number) =>
      source.enqueue({ frameNumber: n, timestampNs: BigInt(n) * 1000n, frame: stamped(n, 64) });
    try {
      await isFollowed(source);
      await store(0);
      await using depot = await opened(far);
      const reading = readAll(far, 64);
      const arrived = async (n: number) => {
        while (depot.latest()?.frameNumber !== n) await moment();
      };
      await arrived(0);
      await sending.kill(); // the frame that it has carried is still the newest one
      sending = send();
      await isFollowedBy(source, sending.child.pid!);
      await store(1);
      await arrived(1);
      await receiving.kill();
      receiving = receive();
      await moment(2000); // it says hello, and may be sent something
      await store(2);
      await arrived(2);
      source.end();
      const { numbers, torn } = await reading;
      assertEquals([numbers, torn], [[0, 1, 2], 0]);
      await Promise.all([sending.counts(), receiving.counts()]);
    } finally {
      await Promise.all([sending[Symbol.asyncDispose](), receiving[Symbol.asyncDispose]()]);
    }
  });
}

relayTest("relay sends JPEG, which far depots have as mjpeg", async (name, another) => {
  await using server = await NatsServer.start();
  const far = another();
  const size = { frameSize: [32, 16], pixelFormat: "rgb24", whenFull: "wait" } as const;
  await using source = await FramesDepot.create(name, size);
  const codec = ["--codec", "jpeg", "--quality", "95"];
  await using sending = new Relay([name, "--to", server.url("jpeg"), "--mode", "lossless", ...codec], HERE);
  await using receiving = new Relay([far, "--from", server.url("jpeg")], OTHER);
  await using depot = await (async () => {
    for (const frameNumber of [1, 2]) {
      await source.enqueue({ frameNumber, frame: new Uint8Array(source.frameBytes).fill(frameNumber * 90) });
    }
    source.end();
    return await opened(far);
  })();
  assertEquals([depot.pixelFormat, depot.variableLength, depot.frameSize], ["mjpeg", true, [32, 16, 3]]);
  const frames = depot.frames();
  for (const number of [1, 2]) {
    const { value: frame } = await frames.next();
    const [executable, ...cli] = cliCommand();
    const grab = ["grab", name, "-", "--type", "jpeg", "--quality", "95", "--frame", String(number)];
    const { stdout } = spawnSync(executable, [...cli, ...grab]);
    assertEquals([frame!.frameNumber, Buffer.compare(stdout, frame!.data as Uint8Array)], [number, 0]);
  }
  await frames.return();
  await Promise.all([sending.counts(), receiving.counts()]);
});

relayTest("relay sends smaller pieces where the server takes no larger ones, and says so", async (name, another) => {
  await inFolder(async (folder) => {
    const path = join(folder, "nats.conf");
    writeFileSync(path, "max_payload: 5000");
    await using server = await NatsServer.start(["-c", path]);
    const far = another();
    await using source = await FramesDepot.create(name, gray(300, 300, { whenFull: "wait", metadataBytes: 8 }));
    await using sending = new Relay([name, "--to", server.url("small"), "--mode", "lossless"], HERE);
    await using receiving = new Relay([far, "--from", server.url("small")], OTHER);
    const reading = readAll(far, 90_000);
    await fill(source, 20, 90_000);
    source.end();
    const { count, torn } = await reading;
    assertEquals([count, torn], [20, 0]);
    await receiving.counts();
    assertStringIncludes((await sending.answer()).errors, "the server takes 5000 bytes in a message (max_payload)");
  });
});

relayTest("relay gives the place of a killed far relay up after --patience", async (name, another) => {
  await using server = await NatsServer.start();
  const far = another();
  await using source = await FramesDepot.create(name, gray(8, 8, { whenFull: "wait", maxSize: 4 }));
  const to = [name, "--to", server.url("gone"), "--mode", "lossless", "--patience", "2"];
  await using _sending = new Relay(to, HERE);
  const receiving = new Relay([far, "--from", server.url("gone")], OTHER);
  const loops = () => source.stats().peers.flatMap(({ readers }) => readers).filter(({ mode }) => mode === "lossless");
  while (loops().length === 0) await moment();
  await receiving.kill();
  const killedMs = performance.now();
  while (loops().length > 0) await moment(50);
  assert(performance.now() - killedMs > 1000, "its place was not kept");
});

relayTest("relay serves those it has room for in the source, and another one when there is room again", async (
  name,
  another,
) => {
  await using server = await NatsServer.start();
  const far = [another(), another()];
  await using source = await FramesDepot.create(name, gray(8, 8, { whenFull: "overwrite", maxReaders: 1 }));
  await using sending = new Relay([name, "--to", server.url("full"), ...RAW], HERE, { goesOn: true });
  const receive = (name: string) => new Relay([name, "--from", server.url("full")], OTHER, { goesOn: true });
  await using first = receive(far[0]);
  await isFollowed(source);
  await using second = receive(far[1]);
  const store = async (from: number, until: (n: number) => boolean) => {
    for (let n = from;; n++) {
      await source.enqueue({ frameNumber: n, timestampNs: BigInt(n) * 1000n, frame: stamped(n, 64) });
      await moment(20);
      if (until(n)) return n;
    }
  };
  const enough = await store(0, (n) => n === 200); // the second one has been tried by now
  const { frames } = await first.interrupted();
  assert(frames > 0, "the first one got nothing");
  const opening = opened(far[1]);
  let isThere = false;
  void opening.then(() => isThere = true);
  await store(enough + 1, () => isThere);
  await using depot = await opening;
  while (depot.latest() === undefined) await moment();
  await Promise.all([second.interrupted(), sending.interrupted()]);
  assertStringIncludes((await sending.answer()).errors, "has to wait: ");
});
