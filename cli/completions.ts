/**
 * `frames-depot completions`: what a shell offers at a press of Tab, including depot names.
 *
 * @module
 */
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { DepotError, FramesDepot } from "../mod.ts";
import { COMPLETION_SCRIPTS } from "./completion_scripts.ts";
import { print } from "./terminal/output.ts";
import { stateOf } from "./sight.ts";
import { size } from "./terminal/units.ts";

/** What commands call an argument that is a depot. */
const DEPOT_ARGUMENTS = ["name", "names"];

/** Adds the command that prints a shell's script, and the hidden one that the script runs. All others must be there. */
export function addCompletions(program: Command): void {
  const completions = tab(program, { completionCommandName: "completions" });
  for (const command of completions.commands.values()) {
    for (const name of DEPOT_ARGUMENTS) {
      const argument = command.arguments.get(name);
      if (argument !== undefined) argument.handler = offerDepots;
    }
  }
  program.commands.find((command) => command.name() === "completions")!
    .summary("print a shell's completion script")
    .description("Prints the script that completes commands, options, depots and files in a shell.")
    .action((shell: string) => {
      const script = COMPLETION_SCRIPTS[shell];
      if (script !== undefined) print(script);
      else completions.setup(program.name(), program.name(), shell);
    })
    .addHelpText(
      "after",
      `
Examples:
  source <(frames-depot completions bash)    # in ~/.bashrc
  source <(frames-depot completions zsh)     # in ~/.zshrc, after compinit
  frames-depot completions fish > ~/.config/fish/completions/frames-depot.fish`,
    );
}

function offerDepots(complete: (value: string, description: string) => void): void {
  try {
    for (const info of FramesDepot.list()) complete(info.name, `${stateOf(info)} ${size(info.frameSize)}`);
  } catch (error) {
    if (!(error instanceof DepotError)) throw error; // an error would be printed into the line that is being typed
  }
}
