// @ts-check
/**
 * Every depot at a glance: a picture each, and its figures.
 *
 * @module
 */
/** @import { Channels } from "./channels.js" */
/** @import { Depot } from "./messages.js" */
import { ending, formatText, slowness, stateText } from "./condition.js";
import { make, setNote, setText } from "./dom.js";
import { Flow } from "./flow.js";
import { addressOf } from "./place.js";
import { Picture } from "./picture.js";

class Tile {
  element = make("li", { class: "tile" });
  #picture;
  #link;
  #number = make("span", { class: "badge" });
  #state = make("span", { class: "state" });
  #format = make("p", { class: "format" });
  #flow = new Flow();
  #slow = make("p", { class: "slow", hidden: "" });
  #ending = make("p", { class: "ending", hidden: "" });

  /** @param {Depot} depot @param {Channels} channels */
  constructor(depot, channels) {
    this.#picture = new Picture(channels, {
      drawn: ({ header: { number } }) => setText(this.#number, `#${number}`),
    });
    this.#picture.element.append(this.#number);
    const link = this.#link = make("a", { href: addressOf(depot.name) }, depot.name);
    this.element.dataset.name = depot.name;
    this.element.append(
      this.#picture.element,
      make("div", { class: "tile-head" }, make("h2", {}, link), this.#state),
      this.#format,
      this.#flow.element,
      this.#slow,
      this.#ending,
    );
  }

  /** @param {Depot} depot */
  show(depot) {
    this.element.dataset.state = depot.state;
    setText(this.#state, stateText(depot));
    setText(this.#format, formatText(depot));
    this.#flow.show(depot);
    const slow = depot.state === "live" ? slowness(depot) : undefined;
    setNote(this.#slow, slow?.text);
    this.#slow.dataset.level = slow?.level ?? "";
    setNote(this.#ending, ending(depot));
    this.#picture.follow(depot);
  }

  focus() {
    this.#link.focus();
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

  /** Goes back to where the user was. @param {string} name */
  focus(name) {
    this.#tiles.get(name)?.focus();
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
      make("h2", {}, names === null ? "No depots" : `Waiting for ${names.join(", ")}`),
      make("p", {}, "A depot appears here as soon as a process of this user makes it. To try it with a video file:"),
      make("pre", {}, make("code", {}, `frames-depot write ${name} --input clip.mp4`)),
      make("p", {}, "or in a program:"),
      make("pre", {}, make("code", {}, `await FramesDepot.create("${name}", { frameSize: [1920, 1080, 3] });`)),
    );
  }
}
