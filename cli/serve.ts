/**
 * `frames-depot serve`: a page that shows every depot, and the HTTP interface behind it.
 *
 * @module
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { FramesDepot } from "../mod.ts";
import { Interruption } from "./interruption.ts";
import { quality, upTo } from "./parameters.ts";
import type { Options } from "./serve/serving.ts";

/** Where a token may be, so that no other user sees it in the list of processes. */
const TOKEN_VARIABLE = "FRAMES_DEPOT_SERVE_TOKEN";

/** Makes the command. */
export function serveCommand(): Command {
  return new Command("serve")
    .summary("show depots live on a web page")
    .description(
      "Serves a page that shows depots live, pictures of their frames, JSON and metrics.",
    )
    .argument("[names...]", "depots to show, also those that come later (default: all)")
    .option("-p, --port <number>", "port to listen on; 0 takes a free one", port, 8080)
    .option("--host <address>", "address to listen on; one beyond this machine needs the token", "127.0.0.1")
    .option("--allow-host <name>", "another name under which it is reached, as behind a proxy", hostNames, [])
    .addOption(
      new Option("--token <text>", "what clients must know (default beyond this machine: a random one)")
        .env(TOKEN_VARIABLE),
    )
    .addOption(
      new Option("--codec <name>", "how pictures travel to the page").choices(["jpeg", "h264"]).default("jpeg"),
    )
    .option("--quality <1-100>", "quality of JPEGs", quality, 75)
    .option("--rate <number>", "maximum of pictures a second, of each depot in each size", upTo({ most: 240 }), 30)
    .option("--max-clients <number>", "maximum of clients at one time", upTo({ most: 10_000 }), 64)
    .option("--json", "for programs: an object with the address, once it listens")
    .addHelpText(
      "after",
      `
It listens on this machine alone unless --host says otherwise. No producer waits
for it, and depots are joined only while a client looks at them. While one does,
a depot that drops keeps no frames for a first reader.
docs/serve.md has the addresses, and how to run it behind a proxy.

Examples:
  frames-depot serve
  frames-depot serve camera0 camera1 --port 9000
  ${TOKEN_VARIABLE}=... frames-depot serve --host 0.0.0.0`,
    )
    .action(async (names: string[], options: Options) => {
      for (const name of names) FramesDepot.inspect(name); // one that no depot can have is said at once
      using interruption = new Interruption();
      const { serve } = await import("./serve/serving.ts");
      await serve(names, options, interruption);
    });
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError("It must be a port, from 0 to 65535.");
}

function hostNames(name: string, before: string[]): string[] {
  if (/^[a-z0-9._-]+$/i.test(name)) return [...before, name];
  throw new InvalidArgumentError("It must be the name of a host alone, such as cams.example.");
}
