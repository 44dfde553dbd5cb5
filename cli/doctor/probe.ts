/**
 * Does what every depot does, in place of guessing from versions: a segment is made, locked, named, filled, followed
 * and removed.
 *
 * @module
 */
import process from "node:process";
import { DepotError, FramesDepot } from "../../mod.ts";
import { systemReason } from "../failure.ts";
import type { Finding } from "./finding.ts";

const TOLD = 42;

async function useOne(name: string): Promise<string | undefined> {
  await using made = await FramesDepot.create(name, { frameSize: [16, 16, 1], maxSize: 2 });
  await using opened = await FramesDepot.open(name);
  const reader = opened.frames({ from: "oldest", timeoutMs: 5000 });
  const coming = reader.next();
  await made.enqueue({ frame: new Uint8Array(made.frameBytes).fill(TOLD) });
  const { value } = await coming;
  const seen = value?.data[0];
  reader.release();
  return seen === TOLD ? undefined : `a frame of ${TOLD}s was read as ${seen}`;
}

function failed(error: unknown): Finding {
  const says = error instanceof DepotError ? `${error.code}: ${error.message}` : systemReason(error);
  // What the library refuses, it explains.
  const remedy = error instanceof DepotError && error.code === "NO_SPACE"
    ? "see what is said of limits below"
    : "this is what every `create` meets; what has to be changed is said above";
  return { id: "probe-failed", check: "a new depot", verdict: "wrong", says, remedy };
}

/** Makes a depot of 256 bytes a frame, uses and removes it. */
export async function probe(): Promise<Finding> {
  const name = `doctor-${process.pid}-${Math.trunc(Math.random() * 2 ** 32)}`;
  let torn: string | undefined;
  try {
    torn = await useOne(name);
  } catch (error) {
    return failed(error);
  } finally {
    try {
      FramesDepot.unlink(name, { onlyStale: true });
    } catch {
      // Why it cannot be had has been found.
    }
  }
  if (torn !== undefined) {
    const remedy = "this is a fault of the library or of the machine: please report it";
    return { id: "probe-failed", check: "a new depot", verdict: "wrong", says: torn, remedy };
  }
  return {
    id: "probe",
    check: "a new depot",
    verdict: "ok",
    says: "made, named, locked, filled, followed and removed",
  };
}
