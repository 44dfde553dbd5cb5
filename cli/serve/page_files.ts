/**
 * The files of the page, which lie beside this module: on this machine, or where Deno has loaded it from.
 *
 * @module
 */
import { readFile } from "node:fs/promises";

/** A file as it is sent. */
export type PageFile = { type: string; bytes: Uint8Array };

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  webmanifest: "application/manifest+json",
};

/** A file of the page; undefined where there is none of this name. */
export async function pageFile(name: string): Promise<PageFile | undefined> {
  const [, extension] = /^[a-z0-9_]+\.([a-z]+)$/.exec(name) ?? [];
  const type = Object.hasOwn(TYPES, extension ?? "") ? TYPES[extension] : undefined;
  if (type === undefined) return undefined;
  const url = new URL(`./page/${name}`, import.meta.url);
  const bytes = url.protocol === "file:" ? await read(url) : await fetched(url);
  return bytes === undefined ? undefined : { type, bytes };
}

async function read(url: URL): Promise<Uint8Array | undefined> {
  try {
    return await readFile(url);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const known = new Map<string, Uint8Array>();

async function fetched(url: URL): Promise<Uint8Array | undefined> {
  const found = known.get(url.href);
  if (found !== undefined) return found;
  const answer = await fetch(url);
  if (!answer.ok) return undefined;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  known.set(url.href, bytes);
  return bytes;
}
