/**
 * Reading a recording, also one that has no index because its writer was killed.
 *
 * @module
 */
import fs from "node:fs";
import { crc32 } from "node:zlib";
import { EXIT, Failure, systemReason } from "../failure.ts";
import { readFully } from "./descriptors.ts";
import type { FrameSource, NextFrame } from "./frame_source.ts";
import {
  decodeFooter,
  decodeHeader,
  decodeIndex,
  decodeRecord,
  type IndexEntry,
  recordBytes,
  type RecordHeader,
  RecordingDamage,
  type RecordingHeader,
  SIZE,
} from "./recording_format.ts";

/** What is played of a recording. */
export type Extract = {
  /** The first and the last frame number. */
  from?: number;
  to?: number;
  /** Seconds from the recording's first frame. */
  at?: number;
  /** Starts again at the end, forever; numbers and timestamps go on growing. */
  loop?: boolean;
};

/** An open recording. */
export class Recording {
  readonly path: string;
  readonly header: RecordingHeader;
  /** Every whole frame, in the order in which they were recorded. */
  readonly entries: readonly IndexEntry[];
  /** Whether it was completed; otherwise it was searched for its frames. */
  readonly complete: boolean;
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
      return new Recording(path, fd, header, index ?? await search(fd), index !== undefined);
    } catch (error) {
      fs.closeSync(fd);
      if (error instanceof RecordingDamage) throw new Failure(`${path}: ${error.message}`, EXIT.failed);
      throw new Failure(`cannot read ${path}: ${systemReason(error)}`, EXIT.system);
    }
  }

  private constructor(path: string, fd: number, header: RecordingHeader, entries: IndexEntry[], complete: boolean) {
    this.path = path;
    this.#fd = fd;
    this.header = header;
    this.entries = entries;
    this.complete = complete;
  }

  /** The frames of an extract, as a source. @throws {Failure} when there are none */
  source({ from = -Infinity, to = Infinity, at = 0, loop = false }: Extract): FrameSource {
    const firstNs = this.entries[0]?.timestampNs ?? 0n;
    const startNs = firstNs + BigInt(Math.round(at * 1e9));
    const chosen = this.entries.filter(({ frameNumber, timestampNs }) =>
      frameNumber >= from && frameNumber <= to && (at === 0 || timestampNs >= startNs)
    );
    if (chosen.length === 0) throw new Failure(`${this.path} has no such frame; ${this.#says()}`, EXIT.notFound);
    const [first, last] = [chosen[0], chosen.at(-1)!];
    const rounds = { numbers: last.frameNumber - first.frameNumber + 1, ns: spanOf(chosen) };
    const { startedNs: _started, maxSize: _slots, ...shape } = this.header;
    let n = 0;
    return {
      shape,
      ...(loop ? {} : { total: chosen.length }),
      next: async () => {
        const round = Math.floor(n / chosen.length);
        if (round > 0 && !loop) return undefined;
        const { frame, frameNumber, timestampNs } = await this.#read(chosen[n++ % chosen.length]);
        frame.details.frameNumber = frameNumber + round * rounds.numbers;
        frame.details.timestampNs = timestampNs + BigInt(round) * rounds.ns;
        return frame;
      },
      close: () => this.close(),
    };
  }

  #says(): string {
    if (this.entries.length === 0) return "it has no frames";
    const numbers = this.entries.map(({ frameNumber }) => frameNumber);
    const [least, most] = numbers.reduce(([low, high], n) => [Math.min(low, n), Math.max(high, n)], [
      Infinity,
      -Infinity,
    ]);
    const seconds = Number(this.entries.at(-1)!.timestampNs - this.entries[0].timestampNs) / 1e9;
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

  #damaged(offset: number, frameNumber?: number): Failure {
    const what = frameNumber === undefined ? "a record" : `frame ${frameNumber}`;
    return new Failure(`${this.path}: ${what} is damaged, at byte ${offset}`, EXIT.failed);
  }

  /** Closes the file. */
  close(): Promise<void> {
    fs.closeSync(this.#fd);
    return Promise.resolve();
  }
}

/** How long the frames last: the last one as long as they do on average. */
function spanOf(entries: readonly IndexEntry[]): bigint {
  const span = entries.at(-1)!.timestampNs - entries[0].timestampNs;
  return entries.length === 1 ? 1_000_000_000n : span + span / BigInt(entries.length - 1);
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

/** Goes from record to record up to the first that is not whole. */
async function search(fd: number): Promise<IndexEntry[]> {
  const { size } = fs.fstatSync(fd);
  const entries: IndexEntry[] = [];
  const bytes = new Uint8Array(SIZE.record);
  for (let offset: number = SIZE.header; offset + SIZE.record <= size;) {
    await readFully(fd, bytes, offset);
    const record = decodeRecord(bytes);
    if (record === undefined) break;
    const end = offset + recordBytes(record.frameBytes, record.metadataBytes);
    if (offset + SIZE.record + record.frameBytes + record.metadataBytes > size) break;
    entries.push({ offset, frameNumber: record.frameNumber, timestampNs: record.timestampNs });
    offset = end;
  }
  return entries;
}
