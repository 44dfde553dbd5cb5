/**
 * How far a long piece of work is: a bar on standard error, and nothing at all where that is not a terminal.
 *
 * @module
 */
import process from "node:process";
import ansi from "ansi-escapes";
// @ts-types="./cli_progress.d.ts"
import { Presets, SingleBar } from "cli-progress";
import { letPass } from "./output.ts";
import { bytes as inBytes, count, duration, rate } from "./units.ts";

/** Work whose progress is shown. */
export type Progress = {
  /** Adds frames, and their bytes, to what is done. */
  advance(frames: number, bytes: number): void;
  /** Takes the bar away. Must be called also when the work failed. */
  end(): void;
};

/** As cli-progress writes it. */
const SAVE_CURSOR = "\x1b7";
const NOTHING: Progress = { advance() {}, end() {} };

/**
 * Starts showing progress.
 *
 * @param options `total`: frames to come, if it is known; `label`: what is being done
 */
export function startProgress(options: { total?: number; label: string }): Progress {
  if (!process.stderr.isTTY) return NOTHING;
  const { total, label } = options;
  const started = performance.now();
  let [frames, bytes] = [0, 0];
  const bar = new SingleBar({
    stream: process.stderr,
    fps: 10,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    format(settings, { progress }) {
      const elapsedMs = performance.now() - started;
      const perSecond = elapsedMs === 0 ? 0 : frames * 1000 / elapsedMs;
      const speed = `${rate(perSecond)} frames/s ${inBytes(elapsedMs === 0 ? 0 : bytes * 1000 / elapsedMs)}/s`;
      if (total === undefined) return `${label} ${count(frames)} frames ${speed}`;
      const [size, done] = [settings.barsize!, Math.round(progress * settings.barsize!)];
      // The strings are longer than the bar.
      const drawn = settings.barCompleteString!.slice(0, done) + settings.barIncompleteString!.slice(done, size);
      // A header's length is an estimate: there may be more.
      const left = perSecond === 0 || frames >= total ? "" : ` ${duration((total - frames) * 1000 / perSecond)} left`;
      return `${label} ${drawn} ${count(frames)}/${count(total)} ${speed}${left}`;
    },
  }, Presets.shades_classic);
  bar.start(total ?? 1, 0);
  letPass({ clear: () => process.stderr.write(ansi.cursorLeft + ansi.eraseLine) });
  return {
    advance(moreFrames, moreBytes) {
      frames += moreFrames;
      bytes += moreBytes;
      bar.update(total === undefined ? 0 : Math.min(frames, total));
    },
    end() {
      letPass(undefined);
      // The bar goes back to where it began, which is somewhere else once lines were written meanwhile.
      process.stderr.write(SAVE_CURSOR);
      bar.stop();
    },
  };
}
