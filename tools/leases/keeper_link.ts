/**
 * The worker that keeps moved buffers, from the side that moves them to it.
 *
 * @module
 */
import { type ModuleWorker, startWorker } from "../support/worker.ts";
import type { Owner } from "./held.ts";
import type { Answer, Order } from "./keeper.ts";

/** Buffers that the worker has at the same time. */
const MOST = 12;

/** A worker, made anew now and then while it has buffers. */
export class KeeperLink {
  /** What it has found wrong. */
  readonly wrong: string[] = [];
  #worker: ModuleWorker | undefined;
  #asked: (() => void)[] = [];
  #ids = 0;
  #kept: { id: number; owner: Owner }[] = [];

  #ask(order: Order, transfer: ArrayBuffer[] = []): Promise<void> {
    if (this.#worker === undefined) {
      this.#worker = startWorker(new URL("./keeper.ts", import.meta.url));
      this.#worker.onmessage = ({ data }: { data: Answer }) => {
        this.wrong.push(...data.wrong);
        this.#asked.shift()?.();
      };
    }
    this.#worker.postMessage(order, transfer);
    return new Promise((resolve) => this.#asked.push(resolve));
  }

  /** Moves the buffer of a view to the worker. */
  keep(view: Uint8Array, owner: Owner, frameNumber: number, frameBytes: number, scribbled: boolean): Promise<void> {
    const id = this.#ids++;
    this.#kept.push({ id, owner });
    const keeping = this.#ask({ keep: { id, frameNumber, frameBytes, scribbled, view } }, [view.buffer as ArrayBuffer]);
    if (this.#kept.length <= MOST) return keeping;
    return Promise.all([keeping, this.#ask({ forget: [this.#kept.shift()!.id] })]).then(() => {});
  }

  /** Tells it that the memory of a depot object may become zeros from now on. */
  async closing(owner: Owner): Promise<void> {
    const closing = this.#kept.filter((kept) => kept.owner === owner).map(({ id }) => id);
    if (closing.length > 0) await this.#ask({ closing });
  }

  /** Has it look now. */
  async look(): Promise<void> {
    if (this.#worker !== undefined) await this.#ask({ look: true });
  }

  /** Ends it, with all that it has. Nothing may be asked just now. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#kept = [];
    for (const resolve of this.#asked.splice(0)) resolve();
  }
}
