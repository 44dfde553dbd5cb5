/**
 * What travels between two relays: subjects, headers and messages, as docs/relay.md has them.
 *
 * @module
 */
import type { ReadMode } from "../../mod.ts";
import type { Description } from "./description.ts";

/** The version of everything here; both sides must have the same. */
export const WIRE_VERSION = 1;
/** The one header of each message. */
export const HEADER = "Frames-Depot";
/** Bytes of the body in a message, unless the server takes less. */
export const PIECE_BYTES = 131_072;
/** What the headers of a message may need. */
export const HEADER_ROOM = 512;

/** Where far relays ask. */
export const askSubject = (subject: string): string => `${subject}.ask`;
/** Where one far relay gets its frames. */
export const farSubject = (subject: string, session: string): string => `${subject}.far.${session}`;

/** The last frame in the far depot: what was sent up to it need not be sent again. */
export type LastFrame = {
  frameNumber: number;
  timestampNs: string;
  crc: number;
  /** Id of the source's depot, where this run of the far relay knows it. */
  depot?: string | undefined;
};

/** What a far relay says, again and again: each one has all that counts. */
export type Ask = {
  version: number;
  /** What names the far relay, also after a restart. */
  far: string;
  /** This run of it. */
  session: string;
  /** The relay that it hears, if it has heard one: others keep silent. */
  source?: string | undefined;
  /** All frames up to this number of the stream are stored, or lost for good. */
  got?: number | undefined;
  /** In this epoch something is missing after `got`. */
  gap?: number | undefined;
  last?: LastFrame | undefined;
  /** It wants a {@linkcode State}. */
  beat?: boolean | undefined;
  /** It leaves. */
  bye?: boolean | undefined;
};

/** What the relay beside the source says: at each beat, and where a depot begins. */
export type State = {
  version: number;
  /** This run of it. */
  source: string;
  mode: ReadMode;
  /** Rises when frames are sent again. */
  epoch: number;
  /** The first number of the stream that the far relay gets, and the position before it. */
  first: number;
  base: number;
  /** What was sent last in this epoch: its number, and its position. */
  sent: number;
  position: number;
  /** The depot of what was sent last, or is sent next; undefined while there is none. */
  description?: Description | undefined;
  /** Whether the source's depot ended with it. */
  ended: boolean;
  /** Another far relay has taken the place of this one. */
  replaced?: boolean | undefined;
};

/** What stands before the first piece of a frame. */
export type FrameHead = {
  /** Frames of the source up to this one, whether sent or missed. */
  position: number;
  frameNumber: number;
  timestampNs: bigint;
  metadataBytes: number;
  /** Of the body, metadata included, as it travels. */
  bodyBytes: number;
  /** Of the frame as the far depot has it. */
  byteLength: number;
};

/** A piece of a frame, or the end of a depot. */
export type Piece = {
  kind: "piece" | "end";
  /** Number in the stream, from 1. */
  number: number;
  epoch: number;
  /** Id of the source's depot. */
  depot: string;
  offset: number;
  crc: number;
  /** With the first piece. */
  head?: FrameHead;
};

/** Writes the header of a piece. */
export function pieceHeader({ kind, number, epoch, depot, offset, crc, head }: Piece): string {
  const piece = `${kind} ${number} ${epoch} ${depot} ${offset} ${crc}`;
  if (head === undefined) return piece;
  const { position, frameNumber, timestampNs, metadataBytes, bodyBytes, byteLength } = head;
  return `${piece} ${position} ${frameNumber} ${timestampNs} ${metadataBytes} ${bodyBytes} ${byteLength}`;
}

/** Reads the header of a piece. @returns undefined for anything else */
export function readPiece(text: string): Piece | undefined {
  const words = text.split(" ");
  const [kind, , , depot] = words;
  if ((kind !== "piece" && kind !== "end") || (words.length !== 6 && words.length !== 12)) return undefined;
  if (![...words.slice(1, 3), ...words.slice(4)].every((word) => /^-?\d{1,20}$/.test(word))) return undefined;
  const at = (index: number) => Number(words[index]);
  const piece: Piece = { kind, number: at(1), epoch: at(2), depot, offset: at(4), crc: at(5) };
  if (words.length === 6) return piece;
  const timestampNs = BigInt(words[8]);
  const head = { position: at(6), frameNumber: at(7), timestampNs, metadataBytes: at(9), bodyBytes: at(10) };
  return { ...piece, head: { ...head, byteLength: at(11) } };
}
