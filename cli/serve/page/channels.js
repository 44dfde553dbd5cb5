// @ts-check
/**
 * Channels: each carries the pictures of one canvas. The server sends two, and another one for each that was shown, so
 * a page that draws slowly gets fewer pictures instead of older ones.
 *
 * @module
 */
/** @import { Picture } from "./messages.js" */

/**
 * What a channel hears.
 *
 * @typedef {object} Receiver
 * @property {(picture: Picture) => void} take
 * @property {(number: number, range: readonly [number, number] | undefined) => void} missing a frame that was asked for
 * @property {(why: string) => void} gone
 * @property {(text: string) => void} note
 * @property {() => void} reopened the connection is another one: it must be asked again
 */

export class Channels {
  /** Which codec the server was started for. */
  codec = "jpeg";
  #send;
  #next = 1;
  /** @type {Map<number, Receiver>} */
  #open = new Map();

  /** @param {(message: object) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {Receiver} receiver @returns {Channel} */
  open(receiver) {
    const number = this.#next++;
    this.#open.set(number, receiver);
    return new Channel(number, (message) => this.#tell(number, message));
  }

  /** Asks again for everything that is shown: the server of a new connection knows nothing. */
  reopen() {
    for (const receiver of [...this.#open.values()]) receiver.reopened();
  }

  /**
   * Whose picture or message this is. It may be none: what was hidden may still be under way.
   *
   * @param {number} channel
   */
  receiverOf(channel) {
    return this.#open.get(channel);
  }

  /** @param {number} channel @param {{ type: string }} message */
  #tell(channel, message) {
    if (message.type === "hide") this.#open.delete(channel);
    this.#send({ ...message, channel });
  }
}

export class Channel {
  #tell;

  /** @param {number} number @param {(message: { type: string }) => void} tell */
  constructor(number, tell) {
    this.number = number;
    this.#tell = tell;
  }

  /**
   * Asks for the newest pictures of a depot, or for others than before.
   *
   * @param {{ name: string, width: number, codec: string }} what
   */
  show(what) {
    this.#tell({ type: "show", ...what });
  }

  /** Gives the credit of one picture back. */
  shown() {
    this.#tell({ type: "shown" });
  }

  /** Asks for a stored frame; the newest ones come no more. @param {number} number */
  at(number) {
    this.#tell(/** @type {any} */ ({ type: "at", number }));
  }

  /** Asks for the stored frame beside another one. @param {number} number @param {-1 | 1} by */
  step(number, by) {
    this.#tell(/** @type {any} */ ({ type: "step", number, by }));
  }

  /** Asks for the newest pictures again. */
  live() {
    this.#tell({ type: "live" });
  }

  /** Ends it. */
  hide() {
    this.#tell({ type: "hide" });
  }
}
