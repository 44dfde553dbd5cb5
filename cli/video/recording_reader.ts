/**
 * Reading a recording, also one that has no index because its writer was killed.
 *
 * @module
 */
import fs from "node:fs";
import { crc32 } from "node:zlib";
import { EXIT, Failure, systemReason } from "../failure.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import { readFully } from "./descriptors.ts";
import { DamagedFrame, type FrameSource, type NextFrame } from "./frame_source.ts";
import {
  decodeHeader,
  decodeRecord,
  type IndexEntry,
  isPossible,
  RecordingDamage,
  type RecordingHeader,
  SIZE,
} from "./recording_format.ts";
import { type Contents, contentsOf, type Gap } from "./recording_search.ts";
import { Timeline } from "./timeline.ts";

/** Damaged frames that are named one by one. */
const DAMAGE_SAID = 5;

/** What is played of a recording. */
export type Extract = {
  /** The first and the last frame number. */
  from?: number;
  to?: number;
  /** Seconds from the recording's first frame. */
  at?: number;
  /** Starts again at the end, forever; numbers and timestamps go on growing. */
  loop?: boolean;
  /** Ends at a damaged frame instead of leaving it out. */
  strict?: boolean;
};

/** A frame that is played, or a damaged part between frames. */
type Step = IndexEntry & { timeNs: bigint } | DamagedFrame;

/** An open recording. */
export class Recording {
  readonly path: string;
  readonly header: RecordingHeader;
  /** Every whole frame, in the order in which they were recorded. */
  readonly entries: readonly IndexEntry[];
  /** Whether it was completed; otherwise it was cut off, and was searched for its frames. */
  readonly complete: boolean;
  readonly #gaps: readonly Gap[];
  /** Damaged parts that are known, and those of which it was said that they are left out. */
  readonly #damage: Set<string>;
  readonly #said = new Set<string>();
  readonly #fd: number;

  /** Opens a file. @throws {Failure} when it cannot be read, or is no recording */
  static async open(path: string): Promise<Recording> {
    let fd: number;
    try {
      fd = fs.openSync(path, "r");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Failure(`cannot open ${path}: ${systemReason(error)}`, code === "ENOENT" ? EXIT.notFound : EXIT.system);
    }
    try {
      const bytes = new Uint8Array(SIZE.header);
      const header = decodeHeader(bytes.subarray(0, await readFully(fd, bytes, 0)));
      return new Recording(path, fd, header, await contentsOf(fd, header));
    } catch (error) {
      fs.closeSync(fd);
      if (error instanceof RecordingDamage) throw new Failure(`${path}: ${error.message}`, EXIT.failed);
      throw new Failure(`cannot read ${path}: ${systemReason(error)}`, EXIT.system);
    }
  }

  private constructor(path: string, fd: number, header: RecordingHeader, { entries, gaps, complete }: Contents) {
    this.path = path;
    this.#fd = fd;
    this.header = header;
    this.entries = entries;
    this.complete = complete;
    this.#gaps = gaps;
    this.#damage = new Set(gaps.map((gap) => this.#inGap(gap).message));
  }

  /** Damaged parts that were found until now, of a record or more. */
  get damaged(): number {
    return this.#damage.size;
  }

  /** The frames of an extract, as a source. @throws {Failure} when there are none */
  source(extract: Extract): FrameSource {
    const { loop = false, strict = false } = extract;
    const steps = this.#chosen(extract);
    const chosen = steps.flatMap((step) => step instanceof DamagedFrame ? [] : [step]);
    if (chosen.length === 0) throw new Failure(`${this.path} has no such frame; ${this.#says()}`, EXIT.notFound);
    const [first, last] = [chosen[0], chosen.at(-1)!];
    const rounds = { numbers: last.frameNumber - first.frameNumber + 1, ns: spanOf(chosen) };
    const { startedNs: _started, maxSize: _slots, ...shape } = this.header;
    let [n, failed] = [0, 0];
    const leaveOut = (error: DamagedFrame) => {
      failed++;
      this.#leaveOut(error);
    };
    const next = async (): Promise<NextFrame | undefined> => {
      for (;;) {
        const round = Math.floor(n / steps.length);
        if (round > 0 && (!loop || failed >= steps.length)) return undefined;
        const step = steps[n++ % steps.length];
        try {
          if (step instanceof DamagedFrame) throw step;
          const { frame, frameNumber, timestampNs } = await this.#read(step);
          frame.details.frameNumber = frameNumber + round * rounds.numbers;
          frame.details.timestampNs = timestampNs + BigInt(round) * rounds.ns;
          const fill = async (into: Uint8Array) => {
            await frame.fill(into);
            failed = 0;
          };
          return { ...frame, fill };
        } catch (error) {
          if (strict || !(error instanceof DamagedFrame)) throw error;
          leaveOut(error);
        }
      }
    };
    return {
      shape,
      ...(loop ? {} : { total: chosen.length }),
      next,
      leaveOut: strict ? undefined : leaveOut,
      close: () => this.close(),
    };
  }

  /** The frames of an extract, and the damage among them, in the order in which they were recorded. */
  #chosen({ from = -Infinity, to = Infinity, at = 0 }: Extract): Step[] {
    const times = timesOf(this.entries);
    const startNs = BigInt(Math.round(at * 1e9));
    const hasNumber = (frameNumber: number) => frameNumber >= from && frameNumber <= to;
    // At both ends of the file nothing says that damage is outside.
    const isChosen = (i: number) =>
      this.entries[i] === undefined || hasNumber(this.entries[i].frameNumber) && times[i] >= startNs;
    const isMet = ({ after, frameNumber }: Gap) =>
      frameNumber === undefined
        ? isChosen(after - 1) && isChosen(after)
        : hasNumber(frameNumber) && (times[after] ?? startNs) >= startNs;
    const met = this.#gaps.filter(isMet);
    const steps: Step[] = [];
    let n = 0;
    for (let i = 0; i <= this.entries.length; i++) {
      for (; met[n]?.after === i; n++) steps.push(this.#inGap(met[n]));
      if (i < this.entries.length && isChosen(i)) steps.push({ ...this.entries[i], timeNs: times[i] });
    }
    return steps;
  }

  #leaveOut({ message }: DamagedFrame): void {
    this.#damage.add(message);
    if (this.#said.has(message)) return;
    this.#said.add(message);
    if (this.#said.size <= DAMAGE_SAID) complain(`${paintErrors().yellow("warning:")} ${message}: it is left out\n`);
  }

  #says(): string {
    if (this.entries.length === 0) return `it has no ${this.damaged > 0 ? "whole " : ""}frames`;
    const lengthNs = timesOf(this.entries).at(-1)!;
    const numbers = this.entries.map(({ frameNumber }) => frameNumber);
    const [least, most] = numbers.reduce(([low, high], n) => [Math.min(low, n), Math.max(high, n)], [
      Infinity,
      -Infinity,
    ]);
    const seconds = Number(lengthNs) / 1e9;
    return `its numbers are ${least} to ${most}, its length is ${seconds.toFixed(3)} s`;
  }

  async #read(entry: IndexEntry): Promise<{ frame: NextFrame; frameNumber: number; timestampNs: bigint }> {
    const { offset } = entry;
    const bytes = new Uint8Array(SIZE.record);
    await readFully(this.#fd, bytes, offset);
    const record = decodeRecord(bytes);
    if (record === undefined || !isPossible(record, this.header)) {
      throw this.#damaged(offset, `frame ${entry.frameNumber}`);
    }
    const { frameNumber, timestampNs, frameBytes, metadataBytes, checksum } = record;
    const payloadAt = offset + SIZE.record;
    const metadata = new Uint8Array(metadataBytes);
    await readFully(this.#fd, metadata, payloadAt + frameBytes);
    const fill = async (into: Uint8Array) => {
      const filled = await readFully(this.#fd, into, payloadAt);
      if (filled < into.length || crc32(metadata, crc32(into)) !== checksum) {
        throw this.#damaged(offset, `frame ${frameNumber}`);
      }
    };
    return { frame: { details: { metadata }, byteLength: frameBytes, fill }, frameNumber, timestampNs };
  }

  /** What is said of damage between frames. */
  #inGap({ offset, after, frameNumber }: Gap): DamagedFrame {
    if (frameNumber !== undefined) return this.#damaged(offset, `frame ${frameNumber}`);
    const before = this.entries.at(after - 1);
    const what = after === 0 ? "the first record" : `the record after frame ${before!.frameNumber}`;
    return this.#damaged(offset, what);
  }

  #damaged(offset: number, what: string): DamagedFrame {
    return new DamagedFrame(`${this.path}: ${what} is damaged, at byte ${offset}`, EXIT.failed);
  }

  /** Closes the file. */
  close(): Promise<void> {
    fs.closeSync(this.#fd);
    return Promise.resolve();
  }
}

/**
 * The time of each frame in nanoseconds from the first one, without the steps of a clock.
 *
 * @param onStep told each step, and before which entry
 */
export function timesOf(
  entries: readonly IndexEntry[],
  onStep: (stepNs: bigint, n: number) => void = () => {},
): bigint[] {
  let n = 0;
  const timeline = new Timeline((stepNs, framesAgo) => onStep(stepNs, n - framesAgo));
  return entries.map(({ timestampNs }, i) => timeline.add((n = i, timestampNs)));
}

/** How much the timestamps of a round grow: the last frame lasts as long as frames do on average. */
function spanOf(entries: readonly (IndexEntry & { timeNs: bigint })[]): bigint {
  if (entries.length === 1) return 1_000_000_000n;
  const played = entries.at(-1)!.timeNs - entries[0].timeNs;
  const stamped = entries.at(-1)!.timestampNs - entries[0].timestampNs;
  return (stamped > played ? stamped : played) + played / BigInt(entries.length - 1);
}
