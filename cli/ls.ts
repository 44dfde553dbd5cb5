/**
 * `frames-depot ls`: every depot, at a glance.
 *
 * @module
 */
import { Command } from "commander";
import { FramesDepot } from "../mod.ts";
import { print } from "./terminal/output.ts";

/** Makes the command. */
export function lsCommand(): Command {
  return new Command("ls").description("list every depot").action(() => {
    for (const { name, reason } of FramesDepot.list()) print(`${name} ${reason}\n`);
  });
}
