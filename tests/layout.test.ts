/**
 * The bytes of a segment: TypeScript's table against that of the loaded C library, the layout of a segment, its header
 * written and read back, and how much memory all this takes.
 */
import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { loadShim } from "../ffi/load.ts";
import { DepotError, type DepotErrorCode } from "../mod.ts";
import { ELEMENT_BYTES, type Geometry, layoutOf, LIMITS } from "../ring/geometry.ts";
import { newId, readHeader, writeHeader } from "../ring/header.ts";
import {
  EXTRA_PEERS,
  GROUP,
  HEADER,
  LAST_SEQUENCE,
  LAYOUT_VERSION,
  PEER,
  PEER_INDEX_BITS,
  READER,
  READY,
  SLOT,
} from "../ring/layout.ts";
import { depotTest } from "./support/harness.ts";

const SECTIONS: Record<string, Record<string, number>> = {
  header: HEADER,
  peer: PEER,
  reader: READER,
  slot: SLOT,
  group: GROUP,
};
type Row = { section: string; field: string; offset: number; bytes: number };

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The layout that the loaded library reports. */
function tableOfC(): Row[] {
  return loadShim().layout().trimEnd().split("\n").map((line) => {
    const [section, field, offset, bytes] = line.split(" ");
    return { section, field: camel(field), offset: Number(offset), bytes: Number(bytes) };
  });
}

depotTest("layout has the same rows in C and in TypeScript, both ways", () => {
  const inC = tableOfC().map(({ section, field, offset, bytes }) =>
    field === "size" ? `${section} size ${bytes}` : `${section} ${field} ${offset}`
  );
  const here = Object.entries(SECTIONS).flatMap(([section, fields]) =>
    Object.entries(fields).map(([field, offset]) => `${section} ${field} ${offset}`)
  );
  assertEquals(inC.toSorted(), here.toSorted());
});

depotTest("layout has no field that overlaps another, is misaligned or leaves its section", () => {
  for (const section of Object.keys(SECTIONS)) {
    const rows = tableOfC().filter((row) => row.section === section && row.field !== "size");
    rows.sort((one, other) => one.offset - other.offset);
    let end = 0;
    for (const { field, offset, bytes } of rows) {
      assert(offset >= end, `${section}.${field} begins at ${offset}, before ${end}`);
      assertEquals(offset % Math.min(bytes, 4), 0, `${section}.${field}`);
      if (bytes === 8) assertEquals(offset % 8, 0, `${section}.${field}`);
      end = offset + bytes;
    }
    assertLessOrEqual(end, SECTIONS[section].size, section);
  }
});

depotTest("layout keeps words that different processes write in cache lines of their own", () => {
  const hot = [HEADER.head, HEADER.tail, HEADER.published, HEADER.consumed, HEADER.cleared];
  for (const [i, offset] of hot.entries()) assertEquals([offset % 128, hot.indexOf(offset)], [0, i]);
  for (const { size } of [HEADER, PEER, READER, GROUP]) assertEquals(size % 128, 0);
  assertEquals(SLOT.size % 64, 0);
  assert(LIMITS.maxReaders + EXTRA_PEERS < 2 ** PEER_INDEX_BITS, "an index plus one fits its bits");
});

const BASE: Geometry = {
  width: 1920,
  height: 1080,
  channels: 3,
  elementType: "uint8",
  pixelFormat: "rgb24",
  frameBytes: 1920 * 1080 * 3,
  variableLength: false,
  color: {},
  sampleAspectRatio: undefined,
  fieldOrder: undefined,
  maxSize: 10,
  whenFull: "drop",
  metadataBytes: 0,
  maxReaders: 31,
  maxGroups: 4,
  firstSequence: 0,
};
const GEOMETRIES: Partial<Geometry>[] = [
  {},
  { frameBytes: 1, maxSize: 1, maxReaders: 1, maxGroups: 0, pixelFormat: "" },
  { frameBytes: 65_536, maxSize: 1000, whenFull: "wait" },
  { frameBytes: 65_537, maxSize: 1000, metadataBytes: 1, whenFull: "overwrite" },
  { frameBytes: 65_536, maxSize: 1, maxReaders: 31 },
  { frameBytes: 524_287, maxSize: 100 },
  { frameBytes: 524_289, maxSize: 100 },
  { frameBytes: 3840 * 2160 * 3, maxSize: 30 },
  { frameBytes: 2 ** 20, elementType: "float32", pixelFormat: "grayf32le", maxSize: LIMITS.maxSize },
  { frameBytes: 7680 * 4320 * 8, elementType: "uint16", pixelFormat: "rgba64le0123456" },
  { frameBytes: LIMITS.frameBytes, maxSize: 32_768, maxReaders: LIMITS.maxReaders },
  { frameBytes: 64, maxSize: LIMITS.maxSize, maxReaders: LIMITS.maxReaders, maxGroups: LIMITS.maxGroups },
  { maxSize: 9, maxGroups: 1 },
  { metadataBytes: LIMITS.metadataBytes, width: LIMITS.dimension, height: LIMITS.dimension, channels: 1 },
  { firstSequence: LAST_SEQUENCE },
  { variableLength: true, width: 0, height: 0, channels: 0, pixelFormat: "mjpeg" },
  { color: { matrix: "bt709", range: "limited", primaries: "bt709", transfer: "iec61966-2-1" } },
  { color: { matrix: "ictcp", transfer: "arib-std-b67" }, sampleAspectRatio: [4, LIMITS.aspect], fieldOrder: "bt" },
];
const geometries = GEOMETRIES.map((part): Geometry => ({ ...BASE, ...part }));

const ID = "00fedcba98765432";

/** A header that is marked as ready. */
function header(geometry: Geometry): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER.size);
  writeHeader(new DataView(bytes.buffer), { geometry, id: ID }, 1n);
  new DataView(bytes.buffer).setUint32(HEADER.ready, READY, true);
  return bytes;
}

depotTest("layoutOf lays sections out one after the other, each with room for all of its entries", () => {
  for (const geometry of geometries) {
    const { maxSize, maxReaders, maxGroups, frameBytes, metadataBytes } = geometry;
    const p = layoutOf(geometry);
    assertEquals([p.maxPeers, p.pinWords], [maxReaders + EXTRA_PEERS, Math.ceil(maxReaders / 32)]);
    assertEquals(p.peersOffset, HEADER.size);
    assert(p.readersOffset >= p.peersOffset + p.maxPeers * PEER.size);
    assert(p.slotsOffset >= p.readersOffset + maxReaders * READER.size);
    assert(p.slotStride >= SLOT.pins + p.pinWords * 4 && p.slotStride % 64 === 0);
    assert(p.payloadOffset >= p.slotsOffset + maxSize * p.slotStride);
    if (maxGroups === 0) assertEquals([p.groupStride, p.groupsOffset, p.takesOffset], [0, 0, 0]);
    else {
      assert(p.groupsOffset >= p.slotsOffset + maxSize * p.slotStride && p.groupsOffset % 64 === 0);
      assert(p.takesOffset >= p.groupsOffset + maxGroups * p.groupStride && p.takesOffset % 64 === 0);
      assert(p.payloadOffset >= p.takesOffset + maxGroups * maxSize * 8);
    }
    assert(p.payloadStride >= frameBytes + metadataBytes && p.payloadStride % 64 === 0);
    assertEquals([p.payloadOffset % 16_384, p.totalBytes], [0, p.payloadOffset + maxSize * p.payloadStride]);
    assert(p.payloadOffset < 2 ** 31, "offsets of the tables fit 31 bits");
    assert(Number.isSafeInteger(p.totalBytes));
  }
});

depotTest("layoutOf adds at most 1 % and 64 KB to frames of 64 KiB and more", () => {
  for (const geometry of geometries) {
    const { frameBytes, metadataBytes, maxSize, maxReaders } = geometry;
    if (frameBytes < 65_536 || maxReaders > 31) continue;
    const payload = maxSize * (frameBytes + metadataBytes);
    const beyond = layoutOf(geometry).totalBytes - payload;
    assertLessOrEqual(beyond, payload * 0.01 + 64_000, `${maxSize} × ${frameBytes}: ${beyond} beyond`);
  }
});

depotTest("readHeader returns what writeHeader was given", () => {
  for (const geometry of geometries) {
    assertEquals(readHeader("x", header(geometry), layoutOf(geometry).totalBytes), { geometry, id: ID });
  }
});

depotTest("readHeader refuses what is not a sound header, each with its code", () => {
  const { totalBytes } = layoutOf(BASE);
  const refused = (change: (view: DataView, bytes: Uint8Array) => void, fileBytes = totalBytes): DepotErrorCode => {
    const bytes = header(BASE);
    change(new DataView(bytes.buffer), bytes);
    return assertThrows(() => readHeader("x", bytes, fileBytes), DepotError, '"x"').code;
  };
  const set = (offset: number, value: number) => refused((view) => view.setUint32(offset, value, true));
  assertEquals(refused((_, bytes) => bytes.fill(0)), "NOT_READY");
  assertEquals(set(HEADER.ready, 0), "NOT_READY");
  assertEquals(set(HEADER.magic, 0), "INCOMPATIBLE");
  assertEquals(set(HEADER.version, LAYOUT_VERSION + 1), "INCOMPATIBLE");
  assertEquals(set(HEADER.byteOrder, 0x04030201), "INCOMPATIBLE");
  assertEquals(refused(() => {}, totalBytes - 1), "CORRUPT");
  for (
    const field of [
      ...(["totalBytes", "peersOffset", "readersOffset", "slotsOffset", "payloadOffset", "payloadStride"] as const),
      ...(["headerBytes", "peerStride", "readerStride", "slotStride", "maxPeers", "maxReaders", "pinWords"] as const),
      ...(["maxSize", "whenFull", "elementType", "metadataBytes", "frameBytes", "variableLength"] as const),
      ...(["matrix", "range", "primaries", "transfer", "aspectWidth", "aspectHeight", "fieldOrder"] as const),
      ...(["maxGroups", "groupStride", "groupsOffset", "takesOffset"] as const),
    ]
  ) {
    // 16 MiB and a bit is neither in any enumeration nor what any other field gives.
    assertEquals(set(HEADER[field], 0x0100_0007), "CORRUPT", field);
  }
  assertEquals(set(HEADER.pixelFormat, 0x01010101), "CORRUPT");
  assertEquals(refused((view) => view.setBigUint64(HEADER.id, 0n)), "CORRUPT");
});

depotTest("ELEMENT_BYTES are those of the typed arrays", () => {
  assertEquals(ELEMENT_BYTES, {
    uint8: Uint8Array.BYTES_PER_ELEMENT,
    uint16: Uint16Array.BYTES_PER_ELEMENT,
    float32: Float32Array.BYTES_PER_ELEMENT,
  });
});

depotTest("readHeader says of another version what made it and what to do", () => {
  for (const [version, maker] of [[LAYOUT_VERSION - 1, "an earlier"], [LAYOUT_VERSION + 1, "a later"]] as const) {
    const bytes = header(BASE);
    new DataView(bytes.buffer).setUint32(HEADER.version, version, true);
    const { message } = assertThrows(() => readHeader("x", bytes, layoutOf(BASE).totalBytes), DepotError);
    assertEquals(
      message,
      `cannot open depot "x": it was made by ${maker} version of this library (layout ${version}, here ` +
        `${LAYOUT_VERSION}); use the same version in every process, or close those that have it open and run ` +
        "`frames-depot rm x`",
    );
  }
});

depotTest("newId makes ids of 16 hexadecimal digits that differ", () => {
  const ids = Array.from({ length: 1000 }, newId);
  assert(ids.every((id) => /^[0-9a-f]{16}$/.test(id)));
  assertEquals(new Set(ids).size, ids.length);
});
