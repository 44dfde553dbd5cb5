/**
 * The README's script for Node: it follows a producer in Deno to the end.
 */
import { assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RUN } from "../tools/support/runtimes.ts";
import { depotTest, executableOf, RUNTIMES } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";

const SCRIPT = /```js ignore\n\/\/ follow\.mjs\n([\s\S]*?)```/.exec(
  readFileSync(new URL("../README.md", import.meta.url), "utf8"),
);

if (RUNTIMES.includes("node")) {
  depotTest("README.md's script for Node follows a producer in Deno until it ends", async (name) => {
    const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
    try {
      await using camera = new Remote("deno");
      const options = { frameSize: [4, 2, 3] as [number, number, number], maxSize: 4, whenFull: "wait" as const };
      await camera.tell({ do: "create", name, options });
      const path = join(folder, "follow.mjs");
      writeFileSync(path, SCRIPT![1].replace("camera0", name));
      const node = spawn(executableOf("node"), [...RUN.node, path], { stdio: ["ignore", "pipe", "inherit"] });
      let out = "";
      node.stdout.setEncoding("utf8").on("data", (text) => out += text);
      const ending = new Promise((resolve) => node.on("close", resolve));
      for (let frameNumber = 0; frameNumber < 10; frameNumber++) {
        assertEquals(await camera.tell({ do: "enqueue", frameNumber, timeoutMs: 60_000 }), "stored");
      }
      await camera.tell({ do: "close" });
      assertEquals(await ending, 0);
      const lines = Array.from({ length: 10 }, (_, frameNumber) => `${frameNumber} 24`);
      assertEquals(out, [...lines, "the camera has ended", ""].join("\n"));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
