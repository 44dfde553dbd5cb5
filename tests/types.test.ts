/**
 * The public types in the strictest program, whose library comes from a server, as from a registry: of such code only
 * its types count. And the library's own types without inference across files, as registries want them.
 */
import { assert, assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { executableOf } from "../tools/support/runtimes.ts";

const ROOT = new URL("..", import.meta.url);
const LIB = ["deno.window", "esnext"];
/** Bun has a limit of its own, five seconds, unless told otherwise. */
const LONG = { timeout: 240_000 };

/** The sources of the library, for a test. */
async function served<T>(use: (address: string) => Promise<T>): Promise<T> {
  const server = createServer(({ url = "/" }, response) => {
    try {
      const source = readFileSync(new URL(`.${url}`, ROOT));
      response.writeHead(200, { "content-type": "text/typescript" }).end(source);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Compiles files with a configuration of its own. @returns what the compiler says, nothing if all is well */
async function complaints(
  files: string | string[],
  config: object,
  environment: Record<string, string> = {},
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  try {
    const path = join(folder, "deno.json");
    writeFileSync(path, JSON.stringify(config));
    const env = { ...process.env, NO_COLOR: "1", ...environment };
    const parameters = ["check", "--quiet", "--config", path, "--allow-import", ...[files].flat()];
    const deno = spawn(executableOf("deno"), parameters, { env });
    let said = "";
    for (const stream of [deno.stdout, deno.stderr]) stream.setEncoding("utf8").on("data", (text) => said += text);
    const code = await new Promise((resolve) => deno.on("close", resolve));
    return code === 0 ? "" : `exit code ${code}: ${said}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("FramesDepot's types are right in a program that is as strict as can be", LONG, async () => {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  try {
    const program = join(folder, "strict.ts");
    copyFileSync(fileURLToPath(new URL("./types/strict.ts", import.meta.url)), program);
    await served(async (address) => {
      const strict = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, isolatedDeclarations: true };
      const config = {
        compilerOptions: { lib: LIB, ...strict },
        imports: { "@frames-depot/frames-depot": `${address}/mod.ts` },
      };
      assertEquals(await complaints(program, config, { DENO_DIR: join(folder, "cache") }), "");
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the examples are right in a program where an element may be undefined", LONG, async () => {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  try {
    const examples = new URL("examples/", ROOT);
    const files = readdirSync(examples).filter((file) => file.endsWith(".ts")).map((file) => {
      copyFileSync(fileURLToPath(new URL(file, examples)), join(folder, file));
      return join(folder, file);
    });
    // The package has no types of its own.
    writeFileSync(join(folder, "ws.d.ts"), "// deno-lint-ignore no-explicit-any\nexport const WebSocketServer: any;\n");
    await served(async (address) => {
      const config = {
        compilerOptions: { lib: LIB, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
        imports: { "@frames-depot/frames-depot": `${address}/mod.ts`, "ws": join(folder, "ws.d.ts") },
      };
      assertEquals(await complaints(files, config, { DENO_DIR: join(folder, "cache") }), "");
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The blocks of code in a page, or in the comments of a module. */
function codeIn(path: string): string[] {
  const text = readFileSync(new URL(path, ROOT), "utf8").replaceAll("\r\n", "\n");
  const plain = path.endsWith(".ts") ? text.replace(/^ *\* ?/gm, "") : text;
  return [...plain.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
}

test("the examples in the documentation are right in a program where an element may be undefined", LONG, async () => {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  try {
    const depot = readdirSync(new URL("depot/", ROOT)).map((file) => `depot/${file}`);
    const files = ["mod.ts", "README.md", "docs/guide.md", ...depot].flatMap(codeIn).map((code, index) => {
      const file = join(folder, `example_${index}.ts`);
      writeFileSync(file, `${code}export {};\n`);
      return file;
    });
    assert(files.length > 25, `${files.length} examples`);
    copyFileSync(fileURLToPath(new URL("./support/assert.ts", import.meta.url)), join(folder, "assert.ts"));
    await served(async (address) => {
      const config = {
        compilerOptions: { lib: LIB, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
        imports: { "@frames-depot/frames-depot": `${address}/mod.ts`, "@std/assert": join(folder, "assert.ts") },
      };
      assertEquals(await complaints(files, config, { DENO_DIR: join(folder, "cache") }), "");
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("mod.ts says every type that it exports, and takes exactOptionalPropertyTypes", LONG, async () => {
  const compilerOptions = { lib: LIB, exactOptionalPropertyTypes: true, isolatedDeclarations: true };
  assertEquals(await complaints(fileURLToPath(new URL("mod.ts", ROOT)), { compilerOptions }), "");
});
