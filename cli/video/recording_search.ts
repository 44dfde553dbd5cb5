/**
 * Where the frames of a recording are: by its index, or from record to record where it has none.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { readFully } from "./descriptors.ts";
import {
  decodeFooter,
  decodeIndex,
  decodeRecord,
  type IndexEntry,
  isPossible,
  RECORD_MARK,
  recordBytes,
  type RecordingHeader,
  SIZE,
} from "./recording_format.ts";

/** How much is looked through at a time. */
const SEARCH_BYTES = 1 << 20;

/** A damaged part: one record, or several in a row. */
export type Gap = {
  /** The byte at which a record should begin. */
  offset: number;
  /** The entries before it. */
  after: number;
  /** Its frame's number, where that can be read. */
  frameNumber?: number;
};

/** What is in a recording, in the order in which it was recorded. */
export type Contents = {
  /** Whole frames, as far as is known without reading all of them. */
  entries: IndexEntry[];
  gaps: Gap[];
  /** Whether there is an index. */
  complete: boolean;
};

/** Finds the frames. */
export async function contentsOf(fd: number, header: RecordingHeader): Promise<Contents> {
  const { size } = fs.fstatSync(fd);
  return await readIndex(fd, size) ?? await search(fd, header, size);
}

const sane = (frameNumber: number) => Number.isSafeInteger(frameNumber) ? frameNumber : undefined;

async function readIndex(fd: number, size: number): Promise<Contents | undefined> {
  const end = new Uint8Array(SIZE.footer);
  if (size < SIZE.header + SIZE.footer) return undefined;
  await readFully(fd, end, size - SIZE.footer);
  const footer = decodeFooter(end);
  if (footer === undefined || footer.offset + SIZE.index + footer.count * SIZE.entry + SIZE.footer !== size) {
    return undefined;
  }
  const bytes = new Uint8Array(SIZE.index + footer.count * SIZE.entry);
  await readFully(fd, bytes, footer.offset);
  const index = decodeIndex(bytes, footer.checksum);
  if (index === undefined) return undefined;
  const entries: IndexEntry[] = [];
  const gaps: Gap[] = [];
  for (const entry of index) {
    const { offset, frameNumber } = entry;
    const isPlace = Number.isSafeInteger(offset) && offset >= SIZE.header && offset + SIZE.record <= footer.offset;
    if (isPlace && Number.isSafeInteger(frameNumber)) entries.push(entry);
    else gaps.push({ offset, after: entries.length, frameNumber: sane(frameNumber) });
  }
  return { entries, gaps, complete: true };
}

/** Goes from record to record; where there is none, on to the next. */
async function search(fd: number, header: RecordingHeader, size: number): Promise<Contents> {
  const entries: IndexEntry[] = [];
  const gaps: Gap[] = [];
  for (let offset: number | undefined = SIZE.header; offset !== undefined && offset + SIZE.record <= size;) {
    const found = await recordAt(fd, offset, header, size);
    if (found !== undefined && "entry" in found) {
      entries.push(found.entry);
      offset = found.end;
      continue;
    }
    const next: number | undefined = found?.end ?? await nextRecord(fd, offset + 8, header, size);
    // Where no record follows, it is what a writer had begun, or the index.
    if (found !== undefined || next !== undefined) {
      gaps.push({ offset, after: entries.length, frameNumber: found?.frameNumber });
    }
    offset = next;
  }
  return { entries, gaps, complete: false };
}

/** A whole record and where it ends; or one that cannot be right, whose end may not be known either. */
type Found = { entry: IndexEntry; end: number } | { frameNumber: number | undefined; end: number | undefined };

/** The record at an offset; undefined where there is none, or the file ends in the middle of it. */
async function recordAt(
  fd: number,
  offset: number,
  header: RecordingHeader,
  size: number,
): Promise<Found | undefined> {
  const bytes = new Uint8Array(SIZE.record);
  await readFully(fd, bytes, offset);
  const record = decodeRecord(bytes);
  if (record === undefined) return undefined;
  const { frameNumber, timestampNs, frameBytes, metadataBytes } = record;
  const isWhole = offset + SIZE.record + frameBytes + metadataBytes <= size;
  const end = offset + recordBytes(frameBytes, metadataBytes);
  if (isPossible(record, header)) return isWhole ? { entry: { offset, frameNumber, timestampNs }, end } : undefined;
  // Its lengths are believed only where a frame can have them.
  const hasEnd = isWhole && isPossible({ ...record, frameNumber: 0 }, header);
  return { frameNumber: sane(frameNumber), end: hasEnd ? end : undefined };
}

/** The next place with a record, which is whole; records begin at multiples of 8. */
async function nextRecord(
  fd: number,
  from: number,
  header: RecordingHeader,
  size: number,
): Promise<number | undefined> {
  const chunk = new Uint8Array(SEARCH_BYTES);
  for (let at = from; at < size; at += SEARCH_BYTES - SIZE.record) {
    const found = Buffer.from(chunk.buffer, 0, await readFully(fd, chunk, at));
    for (let i = found.indexOf(RECORD_MARK); i >= 0; i = found.indexOf(RECORD_MARK, i + 1)) {
      if ((at + i) % 8 !== 0) continue;
      const record = await recordAt(fd, at + i, header, size);
      if (record !== undefined && "entry" in record) return at + i;
    }
  }
  return undefined;
}
