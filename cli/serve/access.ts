/**
 * Which requests are let in: by host, origin and token.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

/** What a request is refused with. */
export type Refused = { status: 401 | 403 | 421; error: string };

/** What decides. */
export type AccessOptions = {
  /** Names under which the server is reached, beside localhost and addresses. */
  hosts: readonly string[];
  /** Without one every request is let in that comes from here. */
  token: string | undefined;
  port: () => number;
};

/** Longer ones are no token. */
const TOKEN_LIMIT = 4096;

/** Decides about requests. */
export class Access {
  readonly #hosts: ReadonlySet<string>;
  readonly #token: string | undefined;
  readonly #port: () => number;

  constructor({ hosts, token, port }: AccessOptions) {
    this.#hosts = new Set(["localhost", ...hosts.map((host) => host.toLowerCase())]);
    this.#token = token;
    this.#port = port;
  }

  /** Why a request comes from elsewhere: a page of another site, or a name that was made to lead here. */
  refusedPlace({ host, origin, ...headers }: IncomingHttpHeaders): Refused | undefined {
    const name = hostOf(host);
    // An address cannot be made to lead elsewhere: a page that was loaded from it is this server's.
    if (name === undefined || isIP(name) === 0 && !this.#hosts.has(name)) {
      return { status: 421, error: "this server is not reached under this name; --allow-host adds one" };
    }
    if (origin !== undefined && !isSameOrigin(origin, host!)) {
      return { status: 403, error: "pages of other sites are refused" };
    }
    const site = headers["sec-fetch-site"];
    const isOpened = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
    if (site !== undefined && site !== "same-origin" && site !== "none" && !isOpened) {
      return { status: 403, error: "pages of other sites are refused" };
    }
    return undefined;
  }

  /** Why a request has no right to what it wants. */
  refusedToken(headers: IncomingHttpHeaders): Refused | undefined {
    if (this.#token === undefined) return undefined;
    const { authorization, cookie } = headers;
    const given = tokenIn(authorization);
    if (given !== undefined && isSame(given, this.#token)) return undefined;
    if (cookiesOf(cookie, this.#cookieName).some((session) => isSame(session, this.#session))) return undefined;
    return { status: 401, error: "a token is needed: that of the address which serve printed" };
  }

  /** What a browser that has shown the token sends from then on in its place. */
  get cookie(): string | undefined {
    if (this.#token === undefined) return undefined;
    return `${this.#cookieName}=${this.#session}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** Browsers do not tell cookies apart by port. */
  get #cookieName(): string {
    return `frames_depot_${this.#port()}`;
  }

  get #session(): string {
    return createHmac("sha256", this.#token!).update("frames-depot serve").digest("hex");
  }
}

function hostOf(host: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? "");
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isSameOrigin(origin: string, host: string): boolean {
  const { protocol, host: from } = URL.parse(origin) ?? {};
  return (protocol === "http:" || protocol === "https:") && from === URL.parse(`${protocol}//${host}`)?.host;
}

/** Of `Bearer TOKEN`, or of `Basic` with the token as password, as programs send it that know only users. */
function tokenIn(authorization: string | undefined): string | undefined {
  const [, scheme, value] = /^(bearer|basic) +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (value === undefined || value.length > TOKEN_LIMIT) return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  return /:(.*)$/s.exec(Buffer.from(value, "base64").toString())?.[1];
}

/** All of this name: another server of this host may have set one, which browsers may send first. */
function cookiesOf(cookies: string | undefined, name: string): string[] {
  const named = (cookies ?? "").split(";").map((each) => each.trim()).filter((each) => each.startsWith(`${name}=`));
  return named.map((each) => each.slice(name.length + 1));
}

/** In a time that tells nothing of either. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
