/**
 * The command line as a whole: every command, what they share, and the help.
 *
 * @module
 */
import { Command } from "commander";
import config from "../deno.json" with { type: "json" };
import { doctorCommand } from "./doctor.ts";
import { lsCommand } from "./ls.ts";
import { rmCommand } from "./rm.ts";
import { statCommand } from "./stat.ts";
import { topCommand } from "./top.ts";
import { watchCommand } from "./watch.ts";
import { paintErrors, paintOutput } from "./terminal/output.ts";

/** Builds the program; parsing it runs a command. It throws instead of ending the process. */
export function buildProgram(): Command {
  const program = new Command("frames-depot")
    .description("Looks at, fills and follows video frames in shared memory.")
    .version(config.version, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .showHelpAfterError("(--help shows how it is used)")
    .configureHelp({ showGlobalOptions: false, styleTitle: (title) => paintOutput().bold(title) })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, paintErrors().red("error:"))) });
  for (const command of [lsCommand(), statCommand(), topCommand(), watchCommand(), doctorCommand(), rmCommand()]) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  return overrideExit(program);
}

function overrideExit(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
  return command;
}
