/**
 * A client of a NATS server that sends whatever it is told to, also what no proper client would.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import net from "node:net";
import { moment } from "./relay_scene.ts";

/** One connection, which hears everything. */
export class Stranger implements AsyncDisposable {
  readonly #socket: net.Socket;
  /** All that the server has said, as text. */
  heard = "";

  static async at(port: number): Promise<Stranger> {
    const socket = net.createConnection(port, "127.0.0.1");
    await once(socket, "connect");
    return new Stranger(socket);
  }

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => {
      this.heard += text;
      if (text.includes("PING\r\n")) socket.write("PONG\r\n");
    });
    socket.on("error", () => {});
    socket.write('CONNECT {"verbose":false,"headers":true,"echo":false}\r\nSUB > 1\r\n');
  }

  /** Waits until the server has said what fits. */
  async hears(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.heard);
      if (found !== null) return found;
      await moment(20);
    }
  }

  /** Sends a message. @param head what stands between `NATS/1.0` and the empty line, if there are headers */
  send(subject: string, body: string | Uint8Array, head?: string): void {
    const bytes = Buffer.from(body);
    const headers = Buffer.from(head === undefined ? "" : `NATS/1.0\r\n${head}\r\n\r\n`);
    const sizes = head === undefined ? `${bytes.length}` : `${headers.length} ${headers.length + bytes.length}`;
    this.#socket.write(`${head === undefined ? "PUB" : "HPUB"} ${subject} ${sizes}\r\n`);
    this.#socket.write(Buffer.concat([headers, bytes, Buffer.from("\r\n")]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await Promise.resolve();
  }
}
