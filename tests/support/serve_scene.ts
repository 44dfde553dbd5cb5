/**
 * `frames-depot serve` as a child process, and clients of it: good ones, and raw connections for the others.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { Cli, type CliOptions } from "./cli.ts";

/** An answer over HTTP. */
export type Got = { status: number; headers: Record<string, string | string[] | undefined>; bytes: Uint8Array };

/** The text of an answer. */
export const textOf = ({ bytes }: Got): string => new TextDecoder().decode(bytes);

/** The header of a picture. */
export type PictureHeader = {
  channel: number;
  name: string;
  id: string;
  number: number;
  timestampNs: string;
  width: number;
  height: number;
  fullWidth: number;
  fullHeight: number;
  codec: string;
  codecString?: string;
  key: boolean;
  asked?: boolean;
};
/** A picture as it arrived. */
export type Picture = { header: PictureHeader; bytes: Uint8Array };
// deno-lint-ignore no-explicit-any -- a test compares what it needs
export type Said = Record<string, any> & { type: string };

/** A server that runs. */
export class Served implements AsyncDisposable {
  readonly #cli: Cli;
  /** Where it is, without its fragment. */
  readonly url: URL;
  readonly token: string | undefined;
  readonly #lives: Live[] = [];
  readonly #sockets: Socket[] = [];

  static async start(parameters: string[], options: CliOptions = {}): Promise<Served> {
    const cli = new Cli(["serve", "--port", "0", "--json", ...parameters], options);
    try {
      await cli.shows("}\n");
      return new Served(cli, JSON.parse(cli.out));
    } catch (error) {
      await cli[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(cli: Cli, { port, token }: { port: number; token?: string }) {
    this.#cli = cli;
    this.url = new URL(`http://127.0.0.1:${port}/`);
    this.token = token;
  }

  get port(): number {
    return Number(this.url.port);
  }

  get pid(): number {
    return this.#cli.child.pid!;
  }

  /** Sends a signal, and waits for the end. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<{ code: number; out: string; errors: string }> {
    process.kill(this.pid, signal);
    return await this.#cli.answer();
  }

  get(path: string, headers: Record<string, string> = {}, method: string = "GET"): Promise<Got> {
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.url), { headers, method, agent: false }, (response) => {
        const parts: Uint8Array[] = [];
        response.on("data", (part: Uint8Array) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, bytes: new Uint8Array(Buffer.concat(parts)) });
        });
      });
      asked.on("error", reject);
      asked.end();
    });
  }

  // deno-lint-ignore no-explicit-any -- a test compares what it needs
  async json(path: string): Promise<any> {
    const got = await this.get(path);
    if (got.status !== 200) throw new Error(`${path}: ${got.status} ${textOf(got)}`);
    return JSON.parse(textOf(got));
  }

  /** The value of a metric, with its labels in the order in which they are written. 0 where it is not there. */
  async metric(name: string): Promise<number> {
    const line = textOf(await this.get("metrics")).split("\n").find((line) => line.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  }

  async live(): Promise<Live> {
    const live = await Live.open(new URL("api/live", this.url));
    this.#lives.push(live);
    return live;
  }

  /** A connection on which a test says what it wants. */
  raw(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1", () => {
        socket.on("error", () => {}); // the server may close it at any time
        resolve(socket);
      });
      socket.once("error", reject);
      this.#sockets.push(socket);
    });
  }

  /** Asks for a WebSocket by hand. @returns the status, and the connection */
  async upgrade(headers: Record<string, string> = {}, path = "/api/live"): Promise<[status: number, socket: Socket]> {
    const socket = await this.raw();
    const all = { Host: this.url.host, ...HANDSHAKE, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    socket.write([`GET ${path} HTTP/1.1`, ...lines, "\r\n"].join("\r\n"));
    const first = await new Promise<string>((resolve) => {
      socket.once("data", (data) => resolve(String(data)));
      socket.once("close", () => resolve(""));
    });
    return [Number(/^HTTP\/1\.1 (\d+)/.exec(first)?.[1] ?? 0), socket];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const live of this.#lives) live.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#cli[Symbol.asyncDispose]();
  }
}

/** What a request for a WebSocket has beside `Host`. */
export const HANDSHAKE = {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

/** A frame of a client, masked with zeros. */
export function socketFrame(payload: Uint8Array | string, first: number = 0x81): Uint8Array {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : Buffer.from(payload);
  const length = bytes.length < 126 ? [0x80 | bytes.length] : [0x80 | 126, bytes.length >> 8, bytes.length & 255];
  return new Uint8Array(Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), bytes]));
}

/** A client of the WebSocket. */
export class Live {
  readonly #socket: WebSocket;
  readonly pictures: Picture[] = [];
  readonly texts: Said[] = [];
  /** The code with which it was closed. */
  closed: number | undefined;
  /** Whether each picture is shown as it comes. */
  shows = true;
  #changed = () => {};

  static open(url: URL): Promise<Live> {
    const socket = new WebSocket(url.href.replace(/^http/, "ws"));
    socket.binaryType = "arraybuffer";
    const live = new Live(socket);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(live);
      socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
    });
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.texts.push(JSON.parse(data));
      else this.#take(data as ArrayBuffer);
      this.#changed();
    };
    socket.onclose = ({ code }) => {
      this.closed = code;
      this.#changed();
    };
  }

  #take(data: ArrayBuffer): void {
    const begin = 4 + new DataView(data).getUint32(0, true);
    const header: PictureHeader = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, begin - 4)));
    this.pictures.push({ header, bytes: new Uint8Array(data, begin) });
    if (this.shows && !header.asked) this.say({ type: "shown", channel: header.channel });
  }

  say(message: object | string): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  show(name: string, { channel = 1, width = 64, codec = "jpeg" } = {}): void {
    this.say({ type: "show", channel, name, width, codec });
  }

  /** Waits until something is found in what has arrived. */
  async until<Found>(find: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.closed !== undefined) throw new Error(`the WebSocket was closed: ${this.closed}`);
      await new Promise<void>((resolve) => this.#changed = resolve);
    }
  }

  /** Waits for a picture. */
  picture(isWanted: (header: PictureHeader) => boolean): Promise<Picture> {
    return this.until(() => this.pictures.find(({ header }) => isWanted(header)));
  }

  /** Waits for a text. */
  said(type: string, isWanted: (said: Said) => boolean = () => true): Promise<Said> {
    return this.until(() => this.texts.find((said) => said.type === type && isWanted(said)));
  }

  /** Waits until the server has closed it. */
  async ending(): Promise<number> {
    while (this.closed === undefined) await new Promise<void>((resolve) => this.#changed = resolve);
    return this.closed;
  }

  close(): void {
    this.#socket.close();
  }
}

/** Waits until something holds, looking again and again. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A frame of one colour that tells its number: three channels of 8 bits. */
export function colored(number: number, width: number, height: number): Uint8Array {
  const color = colorOf(number);
  const frame = new Uint8Array(width * height * 3);
  for (let at = 0; at < frame.length; at += 3) frame.set(color, at);
  return frame;
}

/** The colour of a number: those of neighbours differ by much. */
export const colorOf = (
  number: number,
): number[] => [number * 67 % 216 + 20, number * 91 % 216 + 20, 200 - number % 16 * 10];
