/**
 * A NATS server of a test's own, that can be killed and comes back on the same port, and a link to it that can be
 * slow, or cut.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import process from "node:process";
import { natsServerProgram } from "../../tools/support/nats_server.ts";
import { depotTest } from "./harness.ts";

const program = natsServerProgram();

/** A test about relays. Where there is no server it says so and passes. */
export function relayTest(title: string, body: (name: string, another: () => string) => Promise<void>): void {
  depotTest(title, async (name, another) => {
    if ("missing" in program) return console.log(`no nats-server here: ${program.missing}`);
    await body(name, another);
  });
}

/** Listens on a port that is free. */
function listen(server: net.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
  });
}

/** A port that is free for the moment. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #parameters: string[];
  #child!: ChildProcess;
  #ended!: Promise<void>;

  static async start(parameters: string[] = []): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), parameters);
    await server.start();
    return server;
  }

  private constructor(port: number, parameters: string[]) {
    this.port = port;
    this.#parameters = parameters;
  }

  /** `nats://127.0.0.1:PORT/SUBJECT`. */
  url(subject: string, user = ""): string {
    return `nats://${user}127.0.0.1:${this.port}/${subject}`;
  }

  async start(): Promise<void> {
    const { path } = program as { path: string };
    const parameters = ["-a", "127.0.0.1", "-p", String(this.port), ...this.#parameters];
    const child = this.#child = spawn(path, parameters, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    await new Promise<void>((resolve, reject) => {
      child.stderr!.setEncoding("utf8").on("data", (text: string) => {
        if (said.length < 100_000) said += text;
        if (said.includes("Server is ready")) resolve();
      });
      this.#ended = new Promise((end) => {
        child.on("close", () => {
          end();
          reject(new Error(`the server has ended: ${said}`));
        });
      });
    });
  }

  async kill(): Promise<void> {
    process.kill(this.#child.pid!, "SIGKILL");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }
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
