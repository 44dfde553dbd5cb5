/**
 * A real NATS server, built once by go into `.cache/nats/`, and run.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../shim/zig.ts";

const VERSION = "v2.15.3";
/** A build of ten minutes hangs. */
const LIMIT_MS = 600_000;

/** Where it is, or why it cannot be had. */
export type NatsServerProgram = { path: string } | { missing: string };

/** Builds it, unless it is there. */
export function natsServerProgram(): NatsServerProgram {
  const folder = join(cacheFolder(), "nats");
  const name = process.platform === "win32" ? "nats-server.exe" : "nats-server";
  const path = join(folder, `${VERSION}-${name}`);
  if (existsSync(path)) return { path };
  mkdirSync(folder, { recursive: true });
  const made = mkdtempSync(join(folder, "building-"));
  try {
    const parameters = ["install", `github.com/nats-io/nats-server/v2@${VERSION}`];
    const env = { ...process.env, GOBIN: made };
    const { error, status, stderr } = spawnSync("go", parameters, { encoding: "utf8", env, timeout: LIMIT_MS });
    if (error !== undefined) return { missing: `go cannot be run: ${error.message}` };
    if (status !== 0) return { missing: `go could not build it: ${stderr.trim().split("\n").at(-1)}` };
    renameSync(join(made, name), path); // over that of a process that was faster
    return { path };
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Listens on a port that is free. */
export function listen(server: net.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
  });
}

/** A port that is free for the moment. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server that can be killed, and comes back on the same port. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #path: string;
  readonly #parameters: string[];
  #child!: ChildProcess;
  #ended!: Promise<void>;

  static async start(parameters: string[] = []): Promise<NatsServer> {
    const program = natsServerProgram();
    if ("missing" in program) throw new Error(`there is no nats-server: ${program.missing}`);
    const server = new NatsServer(program.path, await freePort(), parameters);
    await server.start();
    return server;
  }

  private constructor(path: string, port: number, parameters: string[]) {
    this.#path = path;
    this.port = port;
    this.#parameters = parameters;
  }

  /** `nats://127.0.0.1:PORT/SUBJECT`. */
  url(subject: string, user = ""): string {
    return `nats://${user}127.0.0.1:${this.port}/${subject}`;
  }

  async start(): Promise<void> {
    const parameters = ["-a", "127.0.0.1", "-p", String(this.port), ...this.#parameters];
    const child = this.#child = spawn(this.#path, parameters, { stdio: ["ignore", "ignore", "pipe"] });
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

  /** Stands still until {@linkcode NatsServer.goOn}: what was sent to it waits. */
  standStill(): void {
    process.kill(this.#child.pid!, "SIGSTOP");
  }

  goOn(): void {
    process.kill(this.#child.pid!, "SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }
}
