/**
 * What every sender and receiver is told, whatever it is written in, and what it answers.
 *
 * @module
 */

/** 1920 × 1080 × 3. */
export const FRAME_SIZE: [number, number, number] = [1920, 1080, 3];
/** Bytes of a frame. */
export const FRAME_BYTES = 1920 * 1080 * 3;

/** Given as JSON in the last argument. */
export type Task = {
  /** As fast as it goes, for `seconds` after the warm-up; at a steady pace, or to and fro, for `frames`. */
  kind: "throughput" | "latency" | "handoff";
  seconds: number;
  frames: number;
  fps: number;
  /** Frames, or rounds, at the beginning that do not count. */
  warmup: number;
  frameBytes: number;
  /** The most frames on their way. */
  depth: number;
  /** A unique name. */
  channel: string;
  /** A folder of its own, for sockets and pipes. */
  folder: string;
};

/** Written as a line of JSON by the receiver; all but the last one write `{"ready":true}` when they are in place. */
export type Outcome = {
  /** Frames that count: after the warm-up, in order, and as they were written. In a hand-off, how often it was done. */
  frames: number;
  seconds: number;
  /** From written until the receiver has it in its hands, of each of them; empty where throughput is asked for. */
  arrivedNs: number[];
  /** From written until the receiver has read it, of each of them. */
  readNs: number[];
};
