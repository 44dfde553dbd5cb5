/**
 * Hearing of a sleeper through a socket, for runtimes without asynchronous foreign calls: a thread of the shim sleeps,
 * and sends a byte when it has woken. A callback from another thread would be shorter; it crashes Bun when it comes
 * after `worker.terminate()`, and Node whenever it comes.
 *
 * @module
 */
import type { Attendance } from "./backend.ts";
import { builtin } from "./process.ts";
import type { Native, Pointer } from "./symbols.ts";

/** What lets the process end, or not, while it is open. */
export type Socket = { ref(): void; unref(): void };
type Net = { connect(path: string): Socket & { on(event: "data" | "error", listener: () => void): void } };

/** How often a sleeper is looked at that cannot ring. */
const DEAF_MS = 2;
/** Room for the path of a named pipe. */
const PIPE_PATH_BYTES = 256;

/** The bell of one sleeper. */
export class Bell implements Attendance {
  /** Known a little later where the runtime takes its time. */
  #socket: Socket | undefined;
  #isArmed = false;

  /**
   * @param open makes a socket of a descriptor, which the runtime closes when the other end is closed or its thread
   *   ends, and calls back whenever a byte has come
   */
  constructor(
    native: Native,
    sleeper: Pointer,
    woken: () => void,
    open: (file: number, woken: () => void) => Promise<Socket>,
  ) {
    const file = native.fd_sleeper_start(sleeper);
    if (file < 0) throw new Error(`a waiting thread cannot be started: errno ${-file}`);
    const path = new Uint8Array(PIPE_PATH_BYTES);
    const length = native.fd_sleeper_pipe(sleeper, path, path.length);
    if (length > 0) this.#has(pipe(new TextDecoder().decode(path.subarray(0, length)), woken));
    else {
      // Without a socket it is looked at now and then; a timer can be let go of in the same way.
      open(file, woken).catch(() => setInterval(woken, DEAF_MS) as unknown as Socket).then((socket) =>
        this.#has(socket)
      );
    }
  }

  #has(socket: Socket): void {
    this.#socket = socket;
    if (!this.#isArmed) socket.unref();
  }

  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#socket?.ref();
  }

  rest(): void {
    this.#isArmed = false;
    this.#socket?.unref();
  }

  quiet(): undefined {}
}

/** Windows has named pipes. */
function pipe(path: string, woken: () => void): Socket {
  const socket = builtin<Net>("node:net").connect(path);
  socket.on("data", woken);
  socket.on("error", () => {}); // its end is the end of the sleeper
  return socket;
}
