/**
 * What clients of the WebSocket say, checked.
 *
 * @module
 */
import type { Codec } from "./renditions.ts";

/** A message. Channels are the client's own numbers. */
export type ClientMessage =
  | { type: "show"; channel: number; name: string; width: number; codec: Codec }
  | { type: "hide" | "shown" | "live"; channel: number }
  | { type: "at"; channel: number; number: number }
  | { type: "step"; channel: number; number: number; by: -1 | 1 }
  | { type: "detail"; name?: string };

/** The maximum of bytes in a message. */
export const MESSAGE_BYTES = 4096;
/** The maximum of a channel's number. */
const MOST_CHANNEL = 2 ** 31;
const MOST_WIDTH = 16_384;
const NAME_LENGTH = 255;
const TYPES: readonly ClientMessage["type"][] = ["show", "hide", "shown", "at", "step", "live", "detail"];

/** Takes a message apart, or says what is wrong with it. */
export function parseMessage(text: string): ClientMessage | { refused: string } {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return { refused: "a message is not JSON" };
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) return { refused: "a message is no object" };
  const fields = given as Record<string, unknown>;
  const { type } = fields;
  if (!TYPES.includes(type as ClientMessage["type"])) {
    return { refused: `the type of a message is none of ${TYPES.join(", ")}` };
  }
  const refuse = (what: string) => ({ refused: `${what} is missing or wrong in a message` });
  if (type === "detail") {
    const { name } = fields;
    return name === undefined || isName(name) ? { type, name } : refuse("name");
  }
  const { channel, number } = fields;
  if (!isNumber(channel, 0, MOST_CHANNEL)) return refuse("channel");
  switch (type) {
    case "hide":
    case "shown":
    case "live":
      return { type, channel };
    case "at":
      return isNumber(number) ? { type, channel, number } : refuse("number");
    case "step":
      if (!isNumber(number)) return refuse("number");
      return fields.by === 1 || fields.by === -1 ? { type, channel, number, by: fields.by } : refuse("by");
    case "show": {
      const { name, width, codec = "jpeg" } = fields;
      if (!isName(name)) return refuse("name");
      if (!isNumber(width, 1, MOST_WIDTH)) return refuse("width");
      return codec === "jpeg" || codec === "h264" ? { type, channel, name, width, codec } : refuse("codec");
    }
  }
  return refuse("type");
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= NAME_LENGTH;

const isNumber = (value: unknown, least = -Infinity, most = Infinity): value is number =>
  Number.isSafeInteger(value) && value as number >= least && value as number <= most;
