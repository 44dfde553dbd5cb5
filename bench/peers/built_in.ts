/**
 * Who takes part without an installation: ours in every pairing of runtimes, and what the runtimes bring.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { bunPath, denoPath } from "../../tools/runtimes.ts";
import { fromFileUrl } from "../../tests/support/paths.ts";
import type { Command, Peer } from "./run.ts";

/** The series of our own rows. */
export const OURS = "Frames Depot";

type Runtime = "Deno" | "Bun";
const EXECUTABLES: Record<Runtime, string> = { Deno: denoPath(), Bun: bunPath() };

/** The path of a file of this folder. */
export function here(file: string): string {
  return fromFileUrl(new URL(file, import.meta.url));
}

/** How a module of this folder is started. */
export function module(runtime: Runtime, file: string, ...parameters: string[]): Command {
  const flags = runtime === "Deno" ? ["run", "-A", "--quiet", "--no-check"] : ["run"];
  return [EXECUTABLES[runtime], ...flags, here(file), ...parameters];
}

function between(file: string, sender: Runtime, receiver = sender): Pick<Peer, "receive" | "send"> {
  return { receive: module(receiver, file, "receive"), send: module(sender, file, "send") };
}

function ours(sender: Runtime, receiver: Runtime): Peer {
  const what = `Frames Depot, ${sender} to ${receiver}`;
  return { what, series: OURS, note: "no copy", ...between("frames_depot.ts", sender, receiver) };
}

function makePipe({ folder }: { folder: string }): void {
  const { status } = spawnSync("mkfifo", [`${folder}/pipe`]);
  if (status !== 0) throw new Error("mkfifo failed");
}

/** Ours. */
export const DEPOTS: Peer[] = [ours("Deno", "Deno"), ours("Bun", "Bun"), ours("Deno", "Bun")];

/** The others. */
export const BUILT_IN: Peer[] = (["Deno", "Bun"] as const).flatMap((runtime) => [
  {
    what: `pipe, ${runtime}`,
    series: "pipe",
    note: "2 copies: into the kernel, out of it",
    prepare: makePipe,
    ...between("pipe.ts", runtime),
  },
  {
    what: `Unix socket, ${runtime}`,
    series: "Unix socket",
    note: "3 copies: into the kernel, out of it, chunks into a frame",
    ...between("unix_socket.ts", runtime),
  },
  {
    what: `postMessage, ${runtime}`,
    series: "postMessage",
    note: "2 copies: into the message, out of it; threads of one process",
    receive: module(runtime, "post_message.ts", "copy"),
  },
  {
    what: `postMessage, transferred, ${runtime}`,
    series: "postMessage",
    note: "no copy; one receiver, threads of one process",
    receive: module(runtime, "post_message.ts", "transfer"),
  },
]);
