/**
 * What two relays say to each other, read from bytes that anyone may have sent: what makes no sense is ignored.
 *
 * @module
 */
import type { Description } from "./description.ts";
import { type Codec, CODECS } from "./codecs.ts";
import { type Ask, type State, WIRE_VERSION } from "./wire.ts";

/** Of another version no more is known than that it is one. */
export type OtherVersion = { otherVersion: number; far: string; session: string };

/** What is said is short; more is not read. */
const [MOST_ASK, MOST_STATE] = [4096, 65_536];
/** What is printed has no control characters in it. */
const NAME = /^[^\p{Cc}\p{Cf}]{1,200}$/u;
const ID = /^[\w-]{8,64}$/;

/** Whether a far relay may have this name. */
export const isFarName = (name: unknown): name is string => typeof name === "string" && NAME.test(name);
const isId = (id: unknown): id is string => typeof id === "string" && ID.test(id);
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value);
const isFlag = (value: unknown): boolean => value === undefined || typeof value === "boolean";
const orNone = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value);

/** Reads what a far relay says. @returns undefined for what no far relay says */
export function readAsk(data: Uint8Array): Ask | OtherVersion | undefined {
  const ask = parsed(data, MOST_ASK);
  if (ask === undefined) return undefined;
  const { version, far, session, hello, source, got, of, gap, last, beat, bye } = ask;
  if (!isNumber(version) || !isFarName(far) || !isId(session)) return undefined;
  if (version !== WIRE_VERSION) return { otherVersion: version, far, session };
  const fits = isNumber(hello) && [source, of].every(orNone(isId)) && [got, gap].every(orNone(isNumber)) &&
    orNone(isLast)(last) && isFlag(beat) && isFlag(bye);
  return fits ? ask as Ask : undefined;
}

/** Reads what a relay beside a source says. @returns undefined for what none says */
export function readState(data: Uint8Array): State | Pick<OtherVersion, "otherVersion"> | undefined {
  const state = parsed(data, MOST_STATE);
  if (state === undefined || !isNumber(state.version) || !isId(state.source)) return undefined;
  const { version, stream, mode, hello, epoch, first, base, sent, position, arrived, description, ended } = state;
  if (version !== WIRE_VERSION) return { otherVersion: version };
  const fits = isId(stream) && ["lossy", "lossless", "latest"].includes(mode as string) && isFlag(state.replaced) &&
    [hello, epoch, first, base, sent, position, arrived].every(isNumber) && typeof ended === "boolean" &&
    orNone(isDescription)(description);
  return fits ? state as State : undefined;
}

/** Whether a message has a description in it, as far as the library does not check it. */
function isDescription(value: unknown): value is Description {
  const { id, name, codec, frameSize, maxSize, pixelFormat } = (value ?? {}) as Record<string, unknown>;
  return typeof id === "string" && /^[\x21-\x7e]{1,64}$/.test(id) && typeof name === "string" &&
    typeof pixelFormat === "string" && Number.isSafeInteger(maxSize) &&
    CODECS.includes(codec as Codec) && Array.isArray(frameSize);
}

function isLast(value: unknown): boolean {
  const { frameNumber, timestampNs, crc, depot } = (value ?? {}) as Record<string, unknown>;
  return isNumber(frameNumber) && isNumber(crc) && typeof timestampNs === "string" &&
    (depot === undefined || typeof depot === "string");
}

function parsed(data: Uint8Array, most: number): Record<string, unknown> | undefined {
  if (data.length > most) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}
