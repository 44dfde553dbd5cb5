/**
 * Where a reader, or a group of them, begins.
 *
 * @module
 */
import { FrameIndex } from "./frame_index.ts";
import type { From } from "./from.ts";
import type { Geometry } from "./geometry.ts";
import type { Reader } from "./reader.ts";
import type { Room } from "./room.ts";

/** A place. From there on frames numbered below `skipsBelow` are passed over, until one is not. */
export type Beginning = { sequence: number; skipsBelow?: number };

/** Where a reader would like to begin. @param reader whose entry it uses for its looks */
export function beginningOf(reader: Reader, room: Room, geometry: Geometry, from: From): Beginning {
  const head = room.head();
  const oldest = Math.max(0, head - geometry.maxSize, room.cleared());
  switch (from) {
    case "oldest":
      return { sequence: oldest };
    case "latest":
      return { sequence: newestOf(reader, head, oldest) ?? head };
    case "next":
      return { sequence: head };
  }
  const index = new FrameIndex(reader, room, geometry);
  index.refresh();
  const sequence = index.sequenceOf(from);
  return sequence !== undefined && sequence >= oldest ? { sequence } : { sequence: oldest, skipsBelow: from };
}

/** The newest frame below `head`, from `from` on, that seems to be there. */
export function newestOf(reader: Reader, head: number, from: number): number | undefined {
  for (let sequence = head - 1; sequence >= from; sequence--) if (reader.seems(sequence)) return sequence;
  return undefined;
}
