/**
 * A worker that gets moved buffers and looks at them all the time, beside everything else.
 *
 * @module
 */
import { type Scope, workerScope } from "../support/worker.ts";
import { scribble } from "./held.ts";
import { bufferFlaw, remainsFlaw } from "./marks.ts";

/** A buffer to keep. */
export type Kept = { id: number; frameNumber: number; frameBytes: number; scribbled: boolean; view: Uint8Array };
/** What it is told: buffers to keep, those whose depot object begins to close, those to forget. Each is answered. */
export type Order = { keep: Kept } | { closing: number[] } | { forget: number[] } | { look: true };
/** What it answers. */
export type Answer = { wrong: string[] };

/** Between two looks. */
const EVERY_MS = 1;

const kept = new Map<number, Kept & { closing: boolean }>();
const wrong: string[] = [];
const scope: Omit<Scope, "postMessage"> & { postMessage(answer: Answer): void } = workerScope();

function look(): void {
  for (const { view, frameNumber, frameBytes, scribbled, closing } of kept.values()) {
    const buffer = view.buffer as ArrayBuffer;
    if (scribbled) {
      scribble(buffer);
      continue;
    }
    const flaw = (closing ? remainsFlaw : bufferFlaw)(buffer, frameNumber, frameBytes);
    if (flaw !== undefined && wrong.length < 5) wrong.push(`in a worker: ${flaw}`);
  }
}

scope.onmessage = ({ data: order }: { data: Order }) => {
  if ("keep" in order) kept.set(order.keep.id, { ...order.keep, closing: false });
  else if ("closing" in order) {
    for (const id of order.closing) if (kept.has(id)) kept.get(id)!.closing = true;
  } else if ("forget" in order) {
    for (const id of order.forget) kept.delete(id);
  }
  look();
  scope.postMessage({ wrong: wrong.splice(0) });
};

setInterval(look, EVERY_MS);
