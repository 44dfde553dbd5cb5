/**
 * The safeguards of a lease, and what takes each of them away.
 *
 * @module
 */
import type { Runtime } from "../support/runtimes.ts";

/** A safeguard, and the text that takes it away. */
export type Mutation = {
  /** What is not done any more. */
  without: string;
  file: string;
  /** Stands once in the file. */
  from: string;
  to: string;
  /** Where it shows; in both runtimes if nothing is said. */
  only?: Runtime;
};

const GIVE = `if (isDetached(buffer)) return "moved";`;
const RELEASED = "if (this.#released) throw new TypeError(`slot ${this.sequence} has been published or given back`);";
const SAID = "const said = details === NOTHING_SAID ? details : this.#checked(details);";

/** All of them. */
export const MUTATIONS: readonly Mutation[] = [
  {
    without: "a look whether the old buffer is detached after transfer()",
    file: "ring/payload.ts",
    from: `if (!isDetached(buffer)) return "busy"; // what was made is a copy`,
    to: "",
    only: "bun",
  },
  {
    without: "keeping the slot of a buffer that was moved away",
    file: "ring/payload.ts",
    from: `${GIVE}\n    const same`,
    to: `if (isDetached(buffer)) return "given";\n    const same`,
  },
  {
    without: "keeping it where the buffer was moved after an operation",
    file: "ring/payload.ts",
    from: `${GIVE}\n    transfer(buffer, 0)`,
    to: `if (isDetached(buffer)) return "given";\n    transfer(buffer, 0)`,
    only: "bun",
  },
  {
    without: "keeping the slot while an operation is in it",
    file: "depot/kept.ts",
    from: "this.#busy.push({ what, memory, end });",
    to: "return end();",
    only: "bun",
  },
  {
    without: "keeping it on while the operation is still in it",
    file: "depot/kept.ts",
    from: `if (returned === "busy") busy.push(kept);`,
    to: `if (returned === "busy") kept.end();`,
    only: "bun",
  },
  {
    without: "zero pages at close",
    file: "depot/session.ts",
    from: "this.attachment.withdraw(this.kept.any || this.attachment.payload.mayBeInUse);",
    to: "this.attachment.withdraw(false);",
  },
  {
    without: "zero pages for what was moved away",
    file: "depot/session.ts",
    from: "this.kept.any || this.attachment.payload.mayBeInUse",
    to: "this.attachment.payload.mayBeInUse",
    only: "bun",
  },
  {
    without: "zero pages for operations that nothing tells of",
    file: "depot/session.ts",
    from: "this.kept.any || this.attachment.payload.mayBeInUse",
    to: "this.kept.any",
    only: "deno",
  },
  {
    without: "zero pages before others may have the slots",
    file: "depot/session.ts",
    from: "this.attachment.withdraw(this.kept.any || this.attachment.payload.mayBeInUse);",
    to: `this.attachment.leave();
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.attachment.withdraw(this.kept.any || this.attachment.payload.mayBeInUse);`,
  },
  {
    without: "a frame's reference to its reader",
    file: "depot/frame.ts",
    from: "this.#loop = loop;",
    to: "this.#loop = loop && { traces: loop.traces, reader: undefined };",
  },
  {
    without: "a view's reference to its frame",
    file: "depot/slot_memory.ts",
    from: "(this.#buffer as { [HOLDER]?: unknown })[HOLDER] = holder;",
    to: "void holder;",
  },
  {
    without: "an error when a frame is looked at after its release",
    file: "depot/frame.ts",
    from: "this.#assertHeld();\n    const traces",
    to: "const traces",
  },
  {
    without: "a clone's own pin",
    file: "depot/frame.ts",
    from: "this.#reader.pinHeld(this.#slot);\n    const { sequence",
    to: "const { sequence",
  },
  {
    without: "a release that says so to what watches for the forgotten",
    file: "depot/frame.ts",
    from: "if (this.#remains !== undefined) this.#remains.ended = true;\n    if (this.#passes)",
    to: "if (this.#passes)",
  },
  {
    without: "keeping a forgotten frame that was looked at",
    file: "depot/frame.ts",
    from: "if (!remains.lent) reader.unpin(slot);",
    to: "reader.unpin(slot);",
  },
  {
    without: "keeping the frame of a forgotten reader",
    file: "depot/stream.ts",
    from: "if (held >= 0 && !traces.lent) reader.unpin(held);",
    to: "if (held >= 0) reader.unpin(held);",
  },
  {
    without: "keeping a forgotten slot that was looked at",
    file: "depot/slot.ts",
    from: "if (remains.lent) producer.keepBack(sequence);",
    to: "if (remains.slot < 0) producer.keepBack(sequence);",
  },
  {
    without: "keeping a slot that cannot be had back",
    file: "depot/slot.ts",
    from: "\n    producer.keepBack(sequence);",
    to: "\n    producer.giveBack(sequence);",
  },
  {
    without: "refusing to publish what was moved away or is in use",
    file: "depot/slot.ts",
    from: `if (returned !== "given") throw this.#unpublishable(returned);`,
    to: "",
  },
  {
    without: "reading what is said before looking at the slot",
    file: "depot/slot.ts",
    from: `${SAID}\n    ${RELEASED}`,
    to: `${RELEASED}\n    ${SAID}`,
  },
  {
    without: "ending what fills a slot with the slot",
    file: "depot/slot.ts",
    from: "if (this.#filling?.underWay !== undefined) this.#stopFilling(this.#filling.underWay);",
    to: "",
  },
  {
    without: "keeping a reader's entry until its last lease",
    file: "ring/reader.ts",
    from: "this.#room.stopGating(this.index);\n    if (this.#leases === 0) this.#readers.free(this.index);",
    to: "this.#room.stopGating(this.index);\n    this.#readers.free(this.index);",
  },
  {
    without: "releasing at close what was taken just now",
    file: "depot/lease.ts",
    from: "for (const lease of this.#young) lease.release();",
    to: "",
  },
  {
    without: "releasing at close what was taken long ago",
    file: "depot/lease.ts",
    from: "for (const reference of this.#old) reference.deref()?.release();",
    to: "",
  },
  {
    without: "what was forgotten, but whose finalizer has not run at close",
    file: "depot/lease.ts",
    from: "if (!remains.ended && remains.lent && remains.slot >= 0) this.#kept.addForgotten();",
    to: "",
    only: "bun",
  },
  {
    without: "a lease of its own for each frame of a stream",
    file: "depot/web_streams.ts",
    from: "const own = value.clone();\n      value.release();\n      return own;",
    to: "return value;",
  },
  {
    without: "a lease for each branch of a stream",
    file: "depot/web_streams.ts",
    from: "queue?.push(value.clone());",
    to: "queue?.push(value);",
  },
];
