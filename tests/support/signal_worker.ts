/**
 * A worker that calls closeOnSignals, and tells with which code it was refused.
 *
 * @module
 */
import { type DepotError, FramesDepot } from "../../mod.ts";
import { workerScope } from "../../tools/support/worker.ts";

const scope = workerScope();
try {
  FramesDepot.closeOnSignals();
  scope.postMessage("heard");
} catch (error) {
  scope.postMessage((error as DepotError).code);
}
