/**
 * Whether other processes still have a depot open.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot, type PeerStats } from "../../mod.ts";

/** Whether a peer is this process. */
export const isSelf = ({ pid, here }: PeerStats): boolean => pid === process.pid && here !== false;

/** Whether this process is the only one left in the depot of this id. It leaves such a depot: its name becomes free. */
export function isAlone(name: string, id: string): boolean {
  const info = FramesDepot.inspect(name);
  if (info?.id !== id || info.stats === undefined) return false;
  return info.stats.peers.filter(({ alive }) => alive).every(isSelf);
}
