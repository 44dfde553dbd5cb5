/**
 * The connection to a NATS server: made with credentials, made again when it breaks, closed in order.
 *
 * @module
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import process from "node:process";
import { EXIT, Failure } from "../failure.ts";
import { report } from "../report.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import type { Address } from "./address.ts";
import { connectionOptions, type CredentialOptions } from "./credentials.ts";
import { HEADER, HEADER_ROOM, PIECE_BYTES } from "./wire.ts";

/** How a server is reached. */
export type ConnectOptions = CredentialOptions & {
  /** Seconds to wait for the first connection. */
  timeout?: number;
};

/** A server that takes less in a message cannot carry what describes a depot. */
const LEAST_PAYLOAD = 4096;
/** A server that has not answered pings for this long is gone: on a slow link they wait behind a frame. */
const [PING_MS, PINGS] = [10_000, 6];
const RETRY_MS = 500;

/** What a socket says when its other end has gone. */
const GONE: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "ECONNREFUSED"]);
let isGuarded = false;

/** The client listens to no socket that it gives up; one that breaks just then would end the process. */
function guard(): void {
  if (isGuarded) return;
  isGuarded = true;
  process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
    if (!GONE.has(error.code)) process.exit(report(error));
  });
}

/** A connection. Nothing is sent while it is broken: what is sent then would be old when it is back. */
export class Connection implements AsyncDisposable {
  readonly #nats: NatsConnection;
  readonly #client: typeof import("@nats-io/transport-node");
  readonly #server: string;
  #up = true;
  #waiters: (() => void)[] = [];
  /** Why it was closed, other than by this side. */
  #failure: unknown;

  /** @throws {Failure} when there is no server, or it refuses */
  static async open(address: Address, options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
    const client = await import("@nats-io/transport-node");
    guard();
    const wanted = connectionOptions(address, options, client);
    const server = (wanted.servers as string[]).join(", ");
    const until = performance.now() + (options.timeout ?? 0) * 1000;
    for (;;) {
      signal.throwIfAborted();
      try {
        const nats = await client.connect({
          ...{ ...wanted, name: "frames-depot relay", timeout: 10_000, noEcho: true },
          ...{ pingInterval: PING_MS, maxPingOut: PINGS, maxReconnectAttempts: -1, reconnectTimeWait: RETRY_MS },
        });
        return new Connection(client, nats, server);
      } catch (error) {
        if (!isOut(error) || performance.now() > until) throw unreachable(error as Error, server);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  private constructor(client: typeof import("@nats-io/transport-node"), nats: NatsConnection, server: string) {
    this.#client = client;
    this.#nats = nats;
    this.#server = server;
    const { max_payload } = nats.info!;
    if (max_payload < LEAST_PAYLOAD) {
      void nats.close();
      throw new Failure(
        `the server at ${server} takes ${max_payload} bytes in a message (max_payload), and a relay needs ${LEAST_PAYLOAD}`,
        EXIT.refused,
      );
    }
    if (this.pieceBytes < PIECE_BYTES) {
      complain(`the server takes ${max_payload} bytes in a message (max_payload): frames go in smaller pieces\n`);
    }
    void this.#watch();
  }

  /** Bytes of a body in one message. */
  get pieceBytes(): number {
    return Math.min(PIECE_BYTES, (this.#nats.info?.max_payload ?? PIECE_BYTES) - HEADER_ROOM);
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Waits until it is up, at most until `signal` aborts. @throws {Failure} when it is closed for good */
  async up(signal: AbortSignal): Promise<void> {
    while (!this.#up) {
      this.throwIfClosed();
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  throwIfClosed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Sends a message. The client copies the bytes before this turn of the event loop is over, and drops what it has not
   * copied when the connection breaks: until then they must not change.
   */
  send(subject: string, header: string, payload: Uint8Array): void {
    if (!this.#up || this.#nats.isClosed()) return;
    const headers = this.#client.headers();
    headers.set(HEADER, header);
    this.#nats.publish(subject, payload, { headers });
  }

  subscribe(subject: string, take: (header: string, message: Msg) => void): Subscription {
    return this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) {
          return this.#close(
            new Failure(`the NATS server refuses to subscribe to ${subject}: ${error.message}`, EXIT.system),
          );
        }
        const header = headerOf(message);
        if (header === undefined) return;
        try {
          take(header, message);
        } catch (failure) { // the client would read on no more, in silence
          this.#close(failure);
        }
      },
    });
  }

  /** What was sent is with the server. */
  async flush(): Promise<void> {
    if (!this.#up) return;
    const timer = new Promise<void>((resolve) => setTimeout(resolve, 2000));
    await Promise.race([this.#nats.flush().catch(() => {}), timer]);
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === "disconnect") {
        this.#up = false;
        complain(`${paintErrors().yellow("warning:")} the connection to ${this.#server} is broken: trying again\n`);
      } else if (status.type === "reconnect") {
        complain(`the connection to ${this.#server} is back\n`);
        this.#change(true);
      } else if (status.type === "error" && status.error instanceof this.#client.PermissionViolationError) {
        const { operation, subject } = status.error;
        this.#close(
          new Failure(
            `the NATS server does not let this user ${operation === "publish" ? "publish" : "subscribe"} to ${subject}`,
            EXIT.system,
          ),
        );
      }
    }
    const error = await this.#nats.closed();
    if (error) this.#close(unreachable(error, this.#server));
  }

  #close(failure: unknown): void {
    this.#failure ??= failure;
    this.#change(false);
  }

  #change(up: boolean): void {
    this.#up = up;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    await this.#nats.close();
  }
}

/** The header of a message. @returns undefined where it has none, or one that cannot be read */
function headerOf(message: Msg): string | undefined {
  try {
    return message.headers?.get(HEADER);
  } catch { // thrown in the client's callback, it would end the connection
    return undefined;
  }
}

const isOut = (error: unknown): boolean =>
  !/authoriz|authentic|nkey|jwt|certificate|tls/i.test((error as Error).message);

/** Why there is no connection; the client's messages have no secrets in them. */
function unreachable(error: Error, server: string): Failure {
  const cause = (error.cause as Error | undefined)?.message ?? "";
  const why = error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
  const helps = isOut(error)
    ? "is a nats-server running there? --timeout SECONDS waits for it"
    : "name the user in the address, --creds, --nkey or a --context, and --tls-ca for a certificate of your own";
  return new Failure(`cannot connect to the NATS server at ${server}: ${why.toLowerCase()}; ${helps}`, EXIT.system);
}
