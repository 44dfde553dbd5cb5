// @ts-check
/**
 * A frame as a PNG file: whole, as the depot has it, or as the page shows it where the depot has gone on.
 *
 * @module
 */
/** @import { Header } from "./messages.js" */
import { make } from "./dom.js";

/** How long a file's bytes are kept for the browser to write them. */
const WRITING_MS = 60_000;

/**
 * @param {string} name
 * @param {Header} header
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<string>} what was saved
 */
export async function savePng(name, { number, fullWidth, fullHeight }, canvas) {
  const file = `${name}-${number}.png`;
  const shown = toBlob(canvas); // as it is now: the next picture may come meanwhile
  try {
    const answer = await fetch(`/depots/${encodeURIComponent(name)}/frames/${number}.png`);
    if (answer.ok) {
      download(await answer.blob(), file);
      return `Saved ${file}, ${fullWidth}×${fullHeight}.`;
    }
    if (answer.status !== 404) {
      return `The server could not make ${file}: ${await answer.text()}`;
    }
  } catch {
    // the server is away: what is shown can be saved without it
  }
  const { width, height } = canvas;
  download(await shown, file);
  return `Frame ${number} is no longer stored: saved ${file} as it is shown, ${width}×${height}.`;
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
function toBlob(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => blob === null ? reject(new Error("the canvas gives no PNG")) : resolve(blob),
      "image/png",
    );
  });
}

/** @param {Blob} blob @param {string} file */
function download(blob, file) {
  const href = URL.createObjectURL(blob);
  make("a", { href, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(href), WRITING_MS);
}
