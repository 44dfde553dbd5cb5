/**
 * What tests of the page need: `frames-depot serve`, a browser that shows its page, and screenshots that are kept.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, launchChromium, type Page, type PageDocument, type View } from "../../tools/support/chromium.ts";
import { Cli } from "./cli.ts";
import { depotTest, HERE, type Runtime, skip } from "./harness.ts";
import { BANDS } from "./numbered.ts";

export type { Page };

declare const document: PageDocument;

/** Where screenshots are kept; git ignores it. */
const OUTPUT = fileURLToPath(new URL("../output/serve_page/", import.meta.url));
const VIEWPORT = { width: 1280, height: 900 };
/** Longer than a page needs for anything. What does not come by then does not come. */
const PATIENCE_MS = 120_000;
/** A browser is many processes, which all wait for a machine that is busy. */
const WATCHDOG_MS = 300_000;

/** `frames-depot serve` on a port that is free. */
export class Server implements AsyncDisposable {
  readonly cli: Cli;
  /** As it prints it: with the token, if there is one. */
  readonly address: string;

  static async start(parameters: string[], runtime: Runtime = HERE): Promise<Server> {
    const cli = new Cli(["serve", ...parameters], { runtime });
    try {
      return new Server(cli, await cli.printed(/https?:\/\/\S+/));
    } catch (error) {
      await cli[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(cli: Cli, address: string) {
    this.cli = cli;
    this.address = address;
  }

  get port(): string {
    return new URL(this.address).port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cli[Symbol.asyncDispose]();
  }
}

/** A page in the browser, with what must never happen on it. */
export class Sheet {
  readonly page: Page;
  /** Requests of it that another server would get. */
  readonly elsewhere: string[] = [];
  /** Errors that it met, and rules of its security policy that it broke. */
  readonly errors: string[] = [];

  constructor(page: Page, address: string) {
    this.page = page;
    const { origin } = new URL(address);
    page.on("request", (request) => {
      const { protocol } = new URL(request.url());
      if (!request.url().startsWith(`${origin}/`) && protocol !== "blob:") this.elsewhere.push(request.url());
    });
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(error.message));
  }

  /** Waits until something is true on the page. */
  async until<Parameter>(isTrue: (parameter: Parameter) => unknown, parameter?: Parameter): Promise<void> {
    await this.page.waitForFunction(isTrue, parameter, { timeout: PATIENCE_MS });
  }

  /** Waits until a canvas has drawn at least this frame. */
  async draws(selector: string, number: number): Promise<void> {
    await this.until(({ selector, number }) => {
      const canvas = document.querySelector(`${selector} canvas`);
      return Number(canvas?.dataset.number ?? -1) >= number;
    }, { selector, number });
  }

  /** Waits until a canvas shows this frame. */
  async shows(selector: string, number: number): Promise<void> {
    await this.until(({ selector, number }) => {
      return document.querySelector(`${selector} canvas`)?.dataset.number === String(number);
    }, { selector, number });
  }

  /** Waits until a canvas shows a frame before this one. */
  async showsBefore(selector: string, number: number): Promise<void> {
    await this.until(({ selector, number }) => {
      return Number(document.querySelector(`${selector} canvas`)?.dataset.number ?? number) < number;
    }, { selector, number });
  }

  /** Waits until the text of the page has some words. */
  async says(text: string): Promise<void> {
    await this.until((text) => document.body.innerText.includes(text), text);
  }

  /** The number that a canvas says it shows, the one that its pixels show, its size, and how many it has drawn. */
  drawn(selector: string): Promise<{ said: number; seen: number; width: number; height: number; count: number }> {
    return this.page.evaluate(({ selector, bands }) => {
      const canvas = document.querySelector(`${selector} canvas`)!;
      const { width, height } = canvas;
      const context = canvas.getContext("2d")!;
      let seen = 0;
      for (let band = 0; band < bands; band++) {
        const [red] = context.getImageData(Math.floor((band + 0.5) * width / bands), height >> 1, 1, 1).data;
        if (red > 127) seen |= 1 << band;
      }
      return { said: Number(canvas.dataset.number), seen, width, height, count: Number(canvas.dataset.drawn) };
    }, { selector, bands: BANDS });
  }

  /** In what the picture of a canvas came. */
  codec(selector: string): Promise<string | undefined> {
    return this.page.evaluate((selector) => document.querySelector(`${selector} canvas`)?.dataset.codec, selector);
  }

  /** The text of the element that keys go to. */
  focused(): Promise<string | undefined> {
    return this.page.evaluate(() => document.activeElement?.innerText);
  }

  /** What can be read on the page. */
  text(): Promise<string> {
    return this.page.evaluate(() => document.body.innerText);
  }

  async scrollTo(selector: string): Promise<void> {
    await this.page.evaluate((selector) => document.querySelector(selector)!.scrollIntoView(), selector);
  }

  /** Keeps a picture of the page. */
  async keep(name: string, fullPage = false): Promise<void> {
    mkdirSync(OUTPUT, { recursive: true });
    const path = join(OUTPUT, `${name}.png`);
    await this.page.screenshot({ path, fullPage });
    console.log(`kept ${path}`);
  }

  /** @throws {AssertionError} where it met an error, or asked another server */
  assertClean(): void {
    assertEquals({ errors: this.errors, elsewhere: this.elsewhere }, { errors: [], elsewhere: [] });
  }
}

/** What a test of the page gets. */
export type Scene = {
  name: string;
  another: () => string;
  /** Shows an address of the server. */
  open(address: string, view?: View): Promise<Sheet>;
};

/** A test with a browser. Where there is none it is skipped. */
export function browserTest(title: string, body: (scene: Scene) => Promise<void>): void {
  depotTest(title, async (name, another) => {
    const browser = await launchChromium();
    if ("missing" in browser) return skip(`no Chromium here: ${browser.missing}`);
    try {
      await body({ name, another, open: (address, view) => openSheet(browser, address, view) });
    } finally {
      await browser.close();
    }
  }, { watchdogMs: WATCHDOG_MS });
}

async function openSheet(browser: Browser, address: string, view: View = {}): Promise<Sheet> {
  const context = await browser.newContext({ viewport: VIEWPORT, colorScheme: "light", ...view });
  const page = await context.newPage();
  const sheet = new Sheet(page, address);
  await page.goto(address);
  return sheet;
}

/** The tile of a depot. */
export const tileOf = (name: string): string => `.tile[data-name="${name}"]`;
