/**
 * Claiming, and giving back what the dead hold while there is no room.
 *
 * @module
 */
import type { Peers } from "./peers.ts";
import { FULL, type Producer } from "./producer.ts";

/** Minimum interval between two looks for dead peers while there is no room. */
const RECOVER_EVERY_MS = 100;

/** The claims of one depot object. */
export class Claimer {
  readonly #producer: Producer;
  readonly #peers: Peers;
  #lastRecovery = -Infinity;

  constructor(producer: Producer, peers: Peers) {
    this.#producer = producer;
    this.#peers = peers;
  }

  /** One try, and a second one if a dead peer held the room. @returns a sequence, FULL or EXHAUSTED */
  claim(): number {
    const sequence = this.#producer.claim();
    if (sequence === FULL && this.#recover() > 0) return this.#producer.claim();
    if (this.#producer.hasPassedLeased) this.#whenPassed();
    return sequence;
  }

  /** A slot was leased when its turn came: its reader may be dead, and would keep it for good. */
  #whenPassed(): void {
    this.#producer.hasPassedLeased = false;
    this.#recover();
  }

  #recover(): number {
    const now = performance.now();
    if (now - this.#lastRecovery <= RECOVER_EVERY_MS) return 0;
    this.#lastRecovery = now;
    return this.#peers.recoverDead();
  }
}
