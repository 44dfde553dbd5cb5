/**
 * A worker that gets a view, and says what it shows whenever it is asked: its bytes, if they are all the same.
 *
 * @module
 */

import { workerScope } from "../../tools/support/worker.ts";

let view: Uint8Array | undefined;
const scope = workerScope();

scope.onmessage = ({ data }: { data: Uint8Array | "look" }) => {
  if (data !== "look") view = data;
  const first = view?.[0];
  scope.postMessage(view?.every((byte) => byte === first) ? first : "torn");
};
