/**
 * What `frames-depot serve` does: makes the parts of the server, and runs until a signal ends it. A module of its own,
 * because it needs packages that no other command waits for.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { availableParallelism, hostname } from "node:os";
import process from "node:process";
import config from "../../deno.json" with { type: "json" };
import { EXIT, Failure } from "../failure.ts";
import type { Interruption } from "../interruption.ts";
import { complain, print, printJson } from "../terminal/output.ts";
import { findSharp } from "../video/sharp.ts";
import { Access } from "./access.ts";
import { Counts } from "./counts.ts";
import { Feeds } from "./feeds.ts";
import { checkEncoder } from "./h264.ts";
import { Overview } from "./overview.ts";
import { PictureMaker } from "./picture_maker.ts";
import type { Codec } from "./renditions.ts";
import { DepotServer } from "./server.ts";
import { StoredFrames } from "./stored.ts";
import { Stills } from "./still.ts";

/** The command's options. */
export type Options = {
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

const LEAST_TOKEN = 16;
const TOKEN_BYTES = 18;
/** Threads that make pictures; one processor is left to producers. */
const MOST_THREADS = 4;

/** @param names depots to show; empty: all */
export async function serve(names: string[], options: Options, interruption: Interruption): Promise<void> {
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
