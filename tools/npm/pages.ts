/**
 * The pages of a package: those of the project, where a link to a file that is not in the package is text.
 *
 * @module
 */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** `[text](file#part)`, and not a link to another page of the web or to a part of its own page. */
export const LINK = /\[([^[\]]*)\]\((?![a-z]+:|#)([^()#\s]+)(#[^()\s]*)?\)/g;

/** The pages for users of the library, from the project's root. */
export function libraryPages(): string[] {
  const docs = readdirSync(join(ROOT, "docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`);
  return ["SECURITY.md", ...docs];
}

/** @param folder of a package that has all of its other files */
export function addPages(folder: string, readme: string, pages: readonly string[]): void {
  cpSync(join(ROOT, readme), join(folder, "README.md"));
  for (const page of ["LICENSE", "CHANGELOG.md", ...pages]) cpSync(join(ROOT, page), join(folder, page));
  for (const page of ["README.md", "CHANGELOG.md", ...pages]) {
    const path = join(folder, page);
    const text = readFileSync(path, "utf8");
    writeFileSync(
      path,
      text.replace(LINK, (link, label, file) => existsSync(join(dirname(path), file)) ? link : label),
    );
  }
}
