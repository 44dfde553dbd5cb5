/**
 * `frames-depot relay --mode lossless`, while its server is killed: nothing is lost, torn, doubled or out of order.
 */
import { assertEquals } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { HERE } from "./support/harness.ts";
import { freePort, NatsServer, relayTest } from "./support/nats_server.ts";
import { assertAll, fill, gray, moment, opened, OTHER, readAll, Relay } from "./support/relay_scene.ts";

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
