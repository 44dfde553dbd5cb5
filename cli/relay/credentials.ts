/**
 * How a relay logs in to a NATS server: by the address, options, the environment, or a context of the `nats`
 * command line. What they say is used, and never printed.
 *
 * @module
 */
import type { Authenticator, ConnectionOptions } from "@nats-io/transport-node";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import process from "node:process";
import { EXIT, Failure, systemReason } from "../failure.ts";
import type { Address } from "./address.ts";

/** Where secrets are: files, or a context. */
export type CredentialOptions = {
  context?: string;
  creds?: string;
  nkey?: string;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
};

/** What a context may say, in the words of its file. */
type Context = Partial<
  Record<"url" | "user" | "password" | "token" | "creds" | "nkey" | "cert" | "key" | "ca" | "inbox_prefix", string>
>;

/** The functions of the client that make authenticators. */
type Client = Pick<
  typeof import("@nats-io/transport-node"),
  "credsAuthenticator" | "nkeyAuthenticator" | "tokenAuthenticator" | "usernamePasswordAuthenticator"
>;

/** What the client connects with. @throws {Failure} */
export function connectionOptions(address: Address, options: CredentialOptions, client: Client): ConnectionOptions {
  const context = readContext(options.context ?? process.env.NATS_CONTEXT);
  const said = saidBy(address, options, context);
  const servers = address.server ?? context?.url ?? process.env.NATS_URL;
  if (servers === undefined) {
    throw new Failure(
      "the address names no server, and no context does: write it as nats://host/subject, or name a --context",
      EXIT.usage,
    );
  }
  const [authenticator, tls] = [authenticatorOf(said, client), tlsOf(said, /(^|,)\s*tls:/.test(servers))];
  return {
    servers: servers.split(",").map((server) => server.trim().replace(/^(nats|tls):\/\/(.*@)?/, "")),
    ...authenticator === undefined ? {} : { authenticator },
    ...tls === undefined ? {} : { tls },
  };
}

/** Each from the nearest place that says it. An address or an option with credentials stands alone. */
function saidBy(address: Address, options: CredentialOptions, context: Context = {}): Context {
  const { env } = process;
  const { tlsCert: cert = env.NATS_CERT ?? context.cert, tlsKey: key = env.NATS_KEY ?? context.key } = options;
  const files = { cert, key, ca: options.tlsCa ?? env.NATS_CA ?? context.ca };
  const { user, password, token } = address;
  const [creds, nkey] = [options.creds, options.nkey];
  if (user !== undefined || token !== undefined) return { ...files, user, password, token };
  if (creds !== undefined || nkey !== undefined) return { ...files, creds, nkey };
  if (options.context !== undefined) return { ...context, ...files };
  const { NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDS, NATS_NKEY } = env;
  const own = { user: NATS_USER, password: NATS_PASSWORD, token: NATS_TOKEN, creds: NATS_CREDS, nkey: NATS_NKEY };
  return Object.values(own).some(Boolean) ? { ...files, ...own } : { ...context, ...files };
}

function authenticatorOf({ user, password, token, creds, nkey }: Context, client: Client): Authenticator | undefined {
  if (user) return client.usernamePasswordAuthenticator(user, password ?? "");
  if (creds) return client.credsAuthenticator(readSecret("credentials", creds));
  if (nkey) return client.nkeyAuthenticator(new TextEncoder().encode(seedIn(nkey)));
  return token ? client.tokenAuthenticator(token) : undefined;
}

function seedIn(path: string): string {
  const seed = /^S[A-Z2-7]{57}$/m.exec(new TextDecoder().decode(readSecret("nkey", path)).replaceAll("\r", ""));
  if (seed === null) {
    throw new Failure(`${path} has no nkey seed in it: a line of 58 letters that begins with S`, EXIT.failed);
  }
  return seed[0];
}

function tlsOf({ ca, cert, key }: Context, wanted: boolean): ConnectionOptions["tls"] {
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ["key", "certificate"] : ["certificate", "key"];
    throw new Failure(`a ${has} for TLS is named, and its ${lacks} is not: name both or neither`, EXIT.usage);
  }
  if (ca === undefined && cert === undefined) return wanted ? {} : undefined;
  const text = (path: string) => new TextDecoder().decode(readSecret("TLS", path));
  return {
    ...ca === undefined ? {} : { ca: text(ca) },
    ...cert === undefined ? {} : { cert: text(cert), key: text(key!) },
  };
}

function readSecret(what: string, path: string): Uint8Array {
  const file = path.replace(/^~(?=\/)/, os.homedir());
  try {
    return new Uint8Array(fs.readFileSync(file));
  } catch (error) {
    throw new Failure(`cannot read the ${what} file ${path}: ${systemReason(error)}`, EXIT.system);
  }
}

/** A context of that name, or without one the selected context, if there is any. */
function readContext(name: string | undefined): Context | undefined {
  const folder = join(process.env.XDG_CONFIG_HOME || join(os.homedir(), ".config"), "nats");
  const selected = name ?? textOf(join(folder, "context.txt"))?.trim();
  if (!selected) return undefined;
  const path = join(folder, "context", `${selected}.json`);
  const refuse = (why: string) => new Failure(`cannot use the NATS context "${selected}": ${why}`, EXIT.failed);
  if (/[/\\]|\.\./.test(selected)) throw refuse("a name has no slash and no .. in it");
  const text = textOf(path);
  if (text === undefined) throw refuse(`there is no ${path}; \`nats context ls\` lists those there are`);
  let context: unknown;
  try {
    context = JSON.parse(text);
  } catch { // its message shows what is in the file
    throw refuse(`${path} is not JSON`);
  }
  if ((context as { nsc?: string }).nsc) throw refuse("it asks nsc, which this command does not; name --creds");
  return Object.fromEntries(Object.entries(context as Context).filter(([, value]) => value !== ""));
}

function textOf(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
