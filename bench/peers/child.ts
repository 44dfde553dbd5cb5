/**
 * A process of a peer: what it complained of is part of its error.
 *
 * @module
 */
import { Child as Process } from "../../tools/support/child.ts";

/** Something else has arrived than was written: no figure of that run is worth anything. */
export class WrongChecksum extends Error {}

/** What counts of the complaints. */
const COMPLAINTS = 2000;

/** Started by its constructor. */
export class Child extends Process {
  /** When it has ended well; rejected otherwise. */
  readonly success: Promise<void>;
  /** Why it failed, if it has. */
  fault?: Error;

  constructor(command: readonly string[], env: Record<string, string> = {}) {
    super(command, { env });
    this.success = this.ending.then(({ code, signal }) => {
      if (code === 0) return;
      const complaints = this.errors.slice(-COMPLAINTS);
      const Fault = complaints.includes("wrong checksum") ? WrongChecksum : Error;
      throw this.fault = new Fault(`ended with ${signal ?? code ?? "an error"}: ${complaints.trim()}`);
    });
    this.success.catch(() => {});
  }

  override async line<T>(): Promise<T> {
    const line = await this.next<T>();
    if (line !== undefined) return line;
    await this.success;
    throw new Error("ended without an answer");
  }

  /** Never settles unless it fails: to be raced against what is waited for. */
  async failure(): Promise<never> {
    await this.success;
    return await new Promise<never>(() => {});
  }
}
