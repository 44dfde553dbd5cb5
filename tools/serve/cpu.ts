/**
 * What processes and their children have computed: on a busy machine the one figure that stays.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** Milliseconds in the unit of the kernel's table. */
const TICK_MS = 10;

type Row = { pid: number; parent: number; ms: number };

/** Every process; none where the system has no `/proc`. */
function rows(): Row[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // from the third on
      return [{
        pid: Number(name),
        parent: Number(fields[1]),
        ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
      }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** The milliseconds that each child of this process and its descendants have computed, by the child's pid. */
export function computedMs(): Map<number, number> {
  const all = rows();
  const sum = (root: Row): number => {
    return all.filter(({ parent }) => parent === root.pid).reduce((total, child) => total + sum(child), root.ms);
  };
  return new Map(all.filter(({ parent }) => parent === process.pid).map((child) => [child.pid, sum(child)]));
}
