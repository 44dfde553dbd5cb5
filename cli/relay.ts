/**
 * `frames-depot relay`: a depot's frames to other machines, through a NATS server.
 *
 * @module
 */
import { Command, InvalidArgumentError, Option } from "commander";
import process from "node:process";
import type { ReadMode, WhenFull } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { positiveInteger, seconds } from "./parameters.ts";
import { type Address, parseAddress } from "./relay/address.ts";
import type { ConnectOptions } from "./relay/connection.ts";
import { receiveFrom } from "./relay/far.ts";
import { isFarName } from "./relay/messages.ts";
import { receivedInWords } from "./relay/received.ts";
import { sendTo, sentInWords } from "./relay/source.ts";
import { type Codec, CODECS } from "./relay/codecs.ts";
import { report } from "./report.ts";
import { complain, printJson } from "./terminal/output.ts";

type Options = ConnectOptions & {
  to?: string;
  from?: string;
  mode?: ReadMode;
  codec?: Codec;
  quality?: number;
  patience?: number;
  maxSize?: number;
  whenFull?: WhenFull;
  maxReaders?: number;
  replace?: boolean;
  id?: string;
  once?: boolean;
  json?: boolean;
};

/** Options of one side alone. */
const SENDS = { mode: "--mode", codec: "--codec", quality: "--quality", patience: "--patience" } as const;
const RECEIVES = {
  ...{ maxSize: "--max-size", whenFull: "--when-full", maxReaders: "--max-readers" },
  ...{ replace: "--replace", id: "--id" },
} as const;

/** Makes the command. */
export function relayCommand(): Command {
  return new Command("relay")
    .summary("carry a depot to other machines through a NATS server")
    .description("Sends a depot's frames to a NATS server, or fills a depot with those that come from there.")
    .argument("<name>", "the depot: the source with --to, the one that is filled with --from")
    .option("--to <url>", "send the depot's frames, as nats://host/subject")
    .option("--from <url>", "receive frames into the depot")
    .addOption(
      new Option("--mode <mode>", "--to: lossless holds producers back, lossy may miss frames, latest takes the newest")
        .choices(["lossy", "lossless", "latest"]),
    )
    .addOption(new Option("--codec <codec>", "--to: how frames travel (default: jpeg; lossless: raw)").choices(CODECS))
    .option("--quality <1-100>", "--to: quality of JPEG and H.264 (default: 80)", quality)
    .option("--patience <seconds>", "--to, lossless: give up a relay that is silent for this long", seconds)
    .option("--max-size <frames>", "--from: slots of the depot (default: those of the source)", positiveInteger)
    .addOption(
      new Option("--when-full <policy>", "--from: what a full queue does (default: overwrite; lossless: wait)")
        .choices(["wait", "drop", "overwrite"]),
    )
    .option("--max-readers <number>", "--from: readers that the depot has room for (default: 31)", positiveInteger)
    .option("--replace", "--from: take the name even from a depot that another process fills")
    .option("--id <name>", "--from: what names this relay after a restart (default: host and depot)")
    .option("--once", "end when the depot was ended and all of it has arrived")
    .option("--context <name>", "server and credentials from a context of the nats command line")
    .option("--creds <file>", "credentials file")
    .option("--nkey <file>", "file with an nkey seed")
    .option("--tls-ca <file>", "certificate of the authority that signed the server's")
    .option("--tls-cert <file>", "certificate of this client")
    .option("--tls-key <file>", "key of that certificate")
    .option("--timeout <seconds>", "how long to wait for the server at the start", seconds)
    .option("--json", "for programs: an object at the end")
    .addHelpText(
      "after",
      `
The far depot is made when the source is first heard of, and ends when it ends.
Passwords are better in NATS_PASSWORD, NATS_TOKEN, files or a context than in a
command line, which other users of the machine can see.

Examples:
  frames-depot relay camera0 --to nats://hub/cameras.front
  frames-depot relay camera0 --from nats://hub/cameras.front  # elsewhere
  frames-depot relay scans --to nats://hub/scans --mode lossless`,
    )
    .action(async (name: string, options: Options) => {
      try {
        using interruption = new Interruption();
        await relay(name, options, interruption);
      } catch (error) {
        process.exitCode = report(error);
      }
      // Under TLS the client leaves a socket open in Node, which would keep the process alive.
      await Promise.all([process.stdout, process.stderr].map(written));
      process.exit();
    });
}

/** Waits until a stream has passed on what was written to it. */
const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write("", () => resolve()));

async function relay(name: string, options: Options, interruption: Interruption): Promise<void> {
  const { to, from, json, mode = "lossy" } = options;
  if ((to === undefined) === (from === undefined)) {
    throw new Failure("relay needs one of --to, beside the source, and --from, on the far side", EXIT.usage);
  }
  refuseOthers(options, to === undefined ? SENDS : RECEIVES, to === undefined ? "--to" : "--from");
  const tell = <D>(inWords: (done: D) => string) => (done: D) => {
    if (json) printJson(done);
    else if (process.stderr.isTTY) complain(`${inWords(done)}\n`);
  };
  if (options.id !== undefined && !isFarName(options.id)) {
    throw new Failure("--id must have 1 to 200 characters, all of them printable", EXIT.usage);
  }
  if (from !== undefined) {
    return await receiveFrom(name, addressOf("--from", from), options, interruption, tell(receivedInWords));
  }
  if (options.patience !== undefined && mode !== "lossless") {
    throw new Failure("--patience is for --mode lossless: the other modes wait for no relay", EXIT.usage);
  }
  const { codec = mode === "lossless" ? "raw" as const : "jpeg" as const, quality = 80 } = options;
  const sending = { ...options, mode, codec, quality };
  await sendTo(name, addressOf("--to", to!), sending, interruption, tell(sentInWords));
}

function refuseOthers(options: Options, others: Partial<Record<keyof Options, string>>, side: string): void {
  for (const [key, option] of Object.entries(others)) {
    if (options[key as keyof Options] === undefined) continue;
    throw new Failure(`${option} is for the relay with ${side}: give it there`, EXIT.usage);
  }
}

function addressOf(option: string, text: string): Address {
  const address = parseAddress(text);
  if ("refused" in address) throw new Failure(`${option}: ${address.refused}`, EXIT.usage);
  return address;
}

function quality(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 100)) throw new InvalidArgumentError("It must be a number from 1 to 100.");
  return value;
}
