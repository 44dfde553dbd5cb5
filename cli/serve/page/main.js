// @ts-check
/**
 * The page of `frames-depot serve`: every depot live, or one in full.
 *
 * @module
 */
/** @import { Depot, Hello } from "./messages.js" */
import { Channels } from "./channels.js";
import { Detail } from "./detail.js";
import { setText } from "./dom.js";
import { counted, gigabytesPerSecond } from "./format.js";
import { parsePicture } from "./messages.js";
import { Overview } from "./overview.js";
import { shownName } from "./place.js";
import { admission, askForToken, handIn, takeToken } from "./session.js";
import { Socket } from "./socket.js";

/** @param {string} id @returns {HTMLElement} */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const [view, totals, connection] = [
  byId("view"),
  byId("totals"),
  byId("connection"),
];

class Page {
  /** @type {readonly Depot[] | undefined} */
  #depots;
  /** @type {readonly string[] | null} */
  #names = null;
  /** @type {Overview | Detail | undefined} */
  #shown;
  #channels = new Channels((message) => this.#socket.send(message));
  #socket = new Socket("/api/live", {
    opened: () => this.#opened(),
    told: (message) => this.#told(message),
    sent: (message) => {
      const picture = parsePicture(message);
      this.#channels.receiverOf(picture.header.channel)?.take(picture);
    },
    broken: (wasOpen, waitMs) => void this.#broken(wasOpen, waitMs),
  });

  constructor() {
    addEventListener("hashchange", () => this.#go());
  }

  #opened() {
    document.body.dataset.connection = "open";
    setText(connection, "");
    this.#channels.reopen();
    this.#askDetail();
  }

  /** @param {boolean} wasOpen @param {number} waitMs */
  async #broken(wasOpen, waitMs) {
    document.body.dataset.connection = "broken";
    setText(connection, `Disconnected: what is shown is old. Trying again in ${Math.ceil(waitMs / 1000)} s.`);
    if (wasOpen || await admission() !== "out") return;
    this.#socket.close();
    this.#clear();
    setText(connection, "");
    await askForToken(view, false);
    this.#socket.open();
  }

  /** @param {any} message */
  #told(message) {
    const receiver = this.#channels.receiverOf(message.channel);
    switch (message.type) {
      case "hello":
        return this.#greet(message);
      case "depots":
        return this.#show(message.depots);
      case "detail":
        return this.#shown instanceof Detail && this.#shown.tell(message);
      case "missing":
        return receiver?.missing(message.number, message.range);
      case "gone":
        return receiver?.gone(message.why);
      case "note":
        return receiver?.note(message.text);
      case "refused":
        return receiver === undefined ? console.error(message.text) : receiver.gone(message.text);
    }
  }

  /** @param {Hello} hello */
  #greet({ codec, names }) {
    this.#channels.codec = codec;
    this.#names = names;
  }

  /** @param {readonly Depot[]} depots */
  #show(depots) {
    this.#depots = depots;
    const live = depots.filter(({ state }) => state === "live").length;
    const flow = depots.reduce((sum, { bytesPerSecond }) => sum + (bytesPerSecond ?? 0), 0);
    setText(totals, `${counted(depots.length, "depot")}, ${live} live, ${gigabytesPerSecond(flow)} GB/s`);
    if (this.#shown === undefined) this.#go();
    else this.#shown.show(depots, this.#names);
  }

  /** Shows what the address names. */
  #go() {
    if (this.#depots === undefined) return;
    const before = this.#shown instanceof Detail ? this.#shown.name : undefined;
    this.#clear();
    const name = shownName();
    const shown = name === undefined ? new Overview(this.#channels) : new Detail(name, this.#channels);
    this.#shown = shown;
    document.title = name === undefined ? "Frames Depot" : `${name} – Frames Depot`;
    view.replaceChildren(shown.element);
    shown.show(this.#depots, this.#names);
    this.#askDetail();
    scrollTo(0, 0);
    if (shown instanceof Detail) view.focus();
    else if (before !== undefined) shown.focus(before);
  }

  #clear() {
    this.#shown?.close();
    this.#shown = undefined;
  }

  #askDetail() {
    this.#socket.send({ type: "detail", name: shownName() });
  }
}

const token = takeToken();
const isWrong = token !== undefined && !await handIn(token);
if (isWrong || await admission() === "out") await askForToken(view, isWrong);
new Page();
