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
export const PIECE_BYTES = 262_144;
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
  /** How often it has looked for a relay beside the source: at its start, and after each silence. */
  hello: number;
  /** The relay that it hears, if it hears one: others keep silent. */
  source?: string | undefined;
  /** All frames up to this number are stored, or lost for good. */
  got?: number | undefined;
  /** The stream that `got` is of: also of a relay that has gone silent, and may come back. */
  of?: string | undefined;
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
  /** What numbers are of: frames from this relay to this far one. */
  stream: string;
  mode: ReadMode;
  /** That of the ask by which it knows what the far relay has: an earlier one counts no more. */
  hello: number;
  /** Rises when frames are sent again. */
  epoch: number;
  /** The first number of the stream that the far relay gets, and the position before it. */
  first: number;
  base: number;
  /** What was sent last in this epoch: its number, and its position. */
  sent: number;
  position: number;
  /** What is known here to have arrived. */
  arrived: number;
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
  stream: string;
  epoch: number;
  /** Id of the source's depot. */
  depot: string;
  /** In the body of the frame; of an end the position, so that it is known what was lost before it. */
  offset: number;
  crc: number;
  /** With the first piece. */
  head?: FrameHead;
};

/** Writes the header of a piece. */
export function pieceHeader({ kind, number, stream, epoch, depot, offset, crc, head }: Piece): string {
  const piece = `${kind} ${stream} ${number} ${epoch} ${depot} ${offset} ${crc}`;
  if (head === undefined) return piece;
  const { position, frameNumber, timestampNs, metadataBytes, bodyBytes, byteLength } = head;
  return `${piece} ${position} ${frameNumber} ${timestampNs} ${metadataBytes} ${bodyBytes} ${byteLength}`;
}

/** Which of the numbers is the timestamp: it may be larger than the others. */
const TIMESTAMP = 6;
const isNumber = (word: string) => /^-?\d{1,16}$/.test(word) && Number.isSafeInteger(Number(word));
const isTimestamp = (word: string) => /^\d{1,20}$/.test(word) && BigInt(word) < 2n ** 64n;

/** Reads the header of a piece. @returns undefined for anything else */
export function readPiece(text: string): Piece | undefined {
  const words = text.split(" ");
  const [kind, stream, , , depot] = words;
  if ((kind !== "piece" && kind !== "end") || (words.length !== 7 && words.length !== 13)) return undefined;
  const numbers = [...words.slice(2, 4), ...words.slice(5)];
  if (!numbers.every((word, index) => index === TIMESTAMP ? isTimestamp(word) : isNumber(word))) return undefined;
  const at = (index: number) => Number(words[index]);
  const piece: Piece = { kind, stream, number: at(2), epoch: at(3), depot, offset: at(5), crc: at(6) };
  if (words.length === 7) return piece;
  const timestampNs = BigInt(words[9]);
  const head = { position: at(7), frameNumber: at(8), timestampNs, metadataBytes: at(10), bodyBytes: at(11) };
  return { ...piece, head: { ...head, byteLength: at(12) } };
}
