/**
 * What we use of cli-progress. Its published types bring those of Node, which differ from Deno's own.
 *
 * @module
 */

/** How a bar looks and behaves. */
export type Options = {
  stream: { isTTY?: boolean };
  /** Maximum of redraws a second. */
  fps: number;
  /** Characters. */
  barsize: number;
  hideCursor: boolean;
  clearOnComplete: boolean;
  barCompleteString?: string;
  barIncompleteString?: string;
  /** Draws the line; `progress` goes from 0 to 1. */
  format: (options: Options, state: { progress: number; value: number; total: number }) => string;
};

/** Characters of a bar. */
export type Preset = { format: string; barCompleteChar: string; barIncompleteChar: string };

export const Presets: { shades_classic: Preset };

export class SingleBar {
  constructor(options: Options, preset: Preset);
  start(total: number, startValue: number): void;
  update(value: number): void;
  stop(): void;
}
