/**
 * A process that loads the C library or says why it cannot.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Peer, type PeerOptions, type Runtime } from "./harness.ts";

/** What that process says. */
export type Answer = { values?: number[]; listed?: boolean; kind?: string; message?: string; code?: string };

/** What a process says that makes a depot, and how it ends. */
export async function load(name: string, runtime: Runtime, options: PeerOptions): Promise<Answer & { errors: string }> {
  await using peer = new Peer(runtime, "load_peer.ts", { name }, options);
  const answer = await peer.line<Answer>();
  assertEquals(await peer.exit(), 0, peer.errors);
  return { ...answer, errors: peer.errors };
}
