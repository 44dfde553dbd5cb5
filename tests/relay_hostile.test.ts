/**
 * `frames-depot relay` and a stranger who may use its subjects: what makes no sense changes nothing, and a relay of
 * another version is told so.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { readAsk, readState } from "../cli/relay/messages.ts";
import { readPiece } from "../cli/relay/wire.ts";
import { depotTest, HERE } from "./support/harness.ts";
import { NatsServer, relayTest } from "./support/nats_server.ts";
import { Stranger } from "./support/nats_stranger.ts";
import { assertAll, fill, gray, moment, OTHER, readAll, Relay } from "./support/relay_scene.ts";

const HEAD = (text: string) => `Frames-Depot: ${text}`;
const ESCAPE = "\u001b[31m";

const ASK = { version: 1, far: "desk", session: "12345678-abcd", hello: 1 };
const STATE = {
  ...{ version: 1, source: "12345678-abcd", stream: "12345678-efgh", mode: "lossy", hello: 1, epoch: 1, first: 1 },
  ...{ base: 0, sent: 0, position: 0, arrived: 0, ended: false },
};
/** What makes no message of one that is right. */
const WRONG: unknown[] = [
  ...[null, [], "", 7, {}, { version: 1 }, { ...ASK, hello: "1" }, { ...ASK, session: "a b" }, { ...ASK, far: "" }],
  ...[{ ...ASK, far: `${ESCAPE}red` }, { ...ASK, far: "x".repeat(201) }, { ...ASK, got: 0.5 }, { ...ASK, last: {} }],
  ...[{ ...STATE, position: null }, { ...STATE, sent: "9" }, { ...STATE, mode: "all" }, { ...STATE, ended: 1 }],
  ...[{ ...STATE, description: { id: "x" } }, { ...STATE, source: 5 }, { ...STATE, version: "1" }],
];
const BODIES = [...WRONG.map((value) => JSON.stringify(value)), "{", "\u0000\uffff", "x".repeat(100_000)];
/** Headers, of which some can hardly be read. */
const HEADS = [
  ...[undefined, HEAD("ask"), HEAD("state"), HEAD("piece"), HEAD(""), HEAD("piece a 1 1 b 0 0")],
  ...["Frames Depot: ask", "Frames-Depot: a\rsk", "Frames-Depot", ": ask", HEAD("state x".repeat(20_000))],
  HEAD(`piece 12345678-efgh 1 1 d 0 0 1 ${"9".repeat(20)} 1 0 1 1`),
];

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

depotTest("relay reads what relays say, and nothing else", () => {
  assertEquals(readAsk(bytes(ASK)), ASK as ReturnType<typeof readAsk>);
  assertEquals(readState(bytes(STATE)), STATE as ReturnType<typeof readState>);
  for (const body of BODIES) {
    assertEquals(readAsk(bytes(body)), undefined, body.slice(0, 100));
    assertEquals(readState(bytes(body)), undefined, body.slice(0, 100));
  }
  const other = { version: 2, far: "desk", session: ASK.session, source: STATE.source, more: 1 };
  assertEquals(readAsk(bytes(other)), { otherVersion: 2, far: "desk", session: ASK.session });
  assertEquals(readState(bytes(other)), { otherVersion: 2 });
  const piece = (number: string, time: string) => readPiece(`piece s 1 1 d 0 0 1 ${number} ${time} 0 1 1`);
  assert(piece("-5", String(2n ** 64n - 1n)) !== undefined);
  for (const [number, time] of [[String(2 ** 53), "1"], ["1", String(2n ** 64n)], ["1", "-1"], ["1e3", "1"]]) {
    assertEquals(piece(number, time), undefined, `${number} ${time}`);
  }
});

relayTest("relay goes on while a stranger sends what makes no sense to all its subjects", async (name, another) => {
  await using server = await NatsServer.start();
  const [far, frames] = [another(), 400];
  await using source = await FramesDepot.create(name, gray(8, 8, { whenFull: "wait", metadataBytes: 8 }));
  await using stranger = await Stranger.at(server.port);
  await using sending = new Relay([name, "--to", server.url("open"), "--mode", "lossless"], HERE);
  await using receiving = new Relay([far, "--from", server.url("open")], OTHER);
  const reading = readAll(far, 64);
  const [, session] = await stranger.hears(/"session":"([\w-]+)"/);
  const garbage = BODIES.flatMap((body) => HEADS.map((head) => ({ body, head })));
  await fill(source, frames, 64, async (n) => {
    for (const { body, head } of garbage.filter((_, index) => index % frames === n)) {
      stranger.send("open.ask", body, head);
      stranger.send(`open.far.${session}`, body, head);
    }
    await moment(2);
  });
  source.end();
  assertAll(await reading, frames);
  const [sent, received] = await Promise.all([sending.counts(), receiving.counts()]);
  assertEquals([sent.frames, sent.relays, received.frames, received.lost], [frames, 1, frames, 0]);
  for (const relay of [sending, receiving]) { // on a busy machine either may say that it waits for the other
    assertEquals(/warning|error|\p{Cc}(?<!\n)/u.exec((await relay.answer()).errors), null);
  }
});

relayTest("relay refuses one of another version, on both sides, and says what helps", async (name, another) => {
  await using server = await NatsServer.start();
  await using _source = await FramesDepot.create(name, gray(8, 8));
  await using stranger = await Stranger.at(server.port);
  await using sending = new Relay([name, "--to", server.url("new")], HERE, { goesOn: true });
  const ask = JSON.stringify({ ...ASK, version: 2 });
  while (!stranger.heard.includes('{"version":1,"source":"')) {
    stranger.send("new.ask", ask, HEAD("ask"));
    await moment(100);
  }
  assertEquals((await sending.interrupted()).relays, 0);
  assertStringIncludes(
    (await sending.answer()).errors,
    'relay "desk" gets nothing: it speaks version 2 of the messages, and this one 1; use the same version',
  );
  await using receiving = new Relay([another(), "--from", server.url("old")], OTHER);
  const [, session] = await stranger.hears(/old\.ask[^]*"session":"([\w-]+)"/);
  stranger.send(`old.far.${session}`, JSON.stringify({ version: 2, source: STATE.source }), HEAD("state"));
  const { code, errors } = await receiving.answer();
  assertEquals(code, 4, errors);
  assertStringIncludes(
    errors,
    "the relay at old speaks version 2 of the messages, and this one 1: use the same version of frames-depot",
  );
});
