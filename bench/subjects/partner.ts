/**
 * A second process of a measurement, in the same runtime: `main.ts ROLE PARAMETER ...`.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { HERE, RUN } from "../../tools/support/runtimes.ts";
import { assertSame } from "./depot.ts";

/** A started partner. */
export type Partner = {
  /** Whether it has ended already, by itself. */
  readonly gone: boolean;
  /** Waits for its end. @throws {Error} unless it ended well */
  end(): Promise<void>;
};

/** Starts `role` in a process of its own. */
export function startPartner(role: string, ...parameters: string[]): Partner {
  const child: ChildProcess = spawn(process.execPath, [...RUN[HERE], process.argv[1], role, ...parameters], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    get gone() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    async end() {
      assertSame(`the exit code of ${role}`, await code ?? -1, 0);
    },
  };
}
