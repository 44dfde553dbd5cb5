/**
 * Video that is cut: a disk that is full when a file is completed, and a stream that ends in the middle. All that could
 * be moved is moved, the cause is said, and the exit code is 1.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { cliCommand } from "./support/cli.ts";
import { skip, STARTED } from "./support/harness.ts";
import { ffmpeg, makeClip, moveBoth, type Moved, videoTest } from "./support/video.ts";

const NAMESPACE = ["--user", "--map-root-user", "--mount"];
const hasNamespaces = spawnSync("unshare", [...NAMESPACE, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).status === 0;
/** A disk of 1 MB that has 16 kB left. */
const FULL = 'mount -t tmpfs -o size=1m tmpfs "$0" && head -c 1032192 /dev/zero > "$0/fill" && exec "$@"';

/** Runs a command where a folder is a disk that is nearly full. */
function onFullDisk(disk: string, command: string[]): Promise<Moved> {
  const child = spawn("unshare", [...NAMESPACE, "sh", "-c", FULL, disk, ...command], {
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, errors] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text: string) => out += text);
  child.stderr!.setEncoding("utf8").on("data", (text: string) => errors += text);
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code: code ?? -1, out: new TextEncoder().encode(out), errors }));
  });
}

/** Frames of bytes that no encoder makes small. */
function noise(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

for (const runtime of STARTED) {
  videoTest(`read --output says that a disk is full when the file is completed (${runtime})`, async (scene) => {
    const { another, folder } = scene;
    if (!hasNamespaces) return skip("no namespace of users and mounts here");
    const disk = join(folder, "disk");
    mkdirSync(disk);
    // Few bytes stay in ffmpeg's memory until the end; of many it writes some before.
    for (const [frames, options] of [[16, []], [16, ["--tolerant"]], [64, []]] as const) {
      const shape = { frameSize: [32, 48] as const, pixelFormat: "gray", maxSize: 64 };
      await using depot = await FramesDepot.create(another(), shape);
      for (let n = 0; n < frames; n++) await depot.enqueue({ frame: noise(depot.frameBytes), timestampNs: n * 4e7 });
      const output = join(disk, "out.mp4");
      const lossless = ["--ffmpeg", "-c:v libx264 -qp 0"];
      const task = ["read", depot.name, "--output", output, "--frames", String(frames), ...lossless, ...options];
      const { code, errors } = await onFullDisk(disk, [...cliCommand(runtime), ...task]);
      assertMatch(errors, /No space left on device/);
      // A complaint can be tolerated, a failure cannot.
      if (code === 0) assertMatch(errors, /^warning: .*out\.mp4 may not be whole; ffmpeg says: /);
      assertEquals(code, options.length === 0 || errors.includes("ffmpeg failed") ? 1 : 0, errors);
    }
  });

  videoTest(`write --input says that a stream of HTTP was cut (${runtime})`, async ({ another, folder }) => {
    const fast = join(folder, "fast.mp4");
    ffmpeg(["-i", makeClip(folder), "-c", "copy", "-movflags", "+faststart", fast]);
    const bytes = readFileSync(fast);
    const head =
      `HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`;
    const server = createServer((socket) => {
      socket.on("error", () => {}); // ffmpeg closes it, too
      socket.once("data", () => {
        socket.write(head);
        socket.end(bytes.subarray(0, Math.floor(bytes.length * 0.6)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as { port: number };
      const input = `http://127.0.0.1:${port}/clip.mp4`;
      for (const [options, expected] of [[[], 1], [["--tolerant"], 0]] as const) {
        const name = another();
        const [written, read] = await moveBoth([["write", name, "--input", input, "--json", ...options], { runtime }], [
          ["read", name],
        ]);
        assertEquals([written.code, read.code], [expected, 0], written.errors + read.errors);
        assertMatch(written.errors, /clip\.mp4 may not be whole; ffmpeg says: /);
        const { frames } = JSON.parse(new TextDecoder().decode(written.out));
        assert(frames > 5 && frames < 30, `${frames} frames`);
        assertEquals(read.out.length, frames * 160 * 120 * 1.5);
      }
    } finally {
      server.close();
    }
  });
}
