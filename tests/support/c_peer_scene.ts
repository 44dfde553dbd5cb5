/**
 * Depots that the C peer of tests/c_peer/ shares with TypeScript, for tests.
 *
 * @module
 */
import type { FramesDepot } from "../../mod.ts";
import { possible } from "../c_peer/program.ts";
import { depotTest, skip } from "./harness.ts";

/** The size of a frame. */
export const SIZE = [64, 64, 1] as const;

/** What a follower in C reports. */
export type Following = { read: number; lost: number; torn: number; disorder: number; metadata: number; by: number[] };

/** The first test of a file waits for two compilers, beside whatever else the machine does. */
export const COMPILER_MS = 300_000;

/** A test with the C peer. Where the system can have none it is skipped. */
export function cTest(title: string, body: (name: string) => Promise<void>): void {
  depotTest(title, async (name) => {
    if (!possible) return skip("the C peer is for Linux");
    await body(name);
  }, { watchdogMs: COMPILER_MS });
}

/** Waits. */
export const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The peers that C has in a depot, as TypeScript sees them. */
export const cPeers = (depot: FramesDepot) => depot.stats().peers.filter(({ runtime }) => runtime === "c");
