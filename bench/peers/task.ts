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
  /** As fast as it goes, for so long after the warm-up; at a steady pace, so many frames; to and fro, so often. */
  kind: "throughput" | "latency" | "handoff";
  seconds: number;
  frames: number;
  fps: number;
  /** Frames, or rounds, at the beginning that do not count. */
  warmup: number;
  frameBytes: number;
  /** Frames on their way at most. */
  depth: number;
  /** A name that nobody else has. */
  channel: string;
  /** A folder that nobody else has, for sockets and pipes. */
  folder: string;
};

/** Written as a line of JSON by whoever receives; all but the last one write `{"ready":true}` when they are in place. */
export type Outcome = {
  /** Frames that count: after the warm-up, in order, and as they were written. In a hand-off, how often it was done. */
  frames: number;
  seconds: number;
  /** From written until the receiver has it in its hands, of each of them; empty where throughput is asked for. */
  arrivedNs: number[];
  /** The same until it has read it. */
  readNs: number[];
};
