/**
 * What the server itself has done so far, for `/metrics`.
 *
 * @module
 */
import type { Codec } from "./renditions.ts";

/** Counters, which only grow. */
export class Counts {
  /** Pictures encoded live, by depot and codec. */
  readonly pictures = new Map<string, Map<string, number>>();
  /** Pictures that went to clients. */
  sent = 0;
  /** Bytes of them. */
  sentBytes = 0;
  /** Requests that were refused: no token, another origin, too many. */
  refused = 0;

  encoded(depot: string, codec: Codec | "png"): void {
    const of = this.pictures.get(depot) ?? new Map<string, number>();
    this.pictures.set(depot, of.set(codec, (of.get(codec) ?? 0) + 1));
  }

  send(bytes: number): void {
    this.sent++;
    this.sentBytes += bytes;
  }
}
