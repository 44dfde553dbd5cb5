/**
 * Chromium without a window, driven by a package of npm that is installed into `.cache/browser/`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { installed } from "./node_packages.ts";

/** What is used of a page, as playwright-core has it. */
export interface Page {
  goto(url: string): Promise<unknown>;
  goBack(): Promise<unknown>;
  url(): string;
  title(): Promise<string>;
  setViewportSize(size: Size): Promise<void>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  evaluate<Result, Parameter = undefined>(
    run: (parameter: Parameter) => Result | Promise<Result>,
    parameter?: Parameter,
  ): Promise<Result>;
  waitForFunction<Parameter>(
    run: (parameter: Parameter) => unknown,
    parameter?: Parameter,
    options?: { timeout: number },
  ): Promise<unknown>;
  click(selector: string): Promise<void>;
  fill(selector: string, text: string): Promise<void>;
  textContent(selector: string): Promise<string | null>;
  waitForSelector(selector: string, options?: { state?: "attached" | "hidden" }): Promise<unknown>;
  waitForEvent(event: "download"): Promise<{ suggestedFilename(): string; path(): Promise<string> }>;
  keyboard: { press(key: string): Promise<void> };
  on(event: "request", listener: (request: { url(): string }) => void): void;
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): void;
  on(event: "pageerror", listener: (error: Error) => void): void;
}

/** What functions that run in a page use of it. Modules of this project know no browser otherwise. */
export interface PageDocument {
  body: PageElement;
  activeElement: PageElement | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): ArrayLike<PageElement>;
}

/** An element, or a canvas. */
export interface PageElement {
  dataset: Record<string, string | undefined>;
  innerText: string;
  textContent: string;
  clientWidth: number;
  scrollWidth: number;
  width: number;
  height: number;
  focus(): void;
  scrollIntoView(): void;
  getContext(kind: "2d"): { getImageData(x: number, y: number, width: number, height: number): { data: Uint8Array } };
}

/** Pixels of a window. */
export type Size = { width: number; height: number };

/** How a page looks at the world. */
export type View = { viewport?: Size; colorScheme?: "light" | "dark"; deviceScaleFactor?: number };

/** A browser under way. */
export interface Browser {
  newContext(view: View): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>;
  close(): Promise<void>;
}

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];
/** Pages are our own; a sandbox cannot be had as root, nor much of /dev/shm in a container. */
const FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"];

/** The path of Chromium, if it is here. `FRAMES_DEPOT_TEST_CHROMIUM` names another one. */
function program(): string | undefined {
  const named = process.env.FRAMES_DEPOT_TEST_CHROMIUM;
  const paths = (named === undefined ? PROGRAMS : [named]).map((name) => {
    return spawnSync("sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).stdout.trim();
  });
  return paths.find((path) => path !== "");
}

/** Starts it, or says why that cannot be. */
export async function launchChromium(): Promise<Browser | { missing: string }> {
  const executablePath = program();
  if (executablePath === undefined) return { missing: `none of ${PROGRAMS.join(", ")} is installed` };
  let folder: string;
  try {
    folder = installed("tools/support/browser.json", "browser");
  } catch (error) {
    return { missing: (error as Error).message };
  }
  const { chromium } = createRequire(join(folder, "package.json"))("playwright-core");
  return await chromium.launch({ executablePath, args: FLAGS });
}
