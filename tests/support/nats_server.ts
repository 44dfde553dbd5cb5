/**
 * What tests of relays need: a NATS server, and a link to it that can be slow, or cut.
 *
 * @module
 */
import net from "node:net";
import process from "node:process";
import { freePort, listen, NatsServer, natsServerProgram } from "../../tools/support/nats_server.ts";
import { depotTest, skip, skippedTest } from "./harness.ts";

export { freePort, NatsServer };

/** Why tests of relays are left out, unless their own task runs them. */
const left = process.env.FRAMES_DEPOT_TEST_RELAY === undefined ? "it takes minutes: deno task test:relay" : undefined;

/** A test about relays. Where there is no server it is skipped. */
export function relayTest(title: string, body: (name: string, another: () => string) => Promise<void>): void {
  if (left !== undefined) return skippedTest(title, left);
  depotTest(title, async (name, another) => {
    const program = natsServerProgram();
    if ("missing" in program) return skip(`no nats-server here: ${program.missing}`);
    await body(name, another);
  });
}

const STEP_MS = 10;

/** A TCP proxy before a server. */
export class Link implements AsyncDisposable {
  readonly port: number;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** Bytes a second, each way. */
  bytesPerSecond = Infinity;
  #isCut = false;

  static async to(port: number): Promise<Link> {
    const server = net.createServer();
    return new Link(server, await listen(server), port);
  }

  private constructor(server: net.Server, port: number, to: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (near) => {
      if (this.#isCut) return near.destroy();
      const far = net.createConnection(to, "127.0.0.1");
      for (const [socket, other] of [[near, far], [far, near]]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.on("data", (bytes) => this.#pass(socket, other, bytes));
      }
    });
  }

  #pass(from: net.Socket, to: net.Socket, bytes: Uint8Array): void {
    if (this.#isCut) return;
    const waitMs = bytes.length / this.bytesPerSecond * 1000;
    const isTaken = to.write(bytes);
    if (isTaken && waitMs === 0) return;
    from.pause();
    const goOn = () => setTimeout(() => from.resume(), Math.max(waitMs, waitMs > 0 ? STEP_MS : 0));
    if (isTaken) goOn();
    else to.once("drain", goOn);
  }

  /** Breaks every connection, and takes no other one. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
