/**
 * The other side of post_message_handoff.ts: sends every buffer back.
 *
 * @module
 */
import { workerScope } from "../../tools/support/worker.ts";

const scope = workerScope();

scope.onmessage = ({ data }) => scope.postMessage(data, [data.buffer]);
