/**
 * A worker that is told the name of a depot, and fills and reads it until it is terminated.
 *
 * @module
 */
import { workerScope } from "../../tools/support/worker.ts";
import { FramesDepot } from "../../mod.ts";

const scope = workerScope();
const TURN_MS = 5;

scope.onmessage = async ({ data: name }: { data: string }) => {
  const depot = await FramesDepot.open(name);
  const frame = new Uint8Array(4);
  const turn = () => {
    for (const end = performance.now() + TURN_MS; performance.now() < end;) {
      depot.tryEnqueue({ frame });
      depot.latest()?.release();
    }
    setTimeout(turn, 0);
  };
  turn();
  scope.postMessage("fills");
};
