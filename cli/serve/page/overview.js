// @ts-check
/**
 * Every depot at a glance: a picture each, and its figures.
 *
 * @module
 */
/** @import { Channels } from "./channels.js" */
/** @import { Depot } from "./messages.js" */
import { ending, formatText, queueText, slowness, stateText } from "./condition.js";
import { make, makeFigures, setNote, setText } from "./dom.js";
import { gigabytesPerSecond, rate } from "./format.js";
import { addressOf } from "./place.js";
import { Picture } from "./picture.js";

class Tile {
  element = make("li", { class: "tile" });
  #picture;
  #number = make("span", { class: "badge" });
  #state = make("span", { class: "state" });
  #format = make("p", { class: "format" });
  #figures = makeFigures(["queue", "frames/s", "GB/s", "drops/s"], "figures");
  #slow = make("p", { class: "slow", hidden: "" });
  #ending = make("p", { class: "ending", hidden: "" });

  /** @param {Depot} depot @param {Channels} channels */
  constructor(depot, channels) {
    this.#picture = new Picture(channels, {
      drawn: ({ header: { number } }) => setText(this.#number, `#${number}`),
    });
    this.#picture.element.append(this.#number);
    const link = make("a", { href: addressOf(depot.name) }, depot.name);
    this.element.dataset.name = depot.name;
    this.element.append(
      this.#picture.element,
      make("div", { class: "tile-head" }, make("h2", {}, link), this.#state),
      this.#format,
      this.#figures.list,
      this.#slow,
      this.#ending,
    );
  }

  /** @param {Depot} depot */
  show(depot) {
    const { queue, "frames/s": frames, "GB/s": bytes, "drops/s": drops } = this.#figures.values;
    this.element.dataset.state = depot.state;
    setText(this.#state, stateText(depot));
    setText(this.#format, formatText(depot));
    setText(queue, queueText(depot));
    setText(frames, rate(depot.framesPerSecond));
    setText(bytes, gigabytesPerSecond(depot.bytesPerSecond));
    setText(drops, rate(depot.droppedPerSecond));
    queue.classList.toggle("bad", depot.full === true);
    drops.classList.toggle("bad", (depot.droppedPerSecond ?? 0) > 0);
    const slow = depot.state === "live" ? slowness(depot) : undefined;
    setNote(this.#slow, slow?.text);
    this.#slow.dataset.level = slow?.level ?? "";
    setNote(this.#ending, ending(depot));
    this.#figures.list.hidden = depot.state === "broken";
    this.#picture.follow(depot);
  }

  close() {
    this.#picture.close();
    this.element.remove();
  }
}

export class Overview {
  element = make("div", { class: "overview" });
  #list = make("ul", { class: "tiles", "aria-label": "Depots" });
  #empty = make("div", { class: "message", hidden: "" });
  #channels;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();

  /** @param {Channels} channels */
  constructor(channels) {
    this.#channels = channels;
    this.element.append(this.#list, this.#empty);
  }

  /** @param {readonly Depot[]} depots @param {readonly string[] | null} names those that the server was started for */
  show(depots, names) {
    const there = new Set(depots.map(({ name }) => name));
    for (const [name, tile] of this.#tiles) {
      if (there.has(name)) continue;
      tile.close();
      this.#tiles.delete(name);
    }
    depots.forEach((depot, index) => {
      let tile = this.#tiles.get(depot.name);
      if (tile === undefined) {
        this.#tiles.set(depot.name, tile = new Tile(depot, this.#channels));
      }
      // What is in its place is not moved: it would lose the focus.
      if (this.#list.children[index] !== tile.element) {
        this.#list.insertBefore(tile.element, this.#list.children[index]);
      }
      tile.show(depot);
    });
    this.#empty.hidden = depots.length > 0;
    if (depots.length === 0) this.#sayEmpty(names);
  }

  close() {
    for (const tile of this.#tiles.values()) tile.close();
    this.element.remove();
  }

  /** @param {readonly string[] | null} names */
  #sayEmpty(names) {
    if (this.#empty.dataset.names === String(names)) return;
    this.#empty.dataset.names = String(names);
    const name = names?.[0] ?? "camera0";
    this.#empty.replaceChildren(
      make(
        "h2",
        {},
        names === null ? "No depots" : `Waiting for ${names.join(", ")}`,
      ),
      make(
        "p",
        {},
        "A depot appears here as soon as a process of this user makes it. To try it with a video file:",
      ),
      make(
        "pre",
        {},
        make("code", {}, `frames-depot write ${name} --input clip.mp4`),
      ),
      make("p", {}, "or in a program:"),
      make(
        "pre",
        {},
        make(
          "code",
          {},
          `await FramesDepot.create("${name}", { frameSize: [1920, 1080, 3] });`,
        ),
      ),
    );
  }
}
