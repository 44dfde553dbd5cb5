/**
 * The command line as a whole: every command, what they share, and the help.
 *
 * @module
 */
import { Command } from "commander";
import config from "../deno.json" with { type: "json" };
import { benchCommand } from "./bench.ts";
import { addCompletions } from "./completions.ts";
import { doctorCommand } from "./doctor.ts";
import { grabCommand } from "./grab.ts";
import { lsCommand } from "./ls.ts";
import { readCommand } from "./read.ts";
import { recordCommand } from "./record.ts";
import { relayCommand } from "./relay.ts";
import { replayCommand } from "./replay.ts";
import { rmCommand } from "./rm.ts";
import { serveCommand } from "./serve.ts";
import { statCommand } from "./stat.ts";
import { paintErrors, paintOutput, print } from "./terminal/output.ts";
import { topCommand } from "./top.ts";
import { watchCommand } from "./watch.ts";
import { writeCommand } from "./write.ts";

const GROUPS: [title: string, commands: Command[]][] = [
  ["Look:", [lsCommand(), statCommand(), topCommand(), watchCommand(), serveCommand()]],
  ["Video:", [writeCommand(), readCommand(), grabCommand(), recordCommand(), replayCommand()]],
  ["Other machines:", [relayCommand()]],
  ["Check and fix:", [doctorCommand(), benchCommand(), rmCommand()]],
];

/** Builds the program; parsing it runs a command. It throws instead of ending the process. */
export function buildProgram(): Command {
  const program = new Command("frames-depot")
    .description("Shows, fills and follows depots of video frames in shared memory.")
    .version(config.version, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .showHelpAfterError("(--help shows the usage)")
    .configureHelp({ styleTitle: (title) => paintOutput().bold(title) })
    .configureOutput({ writeOut: print, outputError: (text, write) => write(paintErrors().red(text)) })
    .addHelpText(
      "after",
      `
Exit codes: 0 done, 1 failed or found something wrong, 2 wrong usage,
3 not found, 4 refused by the depot's state, 5 refused by the system,
129, 130 and 143 ended by a signal.

Examples:
  frames-depot ls
  frames-depot watch camera0 --timeout 10`,
    );
  for (const [title, commands] of GROUPS) {
    for (const command of commands) program.addCommand(command.helpGroup(title).copyInheritedSettings(program));
  }
  program.addCommand(helpCommand(program).copyInheritedSettings(program));
  addCompletions(program);
  return endsByThrowing(program);
}

/** Commander's own help command prints the whole help for an unknown name, and suggests no similar one. */
function helpCommand(program: Command): Command {
  return new Command("help").summary("show the help of a command").argument("[command]").helpOption(false)
    .action(async (name?: string) => {
      if (name === undefined) return program.outputHelp();
      const command = program.commands.find((command) => command.name() === name);
      if (command !== undefined) command.outputHelp();
      else await program.parseAsync([name], { from: "user" });
    });
}

function endsByThrowing(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) endsByThrowing(child);
  return command;
}
