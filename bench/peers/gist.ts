/**
 * What a program complains of in many lines, in the one that a report has room for.
 *
 * @module
 */
import { homedir } from "node:os";
import { here } from "./programs.ts";

/** The last line that calls itself an error, or the last one; without folders of this machine. */
export function gist(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const line = lines.findLast((line) => /error\b|panicked/i.test(line)) ?? lines.at(-1) ?? "no reason given";
  return line.replaceAll(here("../../"), "").replaceAll(homedir(), "~").slice(0, 200);
}
