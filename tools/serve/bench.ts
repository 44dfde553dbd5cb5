/**
 * `deno task bench:serve`: frames a second and delay of the page of `frames-depot serve`, in Chromium on this machine,
 * beside a producer of 30 frames a second. The page shows one depot as large as its frames are.
 *
 * Beside it is what sharp alone encodes of the same pictures in one thread, measured just before: on a machine that
 * does other things too, the ratio says more than the figures. The delay is from the timestamp of a frame, which it
 * gets when it is published, to the moment when it has been drawn. CPU is for each picture that is drawn, of the server
 * and of the browser with all their processes.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FramesDepot } from "../../mod.ts";
import { type Browser, launchChromium, type PageDocument, type PageElement } from "../support/chromium.ts";
import { installed, output } from "../support/ffmpegs.ts";
import { installPackages } from "../support/node_packages.ts";
import { executableOf, RUN, type Runtime, RUNTIMES } from "../support/runtimes.ts";
import { computedMs } from "./cpu.ts";
import { picture } from "./picture.ts";
import { end, started } from "./started.ts";

declare const document: PageDocument;
declare const MutationObserver: new (changed: () => void) => {
  observe(element: PageElement, options: { attributeFilter: string[] }): void;
};

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    runtime: { type: "string", multiple: true, default: [...RUNTIMES] },
    slow: { type: "boolean", default: false },
    codec: { type: "string", multiple: true, default: ["jpeg", "h264"] },
    help: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
if (values.help || !(seconds > 0)) {
  console.log("deno task bench:serve [--seconds N] [--runtime deno|bun|node]... [--codec jpeg|h264]... [--slow]");
  console.log("--slow: without sharp, which is installed into .cache/ otherwise");
  process.exit(values.help ? 0 : 2);
}

const [PER_SECOND, WARM_UP_MS] = [30, 3000];
const SHARP = "sharp@0.35.5";
/** As `serve` has it. */
const QUALITY = 75;
const ALONE_MS = 3000;
const SIZES = [[1920, 1080], [1280, 720]] as const;
/** What the page needs beside and below its picture. */
const BESIDE = { width: 420, height: 240 };
const [CAMERA, MAIN] = ["./camera.ts", "../../cli/main.ts"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url))
);

type Draw = { number: number; delayMs: number; width: number };

/** What the page draws, and what the processes compute meanwhile, by their pids. */
async function draws(browser: Browser, address: string, [width, height]: readonly [number, number]) {
  const viewport = { width: width + BESIDE.width, height: height + BESIDE.height };
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  await page.goto(address);
  await page.waitForFunction((width) => {
    const canvas = document.querySelector(".player canvas");
    return canvas?.width === width && Number(canvas.dataset.drawn) > 0;
  }, width);
  await page.evaluate((ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)), WARM_UP_MS);
  const before = computedMs();
  const found = await page.evaluate((ms) => {
    const canvas = document.querySelector(".player canvas")!;
    const found: Draw[] = [];
    new MutationObserver(() => {
      const delayMs = Date.now() - Number(BigInt(canvas.dataset.timestamp!) / 1_000_000n);
      found.push({ number: Number(canvas.dataset.number), delayMs, width: canvas.width });
    }).observe(canvas, { attributeFilter: ["data-drawn"] });
    return new Promise<Draw[]>((resolve) => setTimeout(() => resolve(found), ms));
  }, seconds * 1000);
  const computed = new Map([...computedMs()].map(([pid, ms]) => [pid, ms - (before.get(pid) ?? 0)]));
  await context.close();
  return { found, computed };
}

async function measured(browser: Browser, runtime: Runtime, codec: string, size: readonly [number, number]) {
  const name = `serve-bench-${process.pid}`;
  const parameters = [name, ...size, PER_SECOND].map(String);
  const { child: camera } = await started([executableOf("deno"), ...RUN.deno, CAMERA, ...parameters], /ready/);
  const command = [executableOf(runtime), ...RUN[runtime], MAIN, "serve", name, "--port", "0", "--codec", codec];
  try {
    const { child: server, found: address } = await started(command, /https?:\/\/\S+/, { cwd: folder });
    try {
      const { found, computed } = await draws(browser, new URL(`#/${name}`, address).href, size);
      const ofServer = computed.get(server.pid!) ?? 0;
      computed.delete(server.pid!);
      computed.delete(camera.pid!);
      return { found, ofServer, ofBrowser: [...computed.values()].reduce((sum, ms) => sum + ms, 0) };
    } finally {
      await end(server);
    }
  } finally {
    await end(camera);
    FramesDepot.unlink(name);
  }
}

/** Frames a second that sharp encodes as the server does, with nothing beside it; undefined without sharp. */
async function alone([width, height]: readonly [number, number]): Promise<number | undefined> {
  if (values.slow) return undefined;
  const sharp = createRequire(join(folder, "package.json"))("sharp");
  sharp.concurrency(1);
  const pixels = picture(width, height, 0);
  const beganMs = performance.now();
  let count = 0;
  while (performance.now() - beganMs < ALONE_MS) {
    await sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: QUALITY, optimiseCoding: false })
      .toBuffer();
    count++;
  }
  return count * 1000 / (performance.now() - beganMs);
}

const quantile = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** Where users have installed sharp, or nothing. */
const folder = values.slow ? mkdtempSync(join(tmpdir(), "serve-bench-")) : installed(SHARP, (made) => {
  writeFileSync(join(made, "package.json"), "{}");
  output("npm", ["install", "--silent", "--prefix", made, SHARP]);
});
const browser = await launchChromium();
if ("missing" in browser) throw new Error(`there is no Chromium: ${browser.missing}`);
const titles = [
  "server",
  "codec",
  "picture",
  "frames/s drawn",
  "delay p50",
  "p95",
  "sharp alone",
  "CPU of server",
  "browser",
];
console.log([titles, titles.map(() => "---")].map((cells) => `| ${cells.join(" | ")} |`).join("\n"));
try {
  for (const runtime of values.runtime as Runtime[]) {
    if (runtime === "node") installPackages();
    for (const codec of values.codec) {
      for (const size of SIZES) {
        const floor = await alone(size);
        const { found, ofServer, ofBrowser } = await measured(browser, runtime, codec, size);
        if (found.some(({ width }) => width !== size[0])) throw new Error(`a picture is not ${size[0]} wide`);
        if (found.some(({ number }, index) => index > 0 && number <= found[index - 1].number)) {
          throw new Error("a picture was drawn after a later one");
        }
        const delays = found.map(({ delayMs }) => delayMs).sort((one, other) => one - other);
        const times = [quantile(delays, 0.5), quantile(delays, 0.95)];
        const costs = [ofServer / found.length, ofBrowser / found.length];
        const [middle, late, server, page] = [...times, ...costs].map((ms) => `${ms?.toFixed(0)} ms`);
        const [perSecond, most] = [found.length / seconds, floor ?? NaN].map((rate) => rate.toFixed(1));
        const cells = [runtime, codec, size.join("×"), perSecond, middle, late, most, server, page];
        console.log(`| ${cells.join(" | ")} |`);
      }
    }
  }
} finally {
  await browser.close();
  if (values.slow) rmSync(folder, { recursive: true });
}
