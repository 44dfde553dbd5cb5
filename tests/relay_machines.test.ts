/**
 * `frames-depot relay` to another machine: network, shared memory and processes of its own, and a link on which packets
 * vanish. Needs Linux and root; elsewhere it says so and passes.
 */
import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { HERE, Peer, skip } from "./support/harness.ts";
import { NatsServer, relayTest } from "./support/nats_server.ts";
import { fill, gray, isFollowed, moment, OTHER, Relay, type Seen } from "./support/relay_scene.ts";

const SUBNET = `10.${200 + process.pid % 50}.${(process.pid >> 6) % 250}`;
const LINK = `fd${process.pid % 1_000_000}`;

/** Run in the other machine: a link to this one, and memory of its own; then what the shell is told. */
const MACHINE = [
  "mount -t tmpfs tmpfs /dev/shm",
  "ip link set lo up",
  `ip link add eth0 type veth peer name ${LINK} netns ${process.pid}`,
  `ip addr add ${SUBNET}.2/30 dev eth0`,
  "ip link set eth0 up",
  `nsenter -t ${process.pid} -n sh -c "ip addr add ${SUBNET}.1/30 dev ${LINK} && ip link set ${LINK} up"`,
  'exec "$FRAMES_DEPOT_TEST_PEER" "$@"',
].join(" && ");
const BEFORE = `exec unshare --net --mount sh -c '${MACHINE}' sh "$@"`;

/** Whether there are machines to be made, and links between them. */
function isPossible(): boolean {
  const link = "ip link add eth0 type veth peer name eth1";
  return spawnSync("unshare", ["--net", "--mount", "sh", "-c", `mount -t tmpfs tmpfs /dev/shm && ${link}`]).status ===
    0;
}

function setLink(state: "up" | "down"): void {
  assertEquals(spawnSync("ip", ["link", "set", LINK, state]).status, 0);
}

relayTest("relay --mode lossless carries frames to another machine, over a link that fails for seconds", async (
  name,
  another,
) => {
  if (!isPossible()) return skip("no namespaces here: needs Linux and root");
  const [far, bytes, frames] = [another(), 64 * 48, 3000];
  await using server = await NatsServer.start(["-a", "0.0.0.0"]);
  await using source = await FramesDepot.create(name, gray(64, 48, { whenFull: "wait", metadataBytes: 8 }));
  await using sending = new Relay([name, "--to", server.url("machines"), "--mode", "lossless"], OTHER);
  const url = `nats://${SUBNET}.1:${server.port}/machines`;
  await using machine = new Peer(HERE, "relay_machine_peer.ts", { name: far, url, bytes }, { before: BEFORE });
  const filling = fill(source, frames, bytes, async (n) => {
    if (n !== 1000 && n !== 2000) return;
    setLink("down");
    await moment(3000);
    setLink("up");
  });
  const ending = machine.ending.then(() => Promise.reject(new Error(`the machine has ended: ${machine.errors}`)));
  await Promise.race([filling, ending]);
  source.end();
  const seen = { count: frames, torn: 0, disordered: 0, lost: 0 };
  assertEquals(await machine.line(), { seen, first: 0, last: frames - 1, frames, lost: 0 });
  assertEquals(await machine.exit(), 0);
  assertEquals((await sending.counts()).lost, 0);
  assertEquals(FramesDepot.list().filter((info) => info.name === far), []); // it was never here
});

relayTest("relay --mode lossy to another machine over a slow link holds no source up, and counts each loss", async (
  name,
  another,
) => {
  if (!isPossible()) return skip("no namespaces here: needs Linux and root");
  const [far, bytes, frames] = [another(), 320 * 240, 300];
  await using server = await NatsServer.start(["-a", "0.0.0.0"]);
  await using source = await FramesDepot.create(name, gray(320, 240, { whenFull: "overwrite", metadataBytes: 8 }));
  await using sending = new Relay([name, "--to", server.url("narrow"), "--codec", "raw"], OTHER);
  const url = `nats://${SUBNET}.1:${server.port}/narrow`;
  await using machine = new Peer(HERE, "relay_machine_peer.ts", { name: far, url, bytes }, { before: BEFORE });
  const ending = machine.ending.then(() => Promise.reject(new Error(`the machine has ended: ${machine.errors}`)));
  await Promise.race([isFollowed(source), ending]);
  const slow = ["qdisc", "add", "dev", LINK, "root", "tbf", "rate", "8mbit", "burst", "32kbit", "latency", "100ms"];
  if (spawnSync("tc", slow).status !== 0) return skip("tc cannot make a link slow here");
  await fill(source, frames, bytes, () => moment(5)); // some 15 MB a second, and the link has one
  source.end();
  const told = await machine.line() as { seen: Seen; frames: number; lost: number };
  const sent = await sending.counts();
  assertEquals([sent.frames + sent.lost, told.frames + told.lost], [frames, frames]);
  const { count, lost, torn, disordered } = told.seen;
  assertEquals([count + lost, torn, disordered], [told.frames, 0, 0]);
  assert(sent.lost > 0, "the link was not slow");
  assertEquals(await machine.exit(), 0);
});
