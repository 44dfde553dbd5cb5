// @ts-check
/**
 * One depot in full.
 *
 * @module
 */
/** @import { Channels } from "./channels.js" */
/** @import { Depot, Detail as Message, Group } from "./messages.js" */
import { ending, formatText, slowness, stateText } from "./condition.js";
import { make, makeFigures, setNote, setText } from "./dom.js";
import { Flow } from "./flow.js";
import { bytes, count, counted } from "./format.js";
import { LagLine } from "./lag_line.js";
import { PeersTable } from "./peers.js";
import { addressOf } from "./place.js";
import { Player } from "./player.js";

const WHEN_FULL = {
  drop: "the new frame is dropped",
  wait: "producers wait",
  overwrite: "the oldest frame is overwritten",
};

/** @type {readonly ["frame", "bytes", "when full", "memory", "stored", "dropped", "skipped", "kept frames"]} */
const FACTS = ["frame", "bytes", "when full", "memory", "stored", "dropped", "skipped", "kept frames"];

/** @param {Group} group */
function groupText({ name, members, held, lag, redelivered, lost }) {
  const now = `${counted(members, "member")}, ${counted(held, "frame")} held, ${count(lag)} behind`;
  return `group ${JSON.stringify(name)}: ${now}; ${count(redelivered)} redelivered, ${count(lost)} lost`;
}

export class Detail {
  element = make("article", { class: "detail" });
  #player;
  #lag = new LagLine();
  #peers = new PeersTable();
  #state = make("span", { class: "state" });
  #slow = make("p", { class: "slow", hidden: "" });
  #ending = make("p", { class: "ending", hidden: "" });
  #groups = make("ul", { class: "groups" });
  #flow = new Flow();
  #maxSize = 0;
  #facts = makeFigures(FACTS, "facts");

  /** @param {string} name @param {Channels} channels */
  constructor(name, channels) {
    this.name = name;
    this.#player = new Player(channels);
    const back = make("a", { href: addressOf(), "aria-keyshortcuts": "Escape" }, "All depots");
    const keys = make("p", { class: "keys" }, "space pause, ← → step, s save, Esc back");
    const side = { class: "side", "aria-label": "Figures" };
    this.element.append(
      make("div", { class: "detail-head" }, back, make("h2", {}, name), this.#state),
      this.#slow,
      this.#ending,
      make(
        "div",
        { class: "columns" },
        make("div", {}, this.#player.element, keys),
        make("section", side, this.#flow.element, this.#lag.element, this.#facts.list),
      ),
      this.#groups,
      this.#peers.element,
    );
  }

  /** @param {readonly Depot[]} depots */
  show(depots) {
    const depot = depots.find(({ name }) => name === this.name);
    this.element.dataset.state = depot?.state ?? "missing";
    if (depot === undefined) return this.#sayMissing();
    setText(this.#state, stateText(depot));
    const slow = depot.state === "live" ? slowness(depot) : undefined;
    setNote(this.#slow, slow?.text);
    this.#slow.dataset.level = slow?.level ?? "";
    setNote(this.#ending, ending(depot));
    this.#maxSize = depot.maxSize ?? 0;
    this.#flow.show(depot);
    this.#showFacts(depot);
    this.#player.show(depot);
  }

  /** @param {Message} message */
  tell(message) {
    if (message.name !== this.name || message.missing !== undefined) return;
    const { range, skipped, lags = [], peers = [], groups = [] } = message;
    const { values } = this.#facts;
    setText(values.skipped, count(skipped ?? 0));
    setText(values["kept frames"], range === undefined ? "none" : `${range[0]} to ${range[1]}`);
    this.#lag.show(lags, this.#maxSize);
    this.#peers.show(peers);
    this.#groups.replaceChildren(...groups.map((group) => make("li", {}, groupText(group))));
  }

  close() {
    this.#player.close();
    this.element.remove();
  }

  /** @param {Depot} depot */
  #showFacts(depot) {
    const { values } = this.#facts;
    const { frameBytes, variableLength, whenFull, stored, dropped } = depot;
    setText(values.frame, [formatText(depot), depot.pixelFormat ? depot.elementType : ""].filter(Boolean).join(", "));
    setText(values.bytes, frameBytes === undefined ? "–" : `${variableLength ? "up to " : ""}${bytes(frameBytes)}`);
    setText(values["when full"], whenFull === undefined ? "–" : WHEN_FULL[whenFull]);
    setText(values.memory, depot.bytes === undefined ? "–" : bytes(depot.bytes));
    setText(values.stored, stored === undefined ? "–" : count(stored));
    setText(values.dropped, dropped === undefined ? "–" : count(dropped));
  }

  #sayMissing() {
    setText(this.#state, "not there");
    setNote(this.#slow, undefined);
    setNote(this.#ending, `There is no depot ${this.name}. It appears here as soon as it is made.`);
  }
}
