/**
 * `frames-depot relay --mode lossless`, while the server, the link and both relays are killed: nothing is lost, torn,
 * doubled or out of order.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { HERE } from "./support/harness.ts";
import { freePort, Link, NatsServer, relayTest } from "./support/nats_server.ts";
import {
  assertAll,
  fill,
  gray,
  isFollowed,
  moment,
  opened,
  OTHER,
  readAll,
  Relay,
  stamped,
} from "./support/relay_scene.ts";

const SMALL = gray(8, 8, { whenFull: "wait", metadataBytes: 8 });
const LOSSLESS = ["--mode", "lossless"];

relayTest(
  "relay carries 20,000 frames without loss while its server is killed again and again",
  async (name, another) => {
    await using server = await NatsServer.start();
    const far = another();
    await using source = await FramesDepot.create(name, { ...SMALL, maxSize: 256 });
    await using sending = new Relay([name, "--to", server.url("a.b"), ...LOSSLESS], OTHER);
    await using receiving = new Relay([far, "--from", server.url("a.b")], HERE);
    const reading = readAll(far, 64);
    await fill(source, 20_000, 64, async (n) => {
      if (n === 5000 || n === 12_000) {
        await server.kill();
        await moment(50);
        await server.start();
      }
    });
    source.end();
    assertAll(await reading, 20_000);
    const [sent, received] = await Promise.all([sending.counts(), receiving.counts()]);
    assertEquals([sent.frames, sent.lost, received.frames, received.lost], [20_000, 0, 20_000, 0]);
    assertEquals([sent.bytes, received.bytes, received.depots], [1_280_000, 1_280_000, 1]);
  },
);

relayTest("relay --mode lossless goes on after either relay was killed, without doubles", async (name, another) => {
  await using server = await NatsServer.start();
  const far = another();
  await using source = await FramesDepot.create(name, SMALL);
  const send = () => new Relay([name, "--to", server.url("kills"), ...LOSSLESS], OTHER);
  const receive = () => new Relay([far, "--from", server.url("kills")], HERE);
  let [sending, receiving] = [send(), receive()];
  const reading = readAll(far, 64);
  try {
    await fill(source, 2000, 64, async (n) => {
      if (n === 400 || n === 1500) {
        await receiving.kill();
        receiving = receive();
      }
      if (n === 900 || n === 1500) {
        await sending.kill();
        sending = send();
      }
    });
    source.end();
    assertAll(await reading, 2000);
    await Promise.all([sending.counts(), receiving.counts()]);
  } finally {
    await Promise.all([sending[Symbol.asyncDispose](), receiving[Symbol.asyncDispose]()]);
  }
});

for (const mode of ["lossless", "lossy"]) {
  relayTest(`relay --mode ${mode} goes on with a relay that was silent for long`, async (name, another) => {
    await using server = await NatsServer.start();
    const far = another();
    await using source = await FramesDepot.create(name, {
      ...SMALL,
      maxSize: 64,
      whenFull: mode === "lossless" ? "wait" : "overwrite",
    });
    await using sending = new Relay([name, "--to", server.url("silent"), "--mode", mode, "--codec", "raw"], OTHER);
    await using receiving = new Relay([far, "--from", server.url("silent"), "--when-full", "wait"], HERE);
    const reading = readAll(far, 64);
    await isFollowed(source);
    await fill(source, 3000, 64, async (n) => { // more than may be under way
      if (n % 8 === 0) await moment(1);
      if (n !== 500) return;
      process.kill(sending.child.pid!, "SIGSTOP");
      await moment(3500);
      process.kill(sending.child.pid!, "SIGCONT");
    });
    source.end();
    const { count, torn, disordered } = await reading;
    const [sent, received] = await Promise.all([sending.counts(), receiving.counts()]);
    assertEquals([count, torn, disordered], [received.frames, 0, 0]);
    assertEquals([sent.frames + sent.lost, received.frames + received.lost], [3000, 3000]);
    if (mode === "lossless") assertEquals(count, 3000);
    assertStringIncludes((await receiving.answer()).errors, "waiting for a relay that sends to silent");
  });
}

relayTest("relay --from that stood still goes on, and takes its source for silent no more than it was", async (
  name,
  another,
) => {
  await using server = await NatsServer.start();
  const far = another();
  await using source = await FramesDepot.create(name, SMALL);
  await using sending = new Relay([name, "--to", server.url("stopped"), ...LOSSLESS], OTHER);
  await using receiving = new Relay([far, "--from", server.url("stopped")], HERE);
  const reading = readAll(far, 64);
  await fill(source, 2000, 64, async (n) => {
    if (n !== 500) return;
    process.kill(receiving.child.pid!, "SIGSTOP");
    await moment(3000);
    process.kill(receiving.child.pid!, "SIGCONT");
  });
  source.end();
  assertAll(await reading, 2000);
  await Promise.all([sending.counts(), receiving.counts()]);
  assertEquals((await receiving.answer()).errors.includes("waiting for a relay"), false);
});

relayTest("relay --mode lossless takes nothing late from a relay that was killed", async (name, another) => {
  await using server = await NatsServer.start();
  const far = another();
  await using source = await FramesDepot.create(name, SMALL);
  const send = () => new Relay([name, "--to", server.url("late"), ...LOSSLESS], OTHER);
  let sending = send();
  await using _receiving = new Relay([far, "--from", server.url("late")], HERE);
  const reading = readAll(far, 64);
  try {
    await fill(source, 1000, 64, async (n) => {
      if (n !== 300) return;
      server.standStill(); // what the relay sends now comes when the far one has begun to look for another
      await moment(200);
      await sending.kill();
      await moment(3500);
      server.goOn();
      sending = send();
    });
    source.end();
    assertAll(await reading, 1000);
    await sending.counts();
  } finally {
    await sending[Symbol.asyncDispose]();
  }
});

relayTest("relay --mode lossless goes on after its link was cut, with frames of many pieces", async (name, another) => {
  await using server = await NatsServer.start();
  await using link = await Link.to(server.port);
  const [far, bytes] = [another(), 600 * 1000];
  await using source = await FramesDepot.create(name, gray(600, 1000, { whenFull: "wait", maxSize: 4 }));
  await using sending = new Relay([name, "--to", server.url("cut"), ...LOSSLESS], OTHER);
  await using receiving = new Relay([far, "--from", `nats://127.0.0.1:${link.port}/cut`], HERE);
  const reading = readAll(far, bytes);
  await fill(source, 80, bytes, async (n) => {
    if (n % 40 !== 30) return;
    link.cut();
    await moment(100);
    link.mend();
  });
  source.end();
  assertAll(await reading, 80);
  const [sent, received] = await Promise.all([sending.counts(), receiving.counts()]);
  assertEquals([sent.frames, sent.lost, received.frames, received.lost], [80, 0, 80, 0]);
});

relayTest("relay --mode lossless lets a reader of the far depot hold up the source", async (name, another) => {
  await using server = await NatsServer.start();
  const far = another();
  await using source = await FramesDepot.create(name, gray(8, 8, { whenFull: "wait", maxSize: 4 }));
  await using sending = new Relay([name, "--to", server.url("wait"), ...LOSSLESS], HERE);
  await using receiving = new Relay([far, "--from", server.url("wait")], OTHER);
  let stored = 0;
  const filling = fill(source, 40, 64, (n) => void (stored = n));
  await using depot = await opened(far);
  while (depot.stats().length < 4) await moment();
  let before = -1;
  while (stored > before) { // until it stands still
    before = stored;
    await moment(1000);
  }
  assertEquals(stored < 20, true, `${stored} frames went into two depots of 4`);
  const reading = readAll(far, 64);
  await filling;
  source.end();
  assertAll(await reading, 40);
  assertEquals((await sending.counts()).lost, 0);
  assertEquals((await receiving.counts()).frames, 40);
});

relayTest("relay --mode lossless sends to several machines, each at its own pace", async (name, another) => {
  await using server = await NatsServer.start();
  const far = [another(), another()];
  await using source = await FramesDepot.create(name, SMALL);
  await using sending = new Relay([name, "--to", server.url("two"), ...LOSSLESS, "--codec", "zstd"], HERE);
  await using one = new Relay([far[0], "--from", server.url("two")], HERE);
  await using two = new Relay([far[1], "--from", server.url("two")], OTHER);
  const reading = far.map((name) => readAll(name, 64));
  while (source.stats().peers.flatMap(({ readers }) => readers).filter(({ mode }) => mode === "lossless").length < 2) {
    await moment(); // one that comes later begins after what others have consumed
  }
  await fill(source, 1000, 64);
  source.end();
  for (const seen of await Promise.all(reading)) assertAll(seen, 1000);
  const counts = await sending.counts();
  assertEquals([counts.relays, counts.frames, counts.lost], [2, 2000, 0]);
  for (const relay of [one, two]) assertEquals((await relay.counts()).frames, 1000);
});

relayTest("relay --mode lossless goes over to the other server of a cluster when its own is killed", async (
  name,
  another,
) => {
  const cluster = `nats://127.0.0.1:${await freePort()}`;
  await using one = await NatsServer.start(["--cluster_name", "relays", "--cluster", cluster]);
  const joins = ["--cluster_name", "relays", "--cluster", "nats://127.0.0.1:-1", "--routes", cluster];
  await using two = await NatsServer.start(joins);
  const far = another();
  await using source = await FramesDepot.create(name, SMALL);
  await using sending = new Relay([name, "--to", one.url("cluster"), ...LOSSLESS], OTHER);
  await using receiving = new Relay([far, "--from", two.url("cluster")], HERE);
  const reading = readAll(far, 64);
  await fill(source, 500, 64, async (n) => {
    if (n === 250) await one.kill();
  });
  source.end();
  assertAll(await reading, 500);
  await Promise.all([sending.counts(), receiving.counts()]);
});

relayTest("relay --from gives way to another one of its name, and hears only the first of two sources", async (
  name,
  another,
) => {
  await using server = await NatsServer.start();
  const far = [another(), another()];
  await using source = await FramesDepot.create(name, { ...SMALL, maxSize: 4 });
  await using sending = new Relay([name, "--to", server.url("same"), ...LOSSLESS], HERE);
  const from = (name: string) => new Relay([name, "--from", server.url("same"), "--id", "desk"], OTHER);
  await using first = from(far[0]);
  await source.enqueue({ frameNumber: 0, timestampNs: 0n, frame: stamped(0, 64) });
  await using depot = await opened(far[0]);
  while (depot.stats().stored === 0) await moment();
  await using second = from(far[1]);
  const { code, errors } = await first.answer();
  assertEquals(code, 4, errors);
  assertStringIncludes(
    errors,
    `another relay has taken the place of this one as "desk": give one of them another --id`,
  );
  await using other = await FramesDepot.create(another(), SMALL);
  await using intruder = new Relay([other.name, "--to", server.url("same"), ...LOSSLESS], OTHER, { goesOn: true });
  await moment(1500); // three beats, which it hears
  const reading = readAll(far[1], 64);
  await source.enqueue({ frameNumber: 1, timestampNs: 1000n, frame: stamped(1, 64) });
  source.end();
  const seen = await reading;
  assertEquals([seen.torn, seen.numbers.at(-1)], [0, 1]);
  assertEquals([(await second.counts()).lost, (await sending.counts()).lost], [0, 0]);
  assertEquals((await intruder.interrupted()).relays, 0);
});
