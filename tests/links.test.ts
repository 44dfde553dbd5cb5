/**
 * The pages: what a Markdown file links to, every anchor and every path that it names is there.
 */
import { assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../", import.meta.url);
/** A file of this project, named as code. */
const PATH = /`((?:[\w.]+\/)+[\w.]+\.(?:ts|json|c|h|pml|sh|md))`/g;
const LINK = /\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g;

/** Every Markdown file below a folder, as a path from the root. Folders of tools (.git, .cache) are left out. */
function pages(folder = ""): string[] {
  return readdirSync(new URL(folder, ROOT), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    if (entry.isDirectory()) return pages(`${folder}${entry.name}/`);
    return entry.name.endsWith(".md") ? [folder + entry.name] : [];
  });
}

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "");

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(page: URL): string[] {
  return [...withoutCode(readFileSync(page, "utf8")).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

test("links in Markdown files lead somewhere, and anchors to a heading", () => {
  const broken = pages().flatMap((page) => {
    const here = new URL(page, ROOT);
    return [...withoutCode(readFileSync(here, "utf8")).matchAll(LINK)].filter(([, path, anchor]) => {
      const target = path === "" ? here : new URL(path, here);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchors(target).includes(anchor);
    }).map(([link]) => `${page}: ${link}`);
  });
  assertEquals(broken, []);
});

test("paths that Markdown files name lead to files", () => {
  const broken = pages().flatMap((page) =>
    [...readFileSync(new URL(page, ROOT), "utf8").matchAll(PATH)]
      .filter(([, path]) => ![ROOT, new URL(page, ROOT)].some((from) => existsSync(new URL(path, from))))
      .map(([path]) => `${page}: ${path}`)
  );
  assertEquals(broken, []);
});
