/**
 * `frames-depot relay` and its server: addresses, credentials and TLS; what is refused, and that no secret is printed.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FramesDepot } from "../mod.ts";
import { type Address, parseAddress } from "../cli/relay/address.ts";
import { pieceHeader, readPiece } from "../cli/relay/wire.ts";
import { runCli } from "./support/cli.ts";
import { inFolder } from "./support/folder.ts";
import { depotTest, HERE, RUNTIMES, skip } from "./support/harness.ts";
import { NatsServer, relayTest } from "./support/nats_server.ts";
import { assertAll, fill, gray, OTHER, readAll, Relay, type RelayOptions } from "./support/relay_scene.ts";

const SECRET = "open:sesame/1";
const ENCODED = encodeURIComponent(SECRET);
/** A user's key, the example of the NATS documentation, and its public part. */
const SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

const fileOf = (folder: string, name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};

/** How both sides log in. */
type Login = { server: string; options: (folder: string) => string[]; user?: string; relay?: RelayOptions };

const LOGINS: Record<string, Login> = {
  "user and password in the address": {
    server: `authorization { user: cam, password: "${SECRET}" }`,
    user: `cam:${ENCODED}@`,
    options: () => [],
  },
  "a token in the environment": {
    server: `authorization { token: "${SECRET}" }`,
    options: () => [],
    relay: { env: { NATS_TOKEN: SECRET } },
  },
  "an nkey": {
    server: `authorization { users: [{ nkey: ${PUBLIC} }] }`,
    options: (folder) => ["--nkey", fileOf(folder, "user.nk", `${SEED}\n`)],
  },
};

/** Sends ten frames through a server, and looks whether all arrive. */
async function carries(
  name: string,
  far: string,
  [to, from]: [to: string, from: string],
  options: string[],
  relay: RelayOptions = {},
): Promise<string> {
  await using source = await FramesDepot.create(name, gray(8, 8, { whenFull: "wait" }));
  await using sending = new Relay([name, "--to", to, "--mode", "lossless", ...options], HERE, relay);
  await using receiving = new Relay([far, "--from", from, ...options], OTHER, relay);
  const reading = readAll(far, 64);
  await Promise.race([fill(source, 10, 64), sending.answer()]);
  source.end();
  const ended = Promise.all([sending.answer(), receiving.answer()]);
  const answers = await ended;
  assertEquals(answers.map(({ code }) => code), [0, 0], answers.map(({ errors }) => errors).join(""));
  assertAll(await reading, 10);
  return answers.map(({ out, errors }) => out + errors).join("");
}

for (const [what, { server: config, options, user, relay }] of Object.entries(LOGINS)) {
  relayTest(`relay logs in by ${what}, and is refused without`, async (name, another) => {
    await inFolder(async (folder) => {
      await using server = await NatsServer.start(["-c", fileOf(folder, "nats.conf", config)]);
      const url = server.url("secret", user);
      const printed = await carries(name, another(), [url, url], options(folder), relay);
      assert(!printed.includes(SECRET) && !printed.includes(ENCODED), printed);
      const wrong = await runCli(["relay", name, "--to", server.url("secret", `cam:${ENCODED}x@`)]);
      assertEquals([wrong.code, wrong.out], [5, ""], wrong.errors);
      assertStringIncludes(wrong.errors, "authorization violation; name the user in the address, --creds, --nkey");
      assert(!wrong.errors.includes(ENCODED) && !wrong.errors.includes(SECRET), wrong.errors);
    });
  });
}

relayTest("relay takes server and login from a NATS context, by name or selected", async (name, another) => {
  await inFolder(async (folder) => {
    const config = `authorization { user: cam, password: "${SECRET}" }`;
    await using server = await NatsServer.start(["-c", fileOf(folder, "nats.conf", config)]);
    mkdirSync(join(folder, "nats/context"), { recursive: true });
    const context = { description: "", url: `nats://127.0.0.1:${server.port}`, user: "cam", password: SECRET };
    fileOf(folder, "nats/context/cams.json", JSON.stringify(context));
    fileOf(folder, "nats/context/broken.json", `{ "password": "${SECRET}" `);
    const env = { XDG_CONFIG_HOME: folder };
    const url = "nats:///by.context";
    const printed = await carries(name, another(), [url, url], ["--context", "cams"], { env });
    assert(!printed.includes(SECRET), printed);
    fileOf(folder, "nats/context.txt", "cams\n");
    await carries(another(), another(), [url, url], [], { env });
    const broken = await runCli(["relay", name, "--to", url, "--context", "broken"], { env });
    assertEquals(broken.code, 1);
    assertStringIncludes(broken.errors, `cannot use the NATS context "broken": `);
    assert(!broken.errors.includes(SECRET), broken.errors);
    const missing = await runCli(["relay", name, "--to", url, "--context", "other"], { env });
    assertStringIncludes(missing.errors, "`nats context ls` lists those there are");
  });
});

relayTest("relay speaks TLS with an authority of one's own, and trusts no other", async (name, another) => {
  await inFolder(async (folder) => {
    const made = spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")],
    ]);
    if (made.status !== 0) return skip("no openssl here");
    const tls = `tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem" }`;
    await using server = await NatsServer.start(["-c", fileOf(folder, "nats.conf", tls)]);
    const url = `tls://localhost:${server.port}/tls`;
    await carries(name, another(), [url, url], ["--tls-ca", join(folder, "cert.pem")]);
    const stranger = await runCli(["relay", name, "--to", url]);
    assertEquals(stranger.code, 5);
    assertStringIncludes(stranger.errors, "certificate");
    assertStringIncludes(stranger.errors, "--tls-ca");
  });
});

relayTest("relay says what the server does not let it do", async (name) => {
  await inFolder(async (folder) => {
    const config = `authorization { users: [{ user: a, password: b, permissions: { subscribe: "other.>" } }] }`;
    await using server = await NatsServer.start(["-c", fileOf(folder, "nats.conf", config)]);
    for (const side of ["--to", "--from"]) {
      const { code, errors } = await runCli(["relay", name, side, server.url("mine", "a:b@")]);
      assertEquals(code, 5, errors);
      assertStringIncludes(errors, "subscribe to mine.");
    }
  });
});

for (const runtime of RUNTIMES) {
  depotTest(`relay refuses what it cannot use, and says what to write (${runtime})`, async (name) => {
    const cases: [parameters: string[], code: number, says: string][] = [
      [[], 2, "relay needs one of --to, beside the source, and --from, on the far side"],
      [["--to", "nats://a/b", "--from", "nats://a/b"], 2, "relay needs one of --to"],
      [["--from", "nats://a/b", "--codec", "raw"], 2, "--codec is for the relay with --to: give it there"],
      [["--to", "nats://a/b", "--max-size", "3"], 2, "--max-size is for the relay with --from: give it there"],
      [["--to", "nats://a/b", "--patience", "3"], 2, "--patience is for --mode lossless"],
      [["--to", "http://a/b"], 2, `--to: "http" is not a scheme of NATS, which are nats and tls; write it as nats://`],
      [["--to", `nats://u:${ENCODED}@a`], 2, "--to: the subject is missing"],
      [["--to", "nats://127.0.0.1:1/a"], 5, "cannot connect to the NATS server at 127.0.0.1:1: connection refused"],
      [["--to", "nats://127.0.0.1:1/a", "--creds", "/nowhere"], 5, "cannot read the credentials file /nowhere"],
      [
        ["--to", "nats://127.0.0.1:1/a", "--tls-key", "/nowhere"],
        2,
        "a key for TLS is named, and its certificate is not",
      ],
    ];
    await Promise.all(cases.map(async ([parameters, code, says]) => {
      const answer = await runCli(["relay", name, ...parameters], { runtime });
      assertEquals([answer.code, answer.out], [code, ""], parameters.join(" ") + answer.errors);
      assertStringIncludes(answer.errors, says);
      assert(!answer.errors.includes(ENCODED), answer.errors);
    }));
  });
}

depotTest("relay takes addresses apart, with all that a URL may encode", () => {
  const right: Record<string, Address> = {
    "nats://hub/a": { server: "nats://hub", subject: "a" },
    "tls://hub:4443/a.b-c.d_1": { server: "tls://hub:4443", subject: "a.b-c.d_1" },
    [`nats://u:${ENCODED}@[::1]:4222/a`]: { server: "nats://[::1]:4222", subject: "a", user: "u", password: SECRET },
    "nats://token@hub/a": { server: "nats://hub", subject: "a", token: "token" },
    "nats:///a.b": { subject: "a.b" },
    "nats://hub/caf%C3%A9": { server: "nats://hub", subject: "café" },
  };
  for (const [text, address] of Object.entries(right)) assertEquals(parseAddress(text), address, text);
  const wrong = [
    "hub/a",
    "nats://hub",
    "nats://hub/",
    "nats://hub/a.*",
    "nats://hub/a.>",
    "nats://hub/a..b",
    "nats://hub/a/b",
  ];
  for (
    const text of [...wrong, "nats://hub/a%20b", "nats://hub/a?b", "nats://hub/a#b", "nats://hub/%ff", "nats://hub/.a"]
  ) {
    assert("refused" in parseAddress(text), text);
  }
});

depotTest("relay reads the headers that it writes, and nothing else", () => {
  const piece = {
    kind: "piece" as const,
    stream: "s-1",
    number: 7,
    epoch: 2,
    depot: "a-1",
    offset: 131_072,
    crc: 4_294_967_295,
  };
  const head = {
    position: 9,
    frameNumber: -5,
    timestampNs: 2n ** 64n - 1n,
    metadataBytes: 3,
    bodyBytes: 8,
    byteLength: 5,
  };
  for (const whole of [piece, { ...piece, head }, { ...piece, kind: "end" as const }]) {
    const { head: _, ...rest } = { head: undefined, ...whole };
    assertEquals(readPiece(pieceHeader(whole)), "head" in whole ? whole : rest);
  }
  const text = pieceHeader({ ...piece, head });
  for (
    const wrong of [
      "",
      "state",
      text.replace("piece", "other"),
      `${text} 1`,
      text.replace("131072", "x"),
      text.slice(0, -2),
    ]
  ) {
    assertEquals(readPiece(wrong), undefined, wrong);
  }
});
