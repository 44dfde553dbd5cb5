/**
 * Buffers of leases that have ended for their user while something still reaches their memory: an operation of the
 * runtime, or a new owner that they were moved to. No frame is ever written there, and no view shows another frame.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import process from "node:process";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { MOVES } from "../tools/leases/moves.ts";
import { startWorker } from "../tools/support/worker.ts";
import { depotTest, errorOf, HERE, skip } from "./support/harness.ts";
import { copesWithRelease, needsShell, type Surroundings, USES } from "./support/uses.ts";
import { IS_WINDOWS, NO_EXCHANGE, NO_SHELL } from "./support/windows.ts";

const SIZE = [1024, 256, 3] as const;
const BYTES = SIZE[0] * SIZE[1] * SIZE[2];
const pixels = (value: number) => new Uint8Array(BYTES).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const make = (name: string, options: Partial<DepotOptions> = {}) =>
  FramesDepot.create(name, { frameSize: [...SIZE], maxSize: 1, whenFull: "overwrite", ...options });

const put = async (depot: FramesDepot, frameNumber: number) =>
  (await depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { timeoutMs: 1000 })).state;

/** What a view shows: its bytes, if they are all the same. */
function shown(view: Uint8Array): number | "empty" | "torn" {
  if (view.length === 0) return "empty";
  return view.every((byte) => byte === view[0]) ? view[0] : "torn";
}

/** Waits until something holds; a lease that an operation keeps ends a moment after it. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!await holds()) await later(5);
}

/** Runs with a folder for files and a server that reads all it is sent. */
async function surrounded(run: (around: Surroundings) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(`${os.tmpdir()}/frames-depot-test-`);
  const server = net.createServer((socket) => socket.on("data", () => {}).on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await run({ file: `${folder}/file`, port: (server.address() as net.AddressInfo).port });
  } finally {
    server.close();
    fs.rmSync(folder, { recursive: true });
  }
}

/** Waits until a use is over, but not for long: one whose data is gone may never end. */
const begun = (use: unknown): Promise<unknown> => Promise.race([Promise.resolve(use).catch(() => {}), later(300)]);

/** Why an operation is not tried on Windows. */
function whyNot(use: string): string | undefined {
  if (!IS_WINDOWS) return undefined;
  if (needsShell(use)) return NO_SHELL;
  return HERE === "bun" || use === "nothing" ? undefined : NO_EXCHANGE;
}

for (const [use, begin] of Object.entries(USES)) {
  for (const pauseMs of copesWithRelease(use) ? [0, 3] : [3]) {
    const when = pauseMs === 0 ? "at once" : "a moment later";
    depotTest(
      `frame that is released ${when} while ${use} works on it leaves every other frame whole`,
      (name) => {
        const reason = whyNot(use);
        if (reason !== undefined) return skip(reason);
        return surrounded(async (around) => {
          await using producer = await make(name);
          const depot = await FramesDepot.open(name);
          await put(producer, 1);
          const frame = depot.peekFrame(1)!;
          const data = frame.data as Uint8Array<ArrayBuffer>;
          const done = begun(begin(data, around));
          if (pauseMs > 0) await later(pauseMs);
          frame.release();
          assert(["empty", 1].includes(shown(data)), `${shown(data)}`);
          await until(async () => await put(producer, 2) === "stored");
          assertEquals(shown(data), "empty", "the slot is used again, so nothing may be left of the view");
          using second = depot.peekFrame(2)!;
          assertEquals([shown(second.data as Uint8Array), shown(second.copy() as Uint8Array)], [2, 2]);
          await depot.close();
          await done;
        });
      },
    );

    depotTest(
      `close ${when} while ${use} works on a frame leaves nothing of it to be seen`,
      (name) => {
        const reason = whyNot(use);
        if (reason !== undefined) return skip(reason);
        return surrounded(async (around) => {
          await using producer = await make(name);
          const depot = await FramesDepot.open(name);
          await put(producer, 1);
          const data = depot.peekFrame(1)!.data as Uint8Array<ArrayBuffer>;
          const done = begun(begin(data, around));
          if (pauseMs > 0) await later(pauseMs);
          await depot.close();
          assertEquals(await put(producer, 2), "stored");
          assert(["empty", 0].includes(shown(data)), `${shown(data)}`);
          await done;
        });
      },
    );
  }
}

depotTest(
  "frames after one that was released under an operation show what was written, for ever",
  (name) =>
    surrounded(async ({ file }) => {
      await using producer = await make(name, { maxSize: 3, whenFull: "drop" });
      await using depot = await FramesDepot.open(name);
      await using follower = depot.frames();
      const save = () => {
        using frame = follower.tryNext()!; // the scope ends with the return, the write does not
        return fs.promises.writeFile(file, frame.data);
      };
      await put(producer, 1);
      await save().catch(() => {}); // Deno finds the array empty
      for (let n = 2; n < 9; n++) {
        await put(producer, n);
        using frame = follower.tryNext()!;
        assertEquals([shown(frame.data as Uint8Array), shown(frame.copy() as Uint8Array)], [n, n]);
      }
    }),
);

depotTest(
  "frame that is released after an operation that was awaited leaves nothing of its views",
  (name) =>
    surrounded(async ({ file }) => {
      await using depot = await make(name);
      await put(depot, 1);
      const frame = depot.peekFrame(1)!;
      const { data } = frame;
      await fs.promises.writeFile(file, data);
      frame.release();
      await until(() => data.length === 0);
      assertEquals([shown(fs.readFileSync(file)), await put(depot, 2)], [1, "stored"]);
    }),
);

depotTest(
  "publish of a slot that an operation works on is BUSY where the engine shows it; slots after it are as drawn",
  (name) =>
    surrounded(async ({ file }) => {
      await using depot = await make(name, { maxSize: 3 });
      await using follower = depot.frames();
      const slot = depot.tryClaim({ frameNumber: 1 })!;
      slot.data.fill(1);
      const writing = fs.promises.writeFile(file, slot.data).catch(() => {});
      assertEquals(await errorOf(() => slot.publish()), HERE === "bun" ? "BUSY" : undefined);
      assertEquals([slot.released, slot.data.length], [true, 0]);
      assertThrows(() => slot.publish(), TypeError, "has been published or given back");
      await writing;
      for (let n = 2; n < 12; n++) {
        // A slot that is kept is passed over until nothing is in it any more.
        const next = depot.tryClaim({ frameNumber: n })!;
        next.data.fill(n);
        next.publish();
      }
      const seen: unknown[] = [];
      for (let frame; (frame = follower.tryNext()) !== undefined;) {
        assertEquals(shown(frame.copy() as Uint8Array), frame.frameNumber);
        seen.push(frame.frameNumber);
      }
      assertEquals([seen.at(-1), seen.includes(1)], [11, false]);
    }),
);

if (HERE === "bun") {
  for (const end of ["release", "publish"] as const) {
    depotTest(
      `slot.${end} while a read into its data is under way: what comes late lands in no frame`,
      (name) =>
        IS_WINDOWS ? skip(NO_SHELL) : surrounded(async ({ file }) => {
          await using depot = await make(name);
          assertEquals(spawnSync("mkfifo", [file]).status, 0);
          const camera = fs.openSync(file, fs.constants.O_RDWR);
          try {
            const slot = depot.tryClaim()!;
            const { data } = slot;
            const reading = new Promise<number>((resolve) => {
              fs.read(camera, data as Uint8Array, 0, BYTES, null, (_, bytes) => resolve(bytes));
            });
            await later(20);
            assertEquals(await errorOf(() => slot[end]()), end === "publish" ? "BUSY" : undefined);
            assertEquals([slot.released, await put(depot, 1)], [true, "dropped"], "the only slot is kept");
            fs.writeSync(camera, new Uint8Array(4096).fill(99));
            assertEquals(await reading, 4096);
            await until(async () => await put(depot, 1) === "stored");
            using frame = depot.peekFrame(1)!;
            assertEquals([shown(frame.data as Uint8Array), data.length], [1, 0]);
          } finally {
            fs.closeSync(camera);
          }
        }),
    );
  }
}

/** The warnings that are printed while it runs. */
async function warnings(run: () => Promise<void>): Promise<string[]> {
  const said: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => said.push(text);
  try {
    await run();
  } finally {
    console.warn = warn;
  }
  return said;
}

for (const way of Object.keys(MOVES)) {
  depotTest(
    `frame whose buffer was moved by ${way} shows it until close, zeros then, and no other frame`,
    async (name) => {
      const depot = await make(name, { maxSize: 3 });
      await using other = await FramesDepot.open(name);
      const said = await warnings(async () => {
        await put(depot, 1);
        const [frame, second] = [depot.peekFrame(1)!, depot.peekFrame(1)!];
        const moved = new Uint8Array(await MOVES[way](frame.data as Uint8Array));
        void MOVES["buffer.transfer()"](second.data as Uint8Array);
        const part = moved.subarray(0, Math.min(moved.length, BYTES));
        assertEquals([frame.data.length, frame.released, shown(part)], [0, false, 1]);
        assertEquals(shown(frame.copy() as Uint8Array), 1, "the lease goes on");
        frame.release();
        second.release();
        for (let n = 2; n < 12; n++) {
          assertEquals(await put(depot, n), "stored");
          using frame = depot.peekFrame(n)!;
          assertEquals([shown(frame.data as Uint8Array), shown(part)], [n, 1]);
        }
        await depot.close();
        for (let n = 20; n < 26; n++) assertEquals(await put(other, n), "stored");
        // The part that was cut off is a copy that the engine made.
        assertEquals(shown(part), way === "buffer.transfer(less)" ? 1 : 0);
      });
      assertEquals(said.length, 1, "it is said once");
      assert(said[0].includes("the memory of frame 1 of depot") && said[0].includes("was moved away"), said[0]);
    },
  );

  depotTest(`slot whose buffer was moved by ${way} cannot be published, and is kept until close`, async (name) => {
    const depot = await make(name, { maxSize: 1 });
    await using other = await FramesDepot.open(name);
    await warnings(async () => {
      const slot = depot.tryClaim({ frameNumber: 1 })!;
      const moved = new Uint8Array(await MOVES[way](slot.data as Uint8Array));
      assertEquals(slot.data.length, 0);
      assertThrows(() => slot.publish(), TypeError, "its memory was moved away");
      assertEquals([slot.released, other.statusOf(1)], [true, "pending"]);
      assertEquals([await put(depot, 2), await put(other, 2)], ["dropped", "dropped"]);
      await depot.close();
      assertEquals(await put(other, 2), "stored");
      moved.fill(99);
      using frame = other.peekFrame(2)!;
      assertEquals(shown(frame.data as Uint8Array), 2);
    });
  });
}

depotTest(
  "frame whose buffer was moved keeps its slot from every producer until its depot object is closed",
  async (name) => {
    await using other = await make(name);
    const depot = await FramesDepot.open(name);
    await put(other, 1);
    const frame = depot.peekFrame(1)!;
    await warnings(async () => {
      structuredClone(frame.data, { transfer: [frame.data.buffer] });
      frame.release();
      await other.clearQueue();
      assertEquals([await put(other, 2), await put(depot, 2)], ["dropped", "dropped"]);
      await depot.close();
      assertEquals(await put(other, 2), "stored");
    });
  },
);

depotTest("frame whose buffer was moved to a worker shows it there until close, and zeros then", async (name) => {
  const depot = await make(name, { maxSize: 2 });
  await using other = await FramesDepot.open(name);
  await put(depot, 1);
  const frame = depot.peekFrame(1)!;
  const worker = startWorker(new URL("./support/view_worker.ts", import.meta.url));
  const answer = () => new Promise<unknown>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  try {
    await warnings(async () => {
      const first = answer();
      worker.postMessage(frame.data, [frame.data.buffer as ArrayBuffer]);
      assertEquals(await first, 1);
      frame.release();
      for (let n = 2; n < 8; n++) await put(depot, n);
      for (const expected of [1, 0]) {
        const next = answer();
        worker.postMessage("look");
        assertEquals(await next, expected);
        await depot.close();
        for (let n = 8; n < 12; n++) await put(other, n);
      }
    });
  } finally {
    worker.terminate();
  }
});

if (process.platform === "linux") {
  depotTest(
    "close leaves no mapping of the segment, whatever was moved away or is in use",
    (name) =>
      surrounded(async ({ file }) => {
        await using other = await make(name, { maxSize: 3 });
        const mapped = () =>
          fs.readFileSync("/proc/self/maps", "utf8").split("\n").filter((line) => line.includes(`.${name}`)).length;
        await put(other, 1);
        const before = mapped();
        await warnings(async () => {
          const depot = await FramesDepot.open(name);
          const moved = depot.peekFrame(1)!.data.buffer.transfer();
          const writing = fs.promises.writeFile(file, depot.peekFrame(1)!.data).catch(() => {});
          assert(mapped() > before, `${mapped()}`);
          await depot.close();
          assertEquals([mapped(), moved.byteLength >= BYTES], [before, true]);
          await writing;
        });
      }),
  );
}
