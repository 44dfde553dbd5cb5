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
    return this.recover(this.#producer.claim());
  }

  /**
   * What follows a claim that failed, or passed leased slots over: their readers may be dead, and would keep them for
   * good.
   *
   * @param sequence what the claim returned @returns the same, or what a second try returned
   */
  recover(sequence: number): number {
    const passed = this.#producer.hasPassedLeased;
    this.#producer.hasPassedLeased = false;
    if (sequence !== FULL && !passed) return sequence;
    return this.#recoverDead() > 0 && sequence === FULL ? this.#producer.claim() : sequence;
  }

  #recoverDead(): number {
    const now = performance.now();
    if (now - this.#lastRecovery <= RECOVER_EVERY_MS) return 0;
    this.#lastRecovery = now;
    return this.#peers.recoverDead();
  }
}
