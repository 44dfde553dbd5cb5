/**
 * The participants that need no installation: ours in every pairing of runtimes, and what the runtimes bring.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { between, module, PROGRAM_RUNTIMES, type Runtime } from "./programs.ts";
import type { Peer } from "./run.ts";

/** The series of our own rows. */
export const OURS = "Frames Depot";
/** That of the same steps without a runtime. */
export const FLOOR = "C";

/** What our row is called. */
export function nameOf(sender: Runtime, receiver = sender): string {
  return `${OURS}, ${sender} to ${receiver}`;
}

/** What our row is called where the receiving thread blocks, as that of most peers does. */
export function blockingNameOf(runtime: Runtime): string {
  return `${nameOf(runtime)}, blocking`;
}

/** Ours, from one runtime to another. */
export function depot(sender: Runtime, receiver = sender): Peer {
  const what = nameOf(sender, receiver);
  return { what, series: OURS, note: "no copy", ...between("frames_depot.ts", sender, receiver) };
}

/** Ours, with a receiving thread that blocks. */
export function blockingDepot(runtime: Runtime): Peer {
  return {
    what: blockingNameOf(runtime),
    series: OURS,
    note: "no copy",
    receive: module(runtime, "frames_depot.ts", "blocking", "receive"),
    send: module(runtime, "frames_depot.ts", "send"),
  };
}

function makePipe({ folder }: { folder: string }): void {
  const { status } = spawnSync("mkfifo", [`${folder}/pipe`]);
  if (status !== 0) throw new Error("mkfifo failed");
}

/** Ours. */
export const depots = (): Peer[] => [
  depot("Deno"),
  depot("Bun"),
  depot("Node"),
  depot("Deno", "Bun"),
  blockingDepot("Deno"),
  blockingDepot("Bun"),
  blockingDepot("Node"),
];

/** What one runtime brings. */
export function broughtBy(runtime: Runtime): Peer[] {
  const against = nameOf(runtime);
  return [
    {
      what: `pipe, ${runtime}`,
      series: "pipe, socket",
      note: "2 copies: into the kernel, out of it",
      against: blockingNameOf(runtime),
      prepare: makePipe,
      ...between("pipe.ts", runtime),
    },
    {
      what: `Unix socket, ${runtime}`,
      series: "pipe, socket",
      note: runtime === "Deno"
        ? "2 copies: into the kernel, out of it"
        : "3 copies: into the kernel, out of it, chunks into a frame",
      against,
      ...between(`unix_socket_${runtime.toLowerCase()}.ts`, runtime),
    },
    {
      what: `postMessage, ${runtime}`,
      series: "postMessage",
      note: "2 copies: into the message, out of it; threads of one process",
      against,
      receive: module(runtime, "post_message.ts", "copy"),
    },
    {
      what: `postMessage, transferred, ${runtime}`,
      series: "postMessage",
      note: "no copy; one receiver, threads of one process",
      against,
      receive: module(runtime, "post_message.ts", "transfer"),
    },
  ];
}

/** What the runtimes bring. */
export const builtIn = (): Peer[] => PROGRAM_RUNTIMES.flatMap(broughtBy);
