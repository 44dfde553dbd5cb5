/**
 * A process that does what it is told, as another user: it begins as root, which may read the runtime's files.
 *
 * @module
 */
import process from "node:process";
import { report } from "../../cli/report.ts";
import { buildProgram } from "../../cli/program.ts";
import { DepotError, type DepotOptions, FramesDepot } from "../../mod.ts";
import { taskOf } from "../../tools/support/parent.ts";
import { Actor, type Answer, type Order } from "./actor.ts";
import { obeyLines } from "./orders.ts";

/** What it may be told in addition: what becomes of an attempt, in words, and how it sees a depot. */
export type UserOrder =
  | Order
  | { do: "try"; name: string; to: "create" | "open" | "unlink"; options?: DepotOptions }
  | { do: "look"; name: string }
  | { do: "command"; parameters: string[] }
  | { do: "exit" };

const { user } = taskOf<{ user: number }>();
FramesDepot.list(); // loads the library, while it may
process.setgid!(user);
process.setuid!(user);

async function attempt({ name, to, options }: UserOrder & { do: "try" }): Promise<Answer> {
  try {
    if (to === "unlink") return { answer: FramesDepot.unlink(name) };
    const depot = to === "open" ? await FramesDepot.open(name) : await FramesDepot.create(name, options!);
    await depot.close();
    return { answer: "done" };
  } catch (error) {
    return { answer: error instanceof DepotError ? `${error.code} ${error.message}` : String(error) };
  }
}

/** Runs a command that prints nothing on standard output. @returns its exit code */
async function command(parameters: string[]): Promise<Answer> {
  try {
    await buildProgram().parseAsync(["", "frames-depot", ...parameters]);
    return { answer: process.exitCode ?? 0 };
  } catch (error) {
    return { answer: report(error) };
  }
}

const actor = new Actor();
void obeyLines((order: UserOrder) => {
  if (order.do === "try") return attempt(order);
  if (order.do === "command") return command(order.parameters);
  if (order.do === "look") {
    const { usable, stale, owner } = FramesDepot.inspect(order.name) ?? {};
    return Promise.resolve({ answer: [usable, stale, owner] });
  }
  if (order.do === "exit") process.exit(0);
  return actor.obey(order);
});
