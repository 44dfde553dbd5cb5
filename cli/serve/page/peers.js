// @ts-check
/**
 * The processes that have a depot open, and how far behind each of their loops is.
 *
 * @module
 */
/** @import { Peer, Reader } from "./messages.js" */
import { make } from "./dom.js";
import { count, duration } from "./format.js";

/** A role of a process: producer, one of its loops, or idle. */
/** @typedef {{ peer: Peer, role: string, reader?: Reader, isFirst: boolean }} Part */

/** @type {readonly { title: string, kind?: string, text: (part: Part) => string }[]} */
const COLUMNS = [
  { title: "process", text: ({ peer, isFirst }) => isFirst ? `${peer.runtime} ${peer.pid}` : "" },
  { title: "role", text: ({ role, peer }) => peer.serves ? `${role}, this page` : role },
  { title: "lag", kind: "number", text: ({ reader }) => reader === undefined ? "" : count(reader.lag) },
  { title: "", kind: "note", text: noteOn },
  { title: "stored", kind: "number", text: ({ peer, role }) => role === "producer" ? count(peer.stored) : "" },
  { title: "dropped", kind: "number", text: ({ peer, role }) => role === "producer" ? count(peer.dropped) : "" },
  { title: "read", kind: "number", text: ({ reader }) => reader === undefined ? "" : count(reader.read) },
  { title: "lost", kind: "number", text: ({ reader }) => reader === undefined ? "" : count(reader.lost) },
  { title: "since", kind: "number", text: ({ peer, isFirst }) => isFirst ? since(peer) : "" },
  { title: "command", kind: "command", text: ({ peer, isFirst }) => isFirst ? peer.command ?? "" : "" },
];

/** @param {Peer} peer */
function since({ joinedMs }) {
  return duration(Math.max(0, Date.now() - joinedMs));
}

/** @param {Part} part */
function noteOn({ peer, reader }) {
  return peer.alive ? reader?.blocks ? "holds the queue up" : "" : "dead";
}

/** @param {Peer} peer @returns {Part[]} */
function partsOf(peer) {
  const roles = peer.readers.map((reader) => {
    const role = reader.group === undefined ? reader.mode : `${reader.mode} of ${JSON.stringify(reader.group)}`;
    return { peer, role, reader };
  });
  const producing = peer.stored > 0 || peer.dropped > 0 ? [{ peer, role: "producer" }] : [];
  const parts = [...producing, ...roles];
  if (parts.length === 0) parts.push({ peer, role: "idle" });
  return parts.map((part, index) => ({ ...part, isFirst: index === 0 }));
}

export class PeersTable {
  element = make("section", { class: "peers", "aria-label": "Peers" });
  #body = make("tbody");

  constructor() {
    const titles = COLUMNS.map(({ title, kind = "" }) => make("th", { scope: "col", class: kind }, title));
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...titles)), this.#body);
    this.element.append(make("h3", {}, "Peers"), make("div", { class: "scrolls", tabindex: "0" }, table));
  }

  /** @param {readonly Peer[]} peers */
  show(peers) {
    this.#body.replaceChildren(
      ...peers.flatMap(partsOf).map((part) => {
        const cells = COLUMNS.map(({ kind = "", text }) => make("td", { class: kind }, text(part)));
        const level = !part.peer.alive || part.reader?.blocks ? "bad" : "plain";
        return make("tr", { "data-level": level }, ...cells);
      }),
    );
  }
}
