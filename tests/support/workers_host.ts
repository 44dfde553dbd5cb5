/**
 * The test's end of `workers_peer.ts`.
 *
 * @module
 */
import type { Answer, Order } from "./actor.ts";
import { HERE, Peer, type PeerOptions } from "./harness.ts";
import type { Counts, HostOrder } from "./workers_peer.ts";
import type { Way } from "./workers.ts";

/** A process with workers that do what they are told. */
export class WorkersHost extends Peer {
  constructor(options: PeerOptions = {}) {
    super(HERE, "workers_peer.ts", {}, options);
  }

  async #ask(order: HostOrder): Promise<unknown> {
    this.send(order);
    const { answer, error } = await this.line<Answer>();
    return error ?? answer;
  }

  /** As {@linkcode Remote.tell}, for a worker; for the main thread where none is named. */
  tell(worker: number | undefined, order: Order): Promise<unknown> {
    return this.#ask({ host: "tell", worker, order });
  }

  /** Makes workers with these numbers. */
  start(...workers: number[]): Promise<unknown> {
    return this.#ask({ host: "start", workers });
  }

  /** Ends workers at once. @returns when their threads are gone */
  end(how: Way, ...workers: number[]): Promise<unknown> {
    return this.#ask({ host: "end", workers, how });
  }

  /** What it has open. */
  async counts(inode?: number): Promise<Counts> {
    return await this.#ask({ host: "counts", inode }) as Counts;
  }

  /** Everything else. @returns the answer or the error */
  do(order: HostOrder): Promise<unknown> {
    return this.#ask(order);
  }
}
