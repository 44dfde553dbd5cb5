/**
 * The part of the header that never changes: written by the creator, checked by every process that opens the segment.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import type { Color } from "./color.ts";
import { ELEMENT_BYTES, type Geometry, layoutOf, LIMITS } from "./geometry.ts";
import {
  BYTE_ORDER,
  ELEMENT_TYPES,
  FIELD_ORDERS,
  HEADER,
  LAST_SEQUENCE,
  LAYOUT_VERSION,
  MAGIC,
  MATRICES,
  PEER,
  PRIMARIES,
  RANGES,
  READER,
  READY,
  TRANSFERS,
  WHEN_FULL,
} from "./layout.ts";

const UNSPECIFIED = "unspecified";

/** What a segment says of itself. The id, 16 hexadecimal digits, is another for each segment of a name. */
export type Header = { readonly geometry: Geometry; readonly id: string };

/** An id that no other segment has. */
export function newId(): string {
  const [id] = crypto.getRandomValues(new BigUint64Array(1));
  return id === 0n ? newId() : hexadecimal(id);
}

const hexadecimal = (id: bigint): string => id.toString(16).padStart(16, "0");

/** Writes all of the header but `ready`. The memory is zeroed. */
export function writeHeader(header: DataView, { geometry, id }: Header, createdNs: bigint): void {
  const layout = layoutOf(geometry);
  const u32 = (offset: number, value: number) => header.setUint32(offset, value, true);
  const u64 = (offset: number, value: number) => header.setBigUint64(offset, BigInt(value), true);
  const ascii = (offset: number, text: string) =>
    [...text].forEach((character, i) => header.setUint8(offset + i, character.charCodeAt(0)));
  ascii(HEADER.magic, MAGIC);
  u32(HEADER.version, LAYOUT_VERSION);
  u32(HEADER.byteOrder, BYTE_ORDER);
  u32(HEADER.headerBytes, HEADER.size);
  u64(HEADER.totalBytes, layout.totalBytes);
  u64(HEADER.peersOffset, layout.peersOffset);
  u64(HEADER.readersOffset, layout.readersOffset);
  u64(HEADER.slotsOffset, layout.slotsOffset);
  u64(HEADER.payloadOffset, layout.payloadOffset);
  u64(HEADER.payloadStride, layout.payloadStride);
  u64(HEADER.frameBytes, geometry.frameBytes);
  u32(HEADER.peerStride, PEER.size);
  u32(HEADER.readerStride, READER.size);
  u32(HEADER.slotStride, layout.slotStride);
  u32(HEADER.maxPeers, layout.maxPeers);
  u32(HEADER.maxReaders, geometry.maxReaders);
  u32(HEADER.pinWords, layout.pinWords);
  u32(HEADER.maxGroups, geometry.maxGroups);
  u32(HEADER.groupStride, layout.groupStride);
  u64(HEADER.groupsOffset, layout.groupsOffset);
  u64(HEADER.takesOffset, layout.takesOffset);
  u32(HEADER.maxSize, geometry.maxSize);
  u32(HEADER.whenFull, WHEN_FULL.indexOf(geometry.whenFull));
  u32(HEADER.width, geometry.width);
  u32(HEADER.height, geometry.height);
  u32(HEADER.channels, geometry.channels);
  u32(HEADER.elementType, ELEMENT_TYPES.indexOf(geometry.elementType));
  u32(HEADER.metadataBytes, geometry.metadataBytes);
  ascii(HEADER.pixelFormat, geometry.pixelFormat);
  u32(HEADER.variableLength, geometry.variableLength ? 1 : 0);
  header.setBigUint64(HEADER.createdNs, createdNs, true);
  u64(HEADER.firstSequence, geometry.firstSequence);
  header.setBigUint64(HEADER.id, BigInt(`0x${id}`), true);
  writeColor(u32, geometry.color);
  const [aspectWidth, aspectHeight] = geometry.sampleAspectRatio ?? [0, 0];
  u32(HEADER.aspectWidth, aspectWidth);
  u32(HEADER.aspectHeight, aspectHeight);
  u32(HEADER.fieldOrder, FIELD_ORDERS.indexOf(geometry.fieldOrder ?? UNSPECIFIED));
  u64(HEADER.head, geometry.firstSequence);
  u64(HEADER.tail, geometry.firstSequence);
  u64(HEADER.cleared, geometry.firstSequence);
}

function writeColor(u32: (offset: number, value: number) => void, { matrix, range, primaries, transfer }: Color): void {
  u32(HEADER.matrix, MATRICES.indexOf(matrix ?? UNSPECIFIED));
  u32(HEADER.range, RANGES.indexOf(range ?? UNSPECIFIED));
  u32(HEADER.primaries, PRIMARIES.indexOf(primaries ?? UNSPECIFIED));
  u32(HEADER.transfer, TRANSFERS.indexOf(transfer ?? UNSPECIFIED));
}

/**
 * Reads a header that may hold anything. It is given a copy of the bytes, so nothing can change between check and use.
 *
 * @param fileBytes the true size of what the header came from
 * @throws {DepotError} INCOMPATIBLE (not a depot, another version or byte order), NOT_READY, CORRUPT
 */
export function readHeader(depot: string, copy: Uint8Array<ArrayBuffer>, fileBytes: number): Header {
  const header = new UntrustedHeader(depot, copy);
  header.checkKind();
  const geometry = header.geometry();
  header.checkLayout(geometry, fileBytes);
  return { geometry, id: header.id() };
}

/** Whether bytes begin as a depot does, of whatever version, or nothing has been written yet. */
export function isBeginning(bytes: Uint8Array): boolean {
  return [...MAGIC].every((letter, at) => bytes[HEADER.magic + at] === letter.charCodeAt(0)) ||
    bytes.every((byte) => byte === 0);
}

/** What helps where a segment cannot be opened. */
export function wayOut(code: "INCOMPATIBLE" | "NOT_READY" | "CORRUPT", depot: string): string {
  const remove = `\`frames-depot rm ${depot}\` removes it`;
  switch (code) {
    case "INCOMPATIBLE":
      return `choose another name; ${remove}`;
    case "NOT_READY":
      return `\`timeoutMs\` (in commands \`--timeout\`) waits for its maker; if that has died, ${remove}`;
    case "CORRUPT":
      return `close it in every process that has it; ${remove}`;
  }
}

type Field = keyof typeof HEADER;

/** A copy of a header, each word of which may be wrong. */
class UntrustedHeader {
  readonly #depot: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(depot: string, copy: Uint8Array<ArrayBuffer>) {
    this.#depot = depot;
    this.#bytes = copy;
    this.#view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  }

  #fail(code: "INCOMPATIBLE" | "NOT_READY" | "CORRUPT", why: string, remedy = wayOut(code, this.#depot)): never {
    throw new DepotError(code, `cannot open depot "${this.#depot}": ${why}`, { depot: this.#depot, remedy });
  }

  #u32(field: Field): number {
    return this.#view.getUint32(HEADER[field], true);
  }

  #u64(field: Field): number {
    return Number(this.#view.getBigUint64(HEADER[field], true));
  }

  #ascii(field: Field, length: number): string {
    return String.fromCharCode(...this.#bytes.subarray(HEADER[field], HEADER[field] + length));
  }

  #within(what: string, value: number, least: number, most: number): number {
    if (value >= least && value <= most) return value;
    return this.#fail("CORRUPT", `${what} is ${value}, out of ${least} to ${most}`);
  }

  #u32Within(field: Field, least: number, most: number): number {
    return this.#within(field, this.#u32(field), least, most);
  }

  #oneOf<T>(field: Field, names: readonly T[]): T {
    return names[this.#u32Within(field, 0, names.length - 1)];
  }

  #oneOrNone<T extends string>(field: Field, names: readonly T[]): Exclude<T, typeof UNSPECIFIED> | undefined {
    const name = this.#oneOf(field, names);
    return name === UNSPECIFIED ? undefined : name as Exclude<T, typeof UNSPECIFIED>;
  }

  /** Whether it is a finished depot of this version. */
  checkKind(): void {
    if (this.#ascii("magic", MAGIC.length) !== MAGIC) {
      if (this.#bytes.every((byte) => byte === 0)) {
        this.#fail("NOT_READY", "its header is still empty: its maker has not finished, or died");
      }
      this.#fail("INCOMPATIBLE", "the segment does not begin as a depot does: it is something else");
    }
    if (this.#u32("byteOrder") !== BYTE_ORDER) {
      this.#fail("INCOMPATIBLE", "it has another byte order, or a damaged header");
    }
    const version = this.#u32("version");
    if (version !== LAYOUT_VERSION) {
      this.#fail(
        "INCOMPATIBLE",
        `it was made by ${version < LAYOUT_VERSION ? "an earlier" : "a later"} version of this library (layout ` +
          `${version}, here ${LAYOUT_VERSION})`,
        "use the same version in every process, or close those that have it open and run " +
          `\`frames-depot rm ${this.#depot}\``,
      );
    }
    if (this.#u32("ready") !== READY) {
      this.#fail(
        "NOT_READY",
        "its maker has not finished, or it was emptied: the last process that had it open may not remove its name",
        `its owner or root can, by \`frames-depot rm ${this.#depot}\`, and its owner makes it anew by create()`,
      );
    }
  }

  /** All that was chosen when the depot was made. */
  geometry(): Geometry {
    const label = this.#ascii("pixelFormat", LIMITS.pixelFormat).split("\0")[0];
    if (!/^[\x21-\x7e]*$/.test(label)) this.#fail("CORRUPT", "pixelFormat is not printable ASCII");
    const elementType = this.#oneOf("elementType", ELEMENT_TYPES);
    const frameBytes = this.#within("frameBytes", this.#u64("frameBytes"), 1, LIMITS.frameBytes);
    this.#within("the rest of frameBytes", frameBytes % ELEMENT_BYTES[elementType], 0, 0);
    return {
      width: this.#u32("width"),
      height: this.#u32("height"),
      channels: this.#u32("channels"),
      elementType,
      pixelFormat: label,
      frameBytes,
      variableLength: this.#u32Within("variableLength", 0, 1) === 1,
      color: this.#color(),
      sampleAspectRatio: this.#sampleAspectRatio(),
      fieldOrder: this.#oneOrNone("fieldOrder", FIELD_ORDERS),
      maxSize: this.#u32Within("maxSize", 1, LIMITS.maxSize),
      whenFull: this.#oneOf("whenFull", WHEN_FULL),
      metadataBytes: this.#u32Within("metadataBytes", 0, LIMITS.metadataBytes),
      maxReaders: this.#u32Within("maxReaders", 1, LIMITS.maxReaders),
      maxGroups: this.#u32Within("maxGroups", 0, LIMITS.maxGroups),
      firstSequence: this.#within("firstSequence", this.#u64("firstSequence"), 0, LAST_SEQUENCE),
    };
  }

  #color(): Color {
    const color = {
      matrix: this.#oneOrNone("matrix", MATRICES),
      range: this.#oneOrNone("range", RANGES),
      primaries: this.#oneOrNone("primaries", PRIMARIES),
      transfer: this.#oneOrNone("transfer", TRANSFERS),
    };
    return Object.fromEntries(Object.entries(color).filter(([, name]) => name !== undefined));
  }

  #sampleAspectRatio(): Geometry["sampleAspectRatio"] {
    const [width, height] = [this.#u32("aspectWidth"), this.#u32("aspectHeight")];
    if (width === 0 && height === 0) return undefined;
    if (width === 0 || height === 0) this.#fail("CORRUPT", `its sample aspect ratio is ${width}:${height}`);
    return [width, height];
  }

  /** Everything else follows from the geometry; the stored words must say the same, and are not used. */
  checkLayout(geometry: Geometry, fileBytes: number): void {
    const { maxPeers, pinWords, slotStride, groupStride, ...wide } = layoutOf(geometry);
    const [peerStride, readerStride] = [PEER.size, READER.size];
    const narrow = { headerBytes: HEADER.size, peerStride, readerStride, slotStride, groupStride, maxPeers, pinWords };
    for (const [field, value] of Object.entries(narrow)) {
      this.#same(field, this.#u32(field as Field), value);
    }
    for (const [field, value] of Object.entries(wide)) {
      this.#same(field, this.#u64(field as Field), value);
    }
    if (fileBytes < wide.totalBytes) {
      this.#fail("CORRUPT", `it needs ${wide.totalBytes} bytes, but the segment has only ${fileBytes}`);
    }
  }

  #same(what: string, stored: number, computed: number): void {
    if (stored !== computed) this.#fail("CORRUPT", `${what} is ${stored} where its geometry gives ${computed}`);
  }

  /** The segment's own number, as people see it. */
  id(): string {
    const id = this.#view.getBigUint64(HEADER.id, true);
    return id === 0n ? this.#fail("CORRUPT", "it has no id") : hexadecimal(id);
  }
}
