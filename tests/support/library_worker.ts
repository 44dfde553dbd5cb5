/**
 * The worker of `library_peer.ts`.
 *
 * @module
 */
import { workerScope } from "../../tools/support/worker.ts";
import { pass } from "./pass.ts";

const scope = workerScope();
scope.onmessage = async ({ data: name }) => scope.postMessage(await pass(name));
