/**
 * Writing a recording. After each frame the file is whole: whatever ends the process, or fills the disk, costs the
 * frame that was being written.
 *
 * @module
 */
import fs from "node:fs";
import { crc32 } from "node:zlib";
import { EXIT, Failure, systemReason } from "../failure.ts";
import { bytes as inBytes, counted } from "../terminal/units.ts";
import { writeFully } from "./descriptors.ts";
import {
  encodeHeader,
  encodeIndex,
  encodeRecord,
  type IndexEntry,
  recordBytes,
  type RecordingHeader,
  SIZE,
} from "./recording_format.ts";

/** A frame as it is recorded: one that is leased, or a copy. */
export type Recordable = {
  sequence: number;
  frameNumber: number;
  timestampNs: bigint;
  lost: number;
  bytes: Uint8Array;
  metadata: Uint8Array;
};

const PADDING = new Uint8Array(8);

/** One file that is being written. */
export class RecordingWriter {
  readonly path: string;
  readonly #fd: number;
  readonly #entries: IndexEntry[] = [];
  readonly #record = new Uint8Array(SIZE.record);
  #end: number = SIZE.header;

  /** Makes the file. @throws {Failure} when it cannot be made, or when it is there and `overwrite` is false */
  static async create(path: string, header: RecordingHeader, overwrite: boolean): Promise<RecordingWriter> {
    let fd: number;
    try {
      fd = fs.openSync(path, overwrite ? "w" : "wx");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") {
        throw new Failure(`cannot record to ${path}: it exists; --overwrite replaces it`, EXIT.refused);
      }
      throw new Failure(`cannot record to ${path}: ${systemReason(error)}`, EXIT.system);
    }
    try {
      await writeFully(fd, encodeHeader(header), 0);
    } catch (error) {
      const left = abandon(path, fd);
      throw new Failure(
        `cannot record to ${path}: ${reasonOf(error)}; not even its header of ${SIZE.header} B was written, ${left}`,
        EXIT.system,
      );
    }
    return new RecordingWriter(path, fd);
  }

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Frames that the file has. */
  get frames(): number {
    return this.#entries.length;
  }

  /** Bytes that the file has, without its index. */
  get bytes(): number {
    return this.#end;
  }

  /** Adds a frame. @throws {Failure} when the disk is full: the file then ends with the frame before */
  async add({ sequence, frameNumber, timestampNs, lost, bytes, metadata }: Recordable): Promise<void> {
    const offset = this.#end;
    const [frameBytes, metadataBytes] = [bytes.length, metadata.length];
    const checksum = crc32(metadata, crc32(bytes));
    const record = { sequence, frameNumber, timestampNs, frameBytes, metadataBytes, lost, checksum };
    const end = offset + recordBytes(frameBytes, metadataBytes);
    const payloadAt = offset + SIZE.record;
    const paddingAt = payloadAt + frameBytes + metadataBytes;
    await this.#write(encodeRecord(record, this.#record), offset);
    await this.#write(bytes, payloadAt);
    if (metadataBytes > 0) await this.#write(metadata, payloadAt + frameBytes);
    if (end > paddingAt) await this.#write(PADDING.subarray(0, end - paddingAt), paddingAt);
    this.#entries.push({ offset, frameNumber, timestampNs });
    this.#end = end;
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      await writeFully(this.#fd, bytes, position);
    } catch (error) {
      fs.ftruncateSync(this.#fd, this.#end);
      const left = `${counted(this.frames, "frame")} (${inBytes(this.#end)})`;
      throw new Failure(`cannot record to ${this.path}: ${reasonOf(error)}; its ${left} can be read`, EXIT.system);
    }
  }

  /** Writes the index, if there is room for it, and closes the file. Without it the file is searched when opened. */
  async finish(): Promise<void> {
    try {
      await writeFully(this.#fd, encodeIndex(this.#entries, this.#end), this.#end);
    } catch {
      fs.ftruncateSync(this.#fd, this.#end);
    } finally {
      fs.closeSync(this.#fd);
    }
  }
}

/** Why a file takes no more. */
function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC") return "no space left on the device";
  return code === "EFBIG" ? "it has reached the limit of a file's size" : systemReason(error);
}

/** Closes a file without a header, and removes it: the next recording needs no --overwrite. @returns what is left */
function abandon(path: string, fd: number): string {
  const made = fs.fstatSync(fd);
  try {
    if (made.isFile()) fs.ftruncateSync(fd);
    const named = fs.lstatSync(path);
    const isOurs = named.isFile() && named.dev === made.dev && named.ino === made.ino; // neither a link nor a device
    if (!isOurs) return "nothing can be read of it";
    fs.unlinkSync(path);
    return "so it is removed";
  } catch (error) {
    return `and it cannot be removed: ${systemReason(error)}`;
  } finally {
    fs.closeSync(fd);
  }
}
