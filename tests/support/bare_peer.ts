/**
 * A peer that has nothing but its attachment: what it does in the protocol, the test does.
 *
 * @module
 */
import { assert } from "@std/assert";
import { loadShim } from "../../ffi/load.ts";
import { Attachment } from "../../ring/attachment.ts";
import { openSegment } from "../../ring/segment.ts";

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
