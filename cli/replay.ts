/**
 * `frames-depot replay`: plays a recording into a depot, at its own pace, faster or slower.
 *
 * @module
 */
import { Command } from "commander";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { seconds } from "./parameters.ts";
import { complain, print, printJson } from "./terminal/output.ts";
import { count, counted, duration, elements, frameLength } from "./terminal/units.ts";
import { addFillOptions, type FillOptions, frameNumber, speed } from "./video/parameters.ts";
import { produce } from "./video/produce.ts";
import { type Extract, Recording, timesOf } from "./video/recording_reader.ts";
import { stepInWords } from "./video/timeline.ts";

type Options = Extract & FillOptions & {
  speed: number | "max";
  info?: boolean;
  json?: boolean;
};

/** Makes the command. */
export function replayCommand(): Command {
  const command = new Command("replay")
    .summary("play a recording into a depot, or show what is in it")
    .description("Plays a recording into a depot: every frame with its number, timestamp and metadata.")
    .argument("<file>", "the recording")
    .argument("[name]", "the depot; it is created, or joined if no other process fills it")
    .option("--info", "show what is in the recording instead of playing it")
    .option("--speed <factor>", "speed of the timestamps: 2 is twice as fast, max does not wait", speed, 1)
    .option("--from <number>", "begin at this frame number", (text) => frameNumber(text))
    .option("--to <number>", "end with this frame number", (text) => frameNumber(text))
    .option("--at <seconds>", "begin this long after the first frame", seconds)
    .option("--strict", "end at a damaged frame instead of leaving it out")
    .option("--loop", "start again at the end, forever; numbers and timestamps go on growing");
  return addFillOptions(command, "as recorded")
    .option("--json", "for programs: an object at the end, or the answer of --info")
    .addHelpText(
      "after",
      `
Examples:
  frames-depot replay out.fdr camera0
  frames-depot replay out.fdr camera0 --speed 0.5 --at 12.5
  frames-depot replay out.fdr --info`,
    )
    .action(async (file: string, name: string | undefined, options: Options) => {
      if (options.info) checkInfo(command, name);
      const recording = await Recording.open(file);
      if (options.info) return inform(recording, options);
      if (name === undefined) {
        throw new Failure(
          "cannot replay: no depot is named; give a name, or --info to see what is in the recording",
          EXIT.usage,
        );
      }
      if (!recording.complete) complain(`${file} was cut off: it is played up to its last whole frame\n`);
      await play(recording, name, options);
    });
}

/** @throws {Failure} for what would be ignored beside --info */
function checkInfo(command: Command, name: string | undefined): void {
  if (name !== undefined) {
    throw new Failure(`--info plays nothing, and depot "${name}" is named: leave one of them out`, EXIT.usage);
  }
  const given = command.options.find((option) => {
    const key = option.attributeName();
    const isGiven = command.getOptionValueSource(key) === "cli" && !["info", "json"].includes(key);
    return isGiven && option.negate === (command.getOptionValue(key) === false);
  });
  if (given === undefined) return;
  throw new Failure(`${given.long} is for playing, and --info plays nothing: leave one of them out`, EXIT.usage);
}

async function play(recording: Recording, name: string, options: Options): Promise<void> {
  using interruption = new Interruption();
  const { linger } = options;
  const source = recording.source(options);
  try {
    await produce(
      name,
      source,
      {
        ...options,
        newMaxSize: recording.header.maxSize,
        speed: options.speed === "max" ? undefined : options.speed,
        linger: linger === false ? 0 : linger ?? Infinity,
        stampNow: options.timestamps === "now",
        label: name,
      },
      interruption,
      (done) => {
        const { path, complete, damaged } = recording;
        if (options.json) printJson({ file: path, ...done, cutOff: !complete, damaged });
        else {print(
            `${name}: ${counted(done.frames, "frame")} in ${duration(done.tookMs)}, ${count(done.dropped)} dropped\n`,
          );}
        if (!options.json && damaged > 0) complain(`${path}: damaged in ${counted(damaged, "place")}\n`);
      },
    );
  } catch (error) {
    // What no option has said, the recording has: it is no fault of the command line.
    const said = options.maxSize ?? options.maxReaders;
    if (!(error instanceof RangeError) || said !== undefined) throw error;
    throw new Failure(`cannot play ${recording.path}: ${error.message}`, EXIT.failed);
  } finally {
    await source.close();
  }
}

async function inform(recording: Recording, { json }: Options): Promise<void> {
  const { header, entries, complete, path } = recording;
  const { startedNs, ...shape } = header;
  const cuts: { frameNumber: number; seconds: number }[] = [];
  const times = timesOf(entries, (stepNs, n) => {
    cuts.push({ frameNumber: entries[n].frameNumber, seconds: Number(stepNs) / 1e9 });
  });
  const info = {
    file: path,
    complete,
    ...(recording.damaged > 0 ? { damaged: recording.damaged } : {}),
    ...(cuts.length > 0 ? { cuts } : {}),
    frames: entries.length,
    firstNumber: entries.at(0)?.frameNumber,
    lastNumber: entries.at(-1)?.frameNumber,
    durationMs: Number(times.at(-1) ?? 0n) / 1e6,
    startedMs: Number(startedNs / 1_000_000n),
    ...shape,
  };
  await recording.close();
  if (json) return printJson(info);
  const numbers = entries.length === 0 ? "" : `, numbered ${info.firstNumber} to ${info.lastNumber}`;
  print(`${path}: ${counted(info.frames, "frame")}${numbers}, ${duration(info.durationMs)}\n`);
  print(`  ${elements(header)}, ${header.pixelFormat || "no label"}, `);
  print(`${frameLength(header)} a frame; begun ${new Date(info.startedMs).toISOString()}\n`);
  if (!complete) print("  cut off: it has no index, and ends with its last whole frame\n");
  if (recording.damaged > 0) print(`  damaged in ${counted(recording.damaged, "place")}: those records are left out\n`);
  for (const { frameNumber, seconds } of cuts) print(`  a cut before frame ${frameNumber}: ${stepOf(seconds)}\n`);
}

function stepOf(seconds: number): string {
  return stepInWords(BigInt(Math.round(seconds * 1e9)));
}
