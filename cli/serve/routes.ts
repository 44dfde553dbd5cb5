/**
 * What is under which address.
 *
 * @module
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { DepotError, type DepotErrorCode, FramesDepot } from "../../mod.ts";
import { Failure, withoutRemedy } from "../failure.ts";
import { asJson } from "../ls.ts";
import { stateOf } from "../sight.ts";
import { statAsJson } from "../stat.ts";
import type { Access } from "./access.ts";
import { type Answer, json, refusal, send } from "./answer.ts";
import { metricsText } from "./metrics.ts";
import { MjpegStream } from "./mjpeg_stream.ts";
import { pageFile } from "./page_files.ts";
import type { Services } from "./session.ts";
import { WIDTHS } from "./sizes.ts";
import { ageMs } from "./snapshot.ts";
import { Overloaded, type Still, type StillWanted } from "./still.ts";

/** What routes need. */
export type RouteOptions = {
  access: Access;
  services: Services;
  /** How many clients are connected. */
  clients: () => number;
  /** Takes a place for a client; undefined where there is none. Calling the result gives it back. */
  enter: () => (() => void) | undefined;
};

const PAGE_ICON = "favicon.svg";
const AGAIN = { "Retry-After": "1" };
const MOST_WIDTH = 16_384;
const STATUS: Partial<Record<DepotErrorCode, number>> = { NOT_FOUND: 404, NOT_READY: 404, TOO_MANY_PEERS: 503 };

/** Answers requests. */
export class Routes {
  readonly #options: RouteOptions;

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  /** Handles a request, whatever it asks. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer | undefined;
    try {
      answer = await this.#answer(request, response);
    } catch (error) {
      answer = refusalFor(error);
    }
    if (answer === undefined) return; // a stream has begun
    if (answer.status === 401 || answer.status === 403 || answer.status === 421) {
      this.#options.services.counts.refused++;
    }
    if (!response.headersSent) send(request, response, answer);
    else response.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
    const { access } = this.#options;
    const { method = "", headers } = request;
    const elsewhere = access.refusedPlace(headers);
    if (elsewhere !== undefined) return refusal(elsewhere.status, elsewhere.error);
    const url = URL.parse(request.url ?? "", "http://here");
    const path = url?.host === "here" ? partsOf(url.pathname) : undefined;
    if (url === null || path === undefined) return refusal(400, "this is no address");
    const unknown = () => access.refusedToken(headers);
    if (path.join("/") === "api/session") return sessionAnswer(method, unknown(), access.cookie);
    if (method !== "GET" && method !== "HEAD") {
      return refusal(405, "this server is read-only: GET and HEAD", { Allow: "GET, HEAD" });
    }
    const open = await openAnswer(path);
    if (open !== undefined) return open;
    const refused = unknown();
    if (refused !== undefined) return refusal(refused.status, refused.error, challengeTo(headers));
    return await this.#known(path, url.searchParams, request, response);
  }

  async #known(path: string[], query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    const { services: { overview }, clients } = this.#options;
    const [first, second, third] = path;
    if (path.length === 1 && first === "metrics") {
      const isOpen = /application\/openmetrics-text/.test(request.headers.accept ?? "");
      const present = { clients: clients(), counts: this.#options.services.counts };
      const { type, text } = await metricsText(overview.now(), present, isOpen);
      return { status: 200, type, body: text };
    }
    if (first === "api" && second === "depots") {
      if (path.length === 2) return json((await overview.measured()).map(asJson));
      if (path.length === 3) return await this.#stat(third);
    }
    if (first === "depots" && path.length >= 3) {
      if (!overview.serves(second)) return refusal(404, `there is no depot ${JSON.stringify(second)} here`);
      return await this.#picture(second, path.slice(2), query, request, response);
    }
    return missing();
  }

  async #stat(name: string): Promise<Answer> {
    const sight = (await this.#options.services.overview.measured()).find(({ info }) => info.name === name);
    if (sight === undefined) return refusal(404, `there is no depot ${JSON.stringify(name)} here`);
    return json(statAsJson(sight));
  }

  async #picture(
    name: string,
    path: string[],
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer | undefined> {
    const width = widthIn(query);
    if (width === undefined) return refusal(400, `width must be a whole number from 1 to ${MOST_WIDTH}`);
    const [what, file] = path;
    if (path.length === 1) {
      if (what === "latest.jpg") return await this.#still(name, "newest", { type: "jpeg", width });
      if (what === "latest.png") return await this.#still(name, "newest", { type: "png" });
      if (what === "stream.mjpeg") return this.#stream(name, width, request, response);
    }
    const number = /^(-?\d{1,16})\.png$/.exec(file ?? "")?.[1];
    if (path.length === 2 && what === "frames" && Number.isSafeInteger(Number(number))) {
      return await this.#still(name, Number(number), { type: "png" });
    }
    return missing();
  }

  async #still(name: string, frame: number | "newest", wanted: StillWanted): Promise<Answer> {
    const still = await this.#options.services.stills.of(name, frame, wanted);
    if (still !== undefined) return stillAnswer(still, wanted);
    const what = frame === "newest" ? "no frame" : `no frame ${frame} any more, or not yet`;
    return refusal(404, `depot ${JSON.stringify(name)} has ${what}`);
  }

  #stream(name: string, width: number, request: IncomingMessage, response: ServerResponse): Answer | undefined {
    const { services: { feeds, counts }, enter } = this.#options;
    const info = FramesDepot.inspect(name);
    if (info === undefined) return refusal(404, `there is no depot ${JSON.stringify(name)}`);
    if (stateOf(info) === "broken") return refusal(409, info.reason);
    if (request.method === "HEAD") return { status: 200, type: MjpegStream.type };
    const leave = enter();
    if (leave === undefined) return refusal(503, "too many clients are connected", AGAIN);
    new MjpegStream(response, counts, leave).begin(feeds, name, width, request.socket);
    return undefined;
  }
}

/** What the page accepts. */
const PAGE_ACCEPT = "application/json";

/** Asks camera viewers for a user, whose password is the token. The page asks itself, without the browser's own box. */
function challengeTo(headers: IncomingHttpHeaders): Record<string, string> {
  const { accept = "" } = headers; // browsers send no Sec-Fetch-Mode to an address without TLS
  const mode = headers["sec-fetch-mode"];
  const asksItself = accept === PAGE_ACCEPT || mode !== undefined && mode !== "navigate";
  const scheme = asksItself ? "Bearer" : "Basic";
  return { "WWW-Authenticate": `${scheme} realm="frames-depot"` };
}

const missing = () => refusal(404, "there is nothing under this address");

/** The parts of a path; undefined where it is not encoded as in a URL. */
function partsOf(path: string): string[] | undefined {
  try {
    return path.slice(1).split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/** Without a width it is that of the frame. */
function widthIn(query: URLSearchParams): number | undefined {
  const text = query.get("width");
  if (text === null) return WIDTHS.at(-1)!;
  const width = Number(text);
  return /^\d{1,5}$/.test(text) && width >= 1 && width <= MOST_WIDTH ? width : undefined;
}

/** What needs no token. */
async function openAnswer(path: string[]): Promise<Answer | undefined> {
  const [first, second] = path;
  if (path.length === 1 && first === "healthz") return json({ status: "ok" });
  const name = path.length === 1 && first === ""
    ? "index.html"
    : path.length === 1 && first === "favicon.ico"
    ? PAGE_ICON
    : path.length === 2 && first === "page"
    ? second
    : undefined;
  if (name === undefined) return undefined;
  const file = await pageFile(name);
  if (file === undefined) return missing();
  return { status: 200, type: file.type, body: file.bytes, headers: { "Cache-Control": "no-cache" } };
}

/** A browser shows the token once, and gets a cookie that scripts cannot read. */
function sessionAnswer(
  method: string,
  refused: { status: number; error: string } | undefined,
  cookie?: string,
): Answer {
  if (method !== "POST") return refusal(405, "a session begins with POST", { Allow: "POST" });
  // No challenge: the page asks itself.
  if (refused !== undefined) return refusal(refused.status, refused.error);
  return { status: 204, headers: cookie === undefined ? {} : { "Set-Cookie": cookie } };
}

function stillAnswer({ which, picture }: Still, { type }: StillWanted): Answer {
  const age = ageMs(which);
  return {
    status: 200,
    type: `image/${type}`,
    body: picture.bytes,
    headers: {
      "X-Frame-Number": String(which.number),
      "X-Frame-Timestamp-Ns": String(which.timestampNs),
      ...age === undefined ? {} : { "X-Frame-Age-Ms": String(age) },
    },
  };
}

function refusalFor(error: unknown): Answer {
  if (error instanceof Overloaded) return refusal(503, error.message, AGAIN);
  if (error instanceof DepotError) return refusal(STATUS[error.code] ?? 409, withoutRemedy(error));
  if (error instanceof RangeError) return refusal(404, error.message); // no depot can have this name
  if (error instanceof Failure) return refusal(409, error.message);
  return refusal(500, "the server failed");
}
