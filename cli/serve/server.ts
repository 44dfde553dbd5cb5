/**
 * The HTTP server: its limits, its clients, and its end.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
// @ts-types="./ws.d.ts"
import { type WebSocket, WebSocketServer } from "ws";
import { EXIT, Failure, systemReason } from "../failure.ts";
import type { Access, Refused } from "./access.ts";
import { MESSAGE_BYTES } from "./messages.ts";
import { Routes } from "./routes.ts";
import { CLOSE, type Services, Session } from "./session.ts";

/** How it serves. */
export type ServerOptions = {
  access: Access;
  services: Services;
  mostClients: number;
  /** Time between two pings of a client. */
  pingMs?: number;
};

/** The maximum of bytes in a request's head. */
const HEADER_BYTES = 8192;
/** A connection that has sent no request for this time is closed. */
const SILENT_MS = 10_000;
/** Connections beside those of clients, for short requests. */
const SPARE_CONNECTIONS = 64;
/** Requests of one connection at one time: browsers send one after the other. */
const MOST_ASKED = 16;
const SOCKET_PATH = "/api/live";
/** How long clients are waited for at the end, and how often is looked. */
const [ENDING_MS, LOOK_MS] = [500, 10];

/** Serves until it is disposed of. */
export class DepotServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #routes: Routes;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #sessions = new Set<Session>();
  /** Also those that are no longer HTTP, which the server itself forgets. */
  readonly #connections = new Set<Socket>();
  #clients = 0;

  constructor(options: ServerOptions) {
    const { access, services } = options;
    this.#options = options;
    this.#sockets = new WebSocketServer({
      ...{ noServer: true, clientTracking: false, maxPayload: MESSAGE_BYTES, perMessageDeflate: false },
    });
    this.#routes = new Routes({ access, services, clients: () => this.#clients, enter: () => this.#enter() });
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: SILENT_MS,
        requestTimeout: SILENT_MS,
        keepAliveTimeout: SILENT_MS,
      },
      (request, response) => {
        request.on("error", () => {}); // it has gone
        request.resume(); // what it sends is not read
        if (!begin(request.socket)) return void request.socket.destroy();
        response.on("close", () => end(request.socket));
        void this.#routes.handle(request, response);
      },
    );
    this.#server.maxConnections = options.mostClients + SPARE_CONNECTIONS;
    this.#server.on("connection", (socket: Socket) => {
      guard(socket);
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    });
    this.#server.on("clientError", (_error, socket) => socket.destroy());
    this.#server.on(
      "upgrade",
      (request: IncomingMessage, socket: Duplex, head) => this.#upgrade(request, socket, head),
    );
  }

  /** Begins to listen. @returns the port @throws {Failure} where the system refuses */
  async listen(host: string, port: number): Promise<number> {
    try {
      this.#server.listen({ host, port, backlog: 128 });
      await once(this.#server, "listening");
    } catch (error) {
      throw cannotListen(error as NodeJS.ErrnoException, host, port);
    }
    return (this.#server.address() as AddressInfo).port;
  }

  /** @returns gives the place back; undefined where there is none */
  #enter(): (() => void) | undefined {
    if (this.#clients >= this.#options.mostClients) return undefined;
    this.#clients++;
    return () => this.#clients--;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Parameters<WebSocketServer["handleUpgrade"]>[2]): void {
    const { access, services } = this.#options;
    socket.on("error", () => {}); // it has gone
    heard(socket as Socket);
    const { headers, url } = request;
    if (headers.upgrade?.toLowerCase() !== "websocket") return this.#stay(request, socket as Socket);
    const refused = access.refusedPlace(headers) ?? access.refusedToken(headers);
    if (refused !== undefined) services.counts.refused++;
    if (refused !== undefined || url !== SOCKET_PATH) return refuse(socket, refused?.status ?? 404);
    const leave = this.#enter();
    if (leave === undefined) return refuse(socket, 503);
    let isMade = false;
    const end = once(socket, "close").catch(() => {}).then(() => isMade ? undefined : leave());
    void end;
    try {
      this.#sockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
        isMade = true;
        const session = new Session(webSocket, services, this.#options.pingMs);
        this.#sessions.add(session);
        webSocket.on("close", () => {
          this.#sessions.delete(session);
          leave();
        });
      });
    } catch {
      socket.destroy();
    }
  }

  /** A client that would like another protocol, as HTTP/2, gets its answer in this one. */
  #stay(request: IncomingMessage, socket: Socket): void {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on("finish", () => socket.end());
    response.on("close", () => guard(socket));
    void this.#routes.handle(request, response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close(CLOSE.goingAway, "the server ends");
    this.#server.closeIdleConnections();
    // In Deno and Bun the server says that it has closed while there are WebSockets.
    for (const endMs = performance.now() + ENDING_MS; this.#sessions.size > 0 && performance.now() < endMs;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    for (const session of this.#sessions) session.terminate();
    this.#server.closeAllConnections();
    for (const socket of this.#connections) socket.destroy();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, ENDING_MS))]);
  }
}

const STATUS: Record<Refused["status"] | 404 | 503, string> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  421: "Misdirected Request",
  503: "Service Unavailable",
};

function refuse(socket: Duplex, status: keyof typeof STATUS): void {
  guard(socket as Socket); // its other end may never close it
  socket.end(`HTTP/1.1 ${status} ${STATUS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const timers = new WeakMap<object, ReturnType<typeof setTimeout>>();

/** Closes a connection that sends no request in time, whatever the runtime does about it. */
function guard(socket: Socket): void {
  if (!timers.has(socket)) socket.once("close", () => heard(socket));
  heard(socket);
  if (!socket.destroyed) timers.set(socket, setTimeout(() => socket.destroy(), SILENT_MS));
}

/** Requests of a connection that are not answered yet. */
const asked = new WeakMap<object, number>();

/** A request has come. @returns whether there are not too many */
function begin(socket: Socket): boolean {
  heard(socket);
  const count = (asked.get(socket) ?? 0) + 1;
  asked.set(socket, count);
  return count <= MOST_ASKED;
}

/** A request is answered. */
function end(socket: Socket): void {
  const count = (asked.get(socket) ?? 1) - 1;
  asked.set(socket, count);
  if (count === 0) guard(socket);
}

function heard(socket: Socket): void {
  clearTimeout(timers.get(socket));
}

const NO_ADDRESS = "this machine has no such address; --host 0.0.0.0 is all it has";
const HELPS: Record<string, string> = {
  EADDRINUSE: "another process listens there; --port 0 takes a free port",
  EACCES: "this user may not; --port takes another, from 1024 on",
  EADDRNOTAVAIL: NO_ADDRESS,
  EINVAL: NO_ADDRESS, // Deno
  ENOTFOUND: "--host takes an address or a name of this machine",
};

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  const helps = HELPS[error.code ?? ""];
  const why = helps ?? systemReason(error);
  return new Failure(`cannot listen on ${host}, port ${port}: ${why}`, EXIT.system);
}
