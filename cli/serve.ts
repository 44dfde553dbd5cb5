/**
 * `frames-depot serve`: a page that shows every depot, and the HTTP interface behind it.
 *
 * @module
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { availableParallelism, hostname } from "node:os";
import process from "node:process";
import config from "../deno.json" with { type: "json" };
import { FramesDepot } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { quality, upTo } from "./parameters.ts";
import { Access } from "./serve/access.ts";
import { Counts } from "./serve/counts.ts";
import { Feeds } from "./serve/feeds.ts";
import { checkEncoder } from "./serve/h264.ts";
import { Overview } from "./serve/overview.ts";
import { PictureMaker } from "./serve/picture_maker.ts";
import type { Codec } from "./serve/renditions.ts";
import { DepotServer } from "./serve/server.ts";
import { StoredFrames } from "./serve/stored.ts";
import { Stills } from "./serve/still.ts";
import { complain, print, printJson } from "./terminal/output.ts";
import { findSharp } from "./video/sharp.ts";

type Options = {
  port: number;
  host: string;
  allowHost: string[];
  token?: string;
  codec: Codec;
  quality: number;
  rate: number;
  maxClients: number;
  json?: boolean;
};

/** Where a token may be, so that no other user sees it in the list of processes. */
const TOKEN_VARIABLE = "FRAMES_DEPOT_SERVE_TOKEN";
const LEAST_TOKEN = 16;
const TOKEN_BYTES = 18;
/** Threads that make pictures; one processor is left to producers. */
const MOST_THREADS = 4;

/** Makes the command. */
export function serveCommand(): Command {
  return new Command("serve")
    .summary("show depots live on a web page")
    .description(
      "Serves a page that shows depots live, pictures of their frames, JSON and metrics.",
    )
    .argument("[names...]", "depots to show, also those that come later (default: all)")
    .option("-p, --port <number>", "port to listen on; 0 takes a free one", port, 8080)
    .option("--host <address>", "address to listen on; one beyond this machine needs the token", "127.0.0.1")
    .option("--allow-host <name>", "another name under which it is reached, as behind a proxy", hostNames, [])
    .addOption(
      new Option("--token <text>", "what clients must know (default beyond this machine: a random one)")
        .env(TOKEN_VARIABLE),
    )
    .addOption(
      new Option("--codec <name>", "how pictures travel to the page").choices(["jpeg", "h264"]).default("jpeg"),
    )
    .option("--quality <1-100>", "quality of JPEGs", quality, 75)
    .option("--rate <number>", "maximum of pictures a second, of each depot in each size", upTo({ most: 240 }), 30)
    .option("--max-clients <number>", "maximum of clients at one time", upTo({ most: 10_000 }), 64)
    .option("--json", "for programs: an object with the address, once it listens")
    .addHelpText(
      "after",
      `
It listens on this machine alone unless --host says otherwise. No producer waits
for it, and depots are joined only while a client looks at them. While one does,
a depot that drops keeps no frames for a first reader.
docs/serve.md has the addresses, and how to run it behind a proxy.

Examples:
  frames-depot serve
  frames-depot serve camera0 camera1 --port 9000
  ${TOKEN_VARIABLE}=... frames-depot serve --host 0.0.0.0`,
    )
    .action(async (names: string[], options: Options) => {
      for (const name of names) FramesDepot.inspect(name); // one that no depot can have is said at once
      using interruption = new Interruption();
      await serve(names, options, interruption);
    });
}

async function serve(names: string[], options: Options, interruption: Interruption): Promise<void> {
  const { host, codec, quality, rate, maxClients, allowHost, json } = options;
  const token = tokenOf(options);
  if (codec === "h264") await checkEncoder();
  const hasSharp = findSharp() !== undefined;
  const counts = new Counts();
  using overview = new Overview((name) => names.length === 0 || names.includes(name));
  overview.now(); // what the system refuses is said at once
  await using maker = new PictureMaker(Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1)));
  await using stored = new StoredFrames();
  await using feeds = new Feeds({ maker, quality, mostPerSecond: rate, counts });
  const stills = new Stills(stored, maker, quality, counts);
  const hello = {
    codec,
    codecs: codec === "h264" ? ["jpeg", "h264"] as Codec[] : ["jpeg"] as Codec[],
    version: config.version,
    names: names.length === 0 ? null : names,
    sharp: hasSharp,
  };
  let port = options.port;
  const own = isIP(host) === 0 ? [host] : [];
  const hosts = [...allowHost, ...own, ...isHere(host) ? [] : [hostname()]];
  const access = new Access({ hosts, token, port: () => port });
  const services = { overview, feeds, stored, stills, counts, hello };
  await using server = new DepotServer({ access, services, mostClients: maxClients });
  port = await server.listen(host, port);
  const url = `http://${nameIn(host)}:${port}/${token === undefined ? "" : `#token=${encodeURIComponent(token)}`}`;
  if (json) printJson({ url, host, port, token, pid: process.pid });
  else print(`${url}\n`);
  if (!hasSharp) complain("pictures are made slowly: `npm install sharp` in this folder makes it fast\n");
  await new Promise<void>((resolve) => interruption.signal.addEventListener("abort", () => resolve(), { once: true }));
  interruption.signal.throwIfAborted();
}

/** Beyond this machine there is always one. @throws {Failure} for one that can be guessed */
function tokenOf({ token, host }: Options): string | undefined {
  if (token === undefined) return isHere(host) ? undefined : randomBytes(TOKEN_BYTES).toString("base64url");
  if (token.length >= LEAST_TOKEN && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new Failure(
    `the token has ${token.length} characters, and it needs ${LEAST_TOKEN} or more, of ASCII without spaces; ` +
      "`openssl rand -hex 16` makes one",
    EXIT.usage,
  );
}

/** Whether an address leads to this machine alone. */
function isHere(host: string): boolean {
  return host === "localhost" || host === "::1" || isIP(host) === 4 && host.startsWith("127.");
}

/** What a browser on this machine opens. */
function nameIn(host: string): string {
  if (host === "0.0.0.0" || host === "::") return hostname();
  return isIP(host) === 6 ? `[${host}]` : host;
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError("It must be a port, from 0 to 65535.");
}

function hostNames(name: string, before: string[]): string[] {
  if (/^[a-z0-9._-]+$/i.test(name)) return [...before, name];
  throw new InvalidArgumentError("It must be the name of a host alone, such as cams.example.");
}
