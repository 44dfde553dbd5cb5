/**
 * The test's end of `remote_peer.ts`.
 *
 * @module
 */
import { HERE, Peer, type PeerOptions, type Runtime } from "./harness.ts";
import type { Order } from "./remote_peer.ts";

/** A process that does what it is told. */
export class Remote extends Peer {
  constructor(runtime: Runtime = HERE, options: PeerOptions = {}) {
    super(runtime, "remote_peer.ts", {}, options);
  }

  /** Tells it to do something. @returns its answer, or the code of its error */
  async tell(order: Order): Promise<unknown> {
    this.send(order);
    const { answer, error } = await this.line<{ answer?: unknown; error?: string }>();
    return error ?? answer;
  }
}
