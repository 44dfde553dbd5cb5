/**
 * Reading a recording, also one that has no index because its writer was killed.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { crc32 } from "node:zlib";
import { EXIT, Failure, systemReason } from "../failure.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import { readFully } from "./descriptors.ts";
import { DamagedFrame, type FrameSource, type NextFrame } from "./frame_source.ts";
import {
  decodeFooter,
  decodeHeader,
  decodeIndex,
  decodeRecord,
  type IndexEntry,
  RECORD_MARK,
  recordBytes,
  type RecordHeader,
  RecordingDamage,
  type RecordingHeader,
  SIZE,
} from "./recording_format.ts";
import { Timeline } from "./timeline.ts";

/** How much is looked through at a time. */
const SEARCH_BYTES = 1 << 20;
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

/** An open recording. */
export class Recording {
  readonly path: string;
  readonly header: RecordingHeader;
  /** Every whole frame, in the order in which they were recorded. */
  readonly entries: readonly IndexEntry[];
  /** Whether it was completed; otherwise it was cut off, and was searched for its frames. */
  readonly complete: boolean;
  /** Damaged parts that a search has found. */
  readonly #gaps: number;
  /** Damaged records that were met. */
  readonly #leftOut = new Set<string>();
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
      const index = await readIndex(fd);
      if (index !== undefined) return new Recording(path, fd, header, index, true, 0);
      const { entries, damaged } = await search(fd);
      return new Recording(path, fd, header, entries, false, damaged);
    } catch (error) {
      fs.closeSync(fd);
      if (error instanceof RecordingDamage) throw new Failure(`${path}: ${error.message}`, EXIT.failed);
      throw new Failure(`cannot read ${path}: ${systemReason(error)}`, EXIT.system);
    }
  }

  private constructor(
    path: string,
    fd: number,
    header: RecordingHeader,
    entries: IndexEntry[],
    complete: boolean,
    damaged: number,
  ) {
    this.path = path;
    this.#fd = fd;
    this.header = header;
    this.entries = entries;
    this.complete = complete;
    this.#gaps = damaged;
  }

  /** Damaged parts that were found until now, of a record or more. */
  get damaged(): number {
    return this.#gaps + this.#leftOut.size;
  }

  /** The frames of an extract, as a source. @throws {Failure} when there are none */
  source({ from = -Infinity, to = Infinity, at = 0, loop = false, strict = false }: Extract): FrameSource {
    const times = timesOf(this.entries);
    const startNs = BigInt(Math.round(at * 1e9));
    const chosen = this.entries.flatMap((entry, i) => {
      const { frameNumber } = entry;
      return frameNumber >= from && frameNumber <= to && times[i] >= startNs ? [{ ...entry, timeNs: times[i] }] : [];
    });
    if (chosen.length === 0) throw new Failure(`${this.path} has no such frame; ${this.#says()}`, EXIT.notFound);
    if (strict && this.damaged > 0) throw new Failure(`${this.path}: a record is damaged`, EXIT.failed);
    const [first, last] = [chosen[0], chosen.at(-1)!];
    const rounds = { numbers: last.frameNumber - first.frameNumber + 1, ns: spanOf(chosen) };
    const { startedNs: _started, maxSize: _slots, ...shape } = this.header;
    let [n, failed] = [0, 0];
    const next = async (): Promise<NextFrame | undefined> => {
      for (;;) {
        const round = Math.floor(n / chosen.length);
        if (round > 0 && (!loop || failed >= chosen.length)) return undefined;
        const entry = chosen[n++ % chosen.length];
        try {
          const { frame, frameNumber, timestampNs } = await this.#read(entry);
          frame.details.frameNumber = frameNumber + round * rounds.numbers;
          frame.details.timestampNs = timestampNs + BigInt(round) * rounds.ns;
          failed = 0;
          return frame;
        } catch (error) {
          if (strict || !(error instanceof DamagedFrame)) throw error;
          failed++;
          this.#leaveOut(error);
        }
      }
    };
    return {
      shape,
      ...(loop ? {} : { total: chosen.length }),
      next,
      leaveOut: strict ? undefined : (error) => this.#leaveOut(error),
      close: () => this.close(),
    };
  }

  #leaveOut({ message }: DamagedFrame): void {
    if (this.#leftOut.has(message)) return;
    this.#leftOut.add(message);
    if (this.#leftOut.size <= DAMAGE_SAID) complain(`${paintErrors().yellow("warning:")} ${message}: it is left out\n`);
  }

  #says(): string {
    if (this.entries.length === 0) return "it has no frames";
    const lengthNs = timesOf(this.entries).at(-1)!;
    const numbers = this.entries.map(({ frameNumber }) => frameNumber);
    const [least, most] = numbers.reduce(([low, high], n) => [Math.min(low, n), Math.max(high, n)], [
      Infinity,
      -Infinity,
    ]);
    const seconds = Number(lengthNs) / 1e9;
    return `its numbers are ${least} to ${most}, its length is ${seconds.toFixed(3)} s`;
  }

  async #read({ offset }: IndexEntry): Promise<{ frame: NextFrame; frameNumber: number; timestampNs: bigint }> {
    const bytes = new Uint8Array(SIZE.record);
    await readFully(this.#fd, bytes, offset);
    const record = decodeRecord(bytes);
    if (record === undefined || !this.#fits(record)) throw this.#damaged(offset);
    const { frameNumber, timestampNs, frameBytes, metadataBytes, checksum } = record;
    const payloadAt = offset + SIZE.record;
    const metadata = new Uint8Array(metadataBytes);
    await readFully(this.#fd, metadata, payloadAt + frameBytes);
    const fill = async (into: Uint8Array) => {
      const filled = await readFully(this.#fd, into, payloadAt);
      if (filled < into.length || crc32(metadata, crc32(into)) !== checksum) throw this.#damaged(offset, frameNumber);
    };
    return { frame: { details: { metadata }, byteLength: frameBytes, fill }, frameNumber, timestampNs };
  }

  #fits({ frameBytes }: RecordHeader): boolean {
    const { header } = this;
    return header.variableLength ? frameBytes <= header.frameBytes : frameBytes === header.frameBytes;
  }

  #damaged(offset: number, frameNumber?: number): DamagedFrame {
    const what = frameNumber === undefined ? "a record" : `frame ${frameNumber}`;
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

async function readIndex(fd: number): Promise<IndexEntry[] | undefined> {
  const { size } = fs.fstatSync(fd);
  const end = new Uint8Array(SIZE.footer);
  if (size < SIZE.header + SIZE.footer) return undefined;
  await readFully(fd, end, size - SIZE.footer);
  const footer = decodeFooter(end);
  if (footer === undefined || footer.offset + SIZE.index + footer.count * SIZE.entry + SIZE.footer !== size) {
    return undefined;
  }
  const bytes = new Uint8Array(SIZE.index + footer.count * SIZE.entry);
  await readFully(fd, bytes, footer.offset);
  return decodeIndex(bytes, footer.checksum);
}

/** Goes from record to record; where there is none, on to the next. @returns how many parts are damaged, too */
async function search(fd: number): Promise<{ entries: IndexEntry[]; damaged: number }> {
  const { size } = fs.fstatSync(fd);
  const entries: IndexEntry[] = [];
  let damaged = 0;
  for (let offset: number | undefined = SIZE.header; offset !== undefined && offset + SIZE.record <= size;) {
    const end = await recordAt(fd, offset, size, entries);
    if (end !== undefined) {
      offset = end;
      continue;
    }
    offset = await nextRecord(fd, offset + 8, size);
    if (offset !== undefined) damaged++;
  }
  return { entries, damaged };
}

/** Adds the record at an offset. @returns where it ends; undefined where there is no whole record */
async function recordAt(fd: number, offset: number, size: number, entries: IndexEntry[]): Promise<number | undefined> {
  const bytes = new Uint8Array(SIZE.record);
  await readFully(fd, bytes, offset);
  const record = decodeRecord(bytes);
  if (record === undefined) return undefined;
  const { frameNumber, timestampNs, frameBytes, metadataBytes } = record;
  if (offset + SIZE.record + frameBytes + metadataBytes > size) return undefined;
  entries.push({ offset, frameNumber, timestampNs });
  return offset + recordBytes(frameBytes, metadataBytes);
}

/** The next place with a record, which is whole; records begin at multiples of 8. */
async function nextRecord(fd: number, from: number, size: number): Promise<number | undefined> {
  const chunk = new Uint8Array(SEARCH_BYTES);
  for (let at = from; at < size; at += SEARCH_BYTES - SIZE.record) {
    const found = Buffer.from(chunk.buffer, 0, await readFully(fd, chunk, at));
    for (let i = found.indexOf(RECORD_MARK); i >= 0; i = found.indexOf(RECORD_MARK, i + 1)) {
      if ((at + i) % 8 === 0 && await recordAt(fd, at + i, size, []) !== undefined) return at + i;
    }
  }
  return undefined;
}
