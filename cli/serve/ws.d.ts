/**
 * What we use of ws, whose types are in a package of their own.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** One client. */
export interface WebSocket {
  /** Bytes that the client has not taken yet. */
  readonly bufferedAmount: number;
  on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "pong", listener: (data: Buffer) => void): void;
  on(event: "close", listener: () => void): void;
  send(data: string | Uint8Array, options?: { binary: boolean }): void;
  ping(data: string): void;
  close(code: number, why: string): void;
  terminate(): void;
}

/** Makes clients of requests. */
export class WebSocketServer {
  /** How it is made. */
  constructor(options: {
    noServer: true;
    clientTracking: false;
    maxPayload: number;
    perMessageDeflate: false;
  });
  /** Makes a client of a request, or refuses it. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, made: (socket: WebSocket) => void): void;
}
