/**
 * What `frames-depot serve` lets in, and what it withstands: tokens, other sites, limits, and bytes at random.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { FramesDepot } from "../mod.ts";
import { Random } from "../tools/support/random.ts";
import { runCli } from "./support/cli.ts";
import { depotTest } from "./support/harness.ts";
import { colored, eventually, Served, socketFrame, textOf } from "./support/serve_scene.ts";
import { TERMINATED } from "./support/windows.ts";

const TOKEN = "a-token-of-tests-0123";
const SHAPE = { frameSize: [64, 48, 3], pixelFormat: "rgb24", maxSize: 8, whenFull: "overwrite" } as const;
const FUZZED = 300;

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

depotTest("serve with a token shows nothing of a depot to a client without it", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  await using served = await Served.start([], { env: { FRAMES_DEPOT_SERVE_TOKEN: TOKEN } });
  assertEquals(served.token, TOKEN);
  const closed = [
    ...["api/depots", `api/depots/${name}`, "metrics", `depots/${name}/latest.jpg`, `depots/${name}/latest.png`],
    ...[`depots/${name}/stream.mjpeg`, `depots/${name}/frames/1.png`, "nothing"],
  ];
  const session = (await served.get("api/session", { Authorization: `Bearer ${TOKEN}` }, "POST"))
    .headers["set-cookie"]!;
  const [cookie, ...attributes] = session[0].split("; ");
  assertEquals(attributes, ["HttpOnly", "SameSite=Strict", "Path=/"]);
  assert(!session[0].includes(TOKEN));
  const wrong: Record<string, string>[] = [
    ...[{}, { Authorization: "Bearer" }, { Authorization: `Bearer ${TOKEN}x` }, {
      Authorization: `Bearer ${TOKEN.slice(1)}`,
    }],
    ...[{ Authorization: TOKEN }, { Authorization: basic(TOKEN, "") }, { Cookie: `${cookie}0` }, {
      Cookie: `x=${TOKEN}`,
    }],
    ...[{ Cookie: `${cookie.split("=")[0]}=${TOKEN}` }, { Authorization: `Bearer ${"x".repeat(5000)}` }],
  ];
  for (const headers of wrong) {
    for (const path of closed) {
      const got = await served.get(path, headers);
      assertEquals(got.status, 401, `${path} ${JSON.stringify(headers)}`);
      assert(!textOf(got).includes(name));
    }
    assertEquals((await served.get("api/session", headers, "POST")).headers["set-cookie"], undefined);
    assertEquals((await served.upgrade(headers))[0], 401, JSON.stringify(headers));
  }
  const right: Record<string, string>[] = [
    { Authorization: `Bearer ${TOKEN}` },
    { Authorization: basic("any", TOKEN) },
    {
      Cookie: `a=b; ${cookie}`,
    },
    { Cookie: `${cookie.split("=")[0]}=another; ${cookie}` },
  ];
  for (const headers of right) {
    for (const path of closed.filter((path) => !path.includes("stream") && path !== "nothing")) {
      assertEquals((await served.get(path, headers)).status, 200, path);
    }
    assertEquals((await served.upgrade(headers))[0], 101);
  }
  for (const path of ["", "healthz", "page/main.js"]) assertEquals((await served.get(path)).status, 200, path);
  const scripted = await served.get("api/depots", { "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin" });
  assertEquals(scripted.headers["www-authenticate"], 'Bearer realm="frames-depot"');
  // As a browser sends it to an address without TLS, of which it says less.
  const plain = await served.get("api/depots", { Accept: "application/json" });
  assertEquals(plain.headers["www-authenticate"], 'Bearer realm="frames-depot"');
});

depotTest("serve beyond this machine has a token of its own, and takes none that can be guessed", async () => {
  await using served = await Served.start(["--host", "0.0.0.0"]);
  assert(/^[\w-]{24}$/.test(served.token!), served.token);
  assertEquals((await served.get("api/depots")).status, 401);
  assertEquals((await served.get("api/depots", { Authorization: `Bearer ${served.token}` })).status, 200);
  for (const token of ["", "short", "x".repeat(15), "with a space in it", "ümlaut-ümlaut-ümlaut"]) {
    const { code, errors } = await runCli(["serve", "--port", "0", "--token", token]);
    assertEquals(code, 2, token);
    assertStringIncludes(errors, "the token has");
  }
});

depotTest("serve refuses pages of other sites, and names that were made to lead to it", async () => {
  await using served = await Served.start(["--allow-host", "cams.example"]);
  const { host } = served.url;
  const port = served.port;
  const asked: [expected: number, headers: Record<string, string>][] = [
    [200, {}],
    [200, { Host: `localhost:${port}` }],
    [200, { Host: `[::1]:${port}` }],
    [200, { Host: "CAMS.example" }],
    [200, { Origin: `http://${host}` }],
    [200, { Host: "cams.example", Origin: "https://cams.example" }],
    [200, { "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors" }],
    [200, { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" }],
    ...["evil.example", `evil.example:${port}`, "localhost.evil.example", "cams.example.", "x@localhost", "localhost/"]
      .map((Host) => [421, { Host }] as [number, { Host: string }]),
    ...["http://evil.example", "null", "", `http://localhost:${port}`, `http://127.0.0.1:${port + 1}`, `file://${host}`]
      .map((Origin) => [403, { Origin }] as [number, { Origin: string }]),
    [403, { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" }],
    [403, { "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe" }],
  ];
  for (const [expected, headers] of asked) {
    const of = JSON.stringify(headers);
    assertEquals((await served.get("api/depots", headers)).status, expected, of);
    const [status, socket] = await served.upgrade(headers);
    assertEquals(status, expected === 200 ? 101 : expected, of);
    socket.destroy();
  }
  assertEquals((await served.upgrade({}, "/api/other"))[0], 404);
  const listed = await served.get("api/depots");
  assertEquals([listed.headers["access-control-allow-origin"], listed.headers["cross-origin-resource-policy"]], [
    undefined,
    "same-origin",
  ]);
});

depotTest("serve has a limit of clients, which all kinds of them share", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  await using served = await Served.start(["--max-clients", "2"]);
  const [, first] = await served.upgrade();
  const stream = await served.raw();
  stream.write(`GET /depots/${name}/stream.mjpeg HTTP/1.1\r\nHost: ${served.url.host}\r\n\r\n`);
  await new Promise((resolve) => stream.once("data", resolve));
  assertEquals((await served.upgrade())[0], 503);
  const refused = await served.get(`depots/${name}/stream.mjpeg`);
  assertEquals([refused.status, refused.headers["retry-after"]], [503, "1"]);
  assertEquals((await served.get(`depots/${name}/latest.jpg`)).status, 200);
  first.destroy();
  await eventually(async () => (await served.upgrade())[0] === 101);
});

depotTest("serve takes few connections beyond its clients, and gets free of silent ones", async () => {
  await using served = await Served.start(["--max-clients", "2"]);
  let closed = 0;
  for (let n = 0; n < 120; n++) {
    const socket = await served.raw();
    socket.resume();
    socket.once("close", () => closed++);
  }
  await eventually(() => closed === 120 - 2 - 64);
  await eventually(() => closed === 120);
  assertEquals((await served.get("healthz")).status, 200);
});

depotTest("serve closes connections that send no whole request, and none with a stream", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  await using served = await Served.start([]);
  const asking = (path: string) => `GET /${path} HTTP/1.1\r\nHost: ${served.url.host}\r\n\r\n`;
  const streaming = await served.raw();
  let streamed = "";
  streaming.on("data", (bytes: Uint8Array) => streamed += Buffer.from(bytes).toString("latin1"));
  streaming.write(asking("api/depots") + asking(`depots/${name}/stream.mjpeg`)); // the first is answered, and not the end
  await eventually(() => streamed.includes("X-Frame-Number: 1"));
  const closed: Promise<unknown>[] = [];
  for (const begin of ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n"]) {
    const socket = await served.raw();
    closed.push(new Promise((resolve) => socket.once("close", resolve)));
    socket.resume();
    socket.write(begin);
    const drip = setInterval(() => socket.write(begin === "" ? "" : "x"), 500);
    socket.once("close", () => clearInterval(drip));
  }
  assertEquals((await served.get("healthz")).status, 200);
  await Promise.all(closed);
  await depot.enqueue({ frameNumber: 2, frame: colored(2, 64, 48) });
  await eventually(() => streamed.includes("X-Frame-Number: 2"));
  const long = await served.raw();
  long.resume();
  const ended = new Promise((resolve) => long.once("close", resolve));
  long.write(`GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await ended;
  assertEquals((await served.get("healthz")).status, 200);
});

depotTest("serve withstands requests and WebSocket frames at random", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  await using served = await Served.start(["--max-clients", "1000"]);
  const random = new Random(20_261_130);
  const below = (limit: number) => random.integer(0, limit - 1);
  const bytes = (length: number) => Uint8Array.from({ length }, () => below(256));
  const pick = <T>(from: readonly T[]): T => from[below(from.length)];
  const host = `Host: ${served.url.host}\r\n`;
  const PIECES = [
    ...[
      "/",
      "..",
      "%2e%2e",
      "%",
      "%00",
      "%ff",
      "depots",
      "api",
      "page",
      name,
      "frames",
      "latest.jpg",
      "1.png",
      "-1.png",
    ],
    ...[
      "9".repeat(30) + ".png",
      "?width=",
      "-1",
      "1e9",
      "\\",
      "//evil.example",
      "http://evil.example/",
      "#",
      "\u00fc",
      "{}",
      "'",
    ],
  ];
  const HEADERS = [
    "Range: bytes=0-",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Cookie: =;=;",
    "Authorization: Basic %%%",
    "Origin: :",
    "Accept: */*",
    "X: " + "y".repeat(9000),
    "Host: twice",
    "Upgrade: websocket",
  ];
  const request = () => {
    const path = `/${Array.from({ length: below(6) }, () => pick(PIECES)).join(pick(["/", ""]))}`;
    const headers = Array.from({ length: below(4) }, () => `${pick(HEADERS)}\r\n`).join("");
    return Buffer.from(
      `${pick(["GET", "HEAD", "POST", "OPTIONS", "BREW", ""])} ${path} ${
        pick(["HTTP/1.1", "HTTP/9", ""])
      }\r\n${host}${headers}\r\n`,
    );
  };
  const show = JSON.stringify({ type: "show", channel: 1, name, width: 64, codec: "jpeg" });
  const messages = (): Uint8Array => {
    const text = pick([
      show,
      show.slice(0, below(show.length)),
      show.replace("1", "9".repeat(below(30))),
      "\u0000",
      "[".repeat(3000),
    ]);
    const frame = socketFrame(
      pick<Uint8Array | string>([text, bytes(below(300))]),
      pick([0x81, 0x82, 0x80, 0x01, 0x88, 0x89, 0x8a, 0xf1, below(256)]),
    );
    if (below(4) === 0) frame[below(frame.length)] ^= 1 << below(8);
    return frame;
  };
  for (let n = 0; n < FUZZED; n++) {
    const isSocket = n % 2 === 0;
    const socket = isSocket ? (await served.upgrade())[1] : await served.raw();
    socket.resume();
    for (let part = below(5); part >= 0; part--) {
      socket.write(isSocket ? messages() : below(5) === 0 ? bytes(below(400)) : request());
    }
    if (below(3) === 0) socket.end();
    else if (below(2) === 0) socket.destroy();
    if (n % 50 === 0) assertEquals((await served.get("healthz")).status, 200);
  }
  const live = await served.live();
  live.show(name);
  assertEquals((await live.picture(() => true)).header.number, 1);
  assertEquals((await served.end()).code, TERMINATED);
});
