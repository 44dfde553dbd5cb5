/**
 * The pages: every relative link of a Markdown file leads to a file or folder, and every anchor to a heading.
 */
import { assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../", import.meta.url);
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
