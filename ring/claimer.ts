/**
 * Claiming, and giving back what the dead hold while there is no room.
 *
 * @module
 */
import type { Attachment } from "./attachment.ts";
import { FULL, type Producer } from "./producer.ts";

/** Minimum interval between two looks for dead peers while there is no room. */
const RECOVER_EVERY_MS = 100;

/** The claims of one depot object. */
export class Claimer {
  readonly #producer: Producer;
  readonly #attachment: Attachment;
  #lastRecovery = -Infinity;

  constructor(attachment: Attachment) {
    this.#producer = attachment.producer;
    this.#attachment = attachment;
  }

  /** One try, and a second one if a dead peer held the room. @returns a sequence, FULL, EXHAUSTED or CLOSED */
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
    return this.#recover() > 0 && sequence === FULL ? this.#producer.claim() : sequence;
  }

  #recover(): number {
    const now = performance.now();
    if (now - this.#lastRecovery <= RECOVER_EVERY_MS) return 0;
    this.#lastRecovery = now;
    return this.#attachment.recover();
  }
}
