/**
 * The protocol from inside: a peer that has nothing but its attachment, and what happens between two steps.
 *
 * @module
 */
import { assert } from "@std/assert";
import { loadShim } from "../../ffi/load.ts";
import { Attachment } from "../../ring/attachment.ts";
import { openSegment } from "../../ring/segment.ts";
import { trace } from "../../ring/trace.ts";

/** Calls back at one step of the protocol, until disposed of; not for the steps that happen inside the call. */
export function at(wanted: string, call: () => void): Disposable {
  let inside = false;
  trace.at = (step) => {
    if (step !== wanted || inside) return;
    inside = true;
    try {
      call();
    } finally {
      inside = false;
    }
  };
  return { [Symbol.dispose]: () => void (trace.at = undefined) };
}

/** The segment as the ring sees it; it leaves at the end of its scope. */
export function attach(name: string): Attachment & Disposable {
  const attachment = openSegment(loadShim(), name, { stale: false, trustedOwners: [] });
  assert(attachment instanceof Attachment, String(attachment));
  return Object.assign(attachment, {
    [Symbol.dispose]: () => {
      attachment.leave();
      attachment.withdraw(false);
      attachment.unmap();
    },
  });
}
