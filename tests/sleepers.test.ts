/** One thread sleeps for many depots, and frames come also where the system refuses what a sleep needs. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { depotTest, Peer, type PeerOptions, type Runtime, skip, STARTED } from "./support/harness.ts";
import type { WaitingFrame, WaitingOrder, WaitingState, WaitingTask } from "./support/waiting_peer.ts";
import { FEW_THREADS, ONE_WORD } from "./support/windows.ts";

const WORDS_A_SLEEPER = 127;
const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A process that waits for many depots. */
class Waiter extends Peer {
  readonly names: string[];

  private constructor(runtime: Runtime, task: WaitingTask, options?: PeerOptions) {
    super(runtime, "waiting_peer.ts", task, options);
    this.names = task.names;
  }

  /** Starts a process that has made its depots. */
  static async make(runtime: Runtime, task: WaitingTask, options?: PeerOptions): Promise<Waiter> {
    const waiter = new Waiter(runtime, task, options);
    assertEquals(await waiter.line(), { made: task.names.length });
    return waiter;
  }

  async tell<T>(order: WaitingOrder): Promise<T> {
    this.send(order);
    return await this.line<T>();
  }

  /** Has it wait for all of its depots. */
  async wait(): Promise<void> {
    assertEquals(await this.tell("wait"), { waits: this.names.length });
  }

  /** Its state once this many threads sleep for it; its state at once where the system does not tell. */
  async sleepingWith(threads: number): Promise<WaitingState> {
    for (let tries = 0;; tries++) {
      const state = await this.tell<WaitingState>("look");
      if (state.asleep < 0) return state;
      if (tries === 1000) assertEquals(state.asleep, threads);
      if (state.asleep === threads) return state;
      await later(20);
    }
  }

  /** Puts a frame into each of its depots, one after the other or all at once, and waits until it has reported each. */
  async frames(depots: readonly FramesDepot[], frameNumber: number, atOnce = true): Promise<void> {
    for (const [index, depot] of depots.entries()) {
      assertEquals(depot.tryEnqueue({ frameNumber, frame: pixels(index) })?.state, "stored");
      if (!atOnce && index % 8 === 0) await later(1);
    }
    const said = new Map<string, WaitingFrame>();
    while (said.size < depots.length) {
      const frame = await this.line<WaitingFrame>();
      said.set(frame.name, frame);
    }
    for (const [index, { name }] of depots.entries()) {
      assertEquals(said.get(name), { name, frameNumber, bytes: [...pixels(index)] });
    }
  }

  /** Lets it end by itself, without an error. */
  async close(): Promise<void> {
    assertEquals(await this.tell("close"), { closed: true });
    this.child.stdin!.end();
    assertEquals(await this.exit(), 0, this.errors);
  }
}

const many = (another: () => string, count: number) => Array.from({ length: count }, () => another());

/** Opens all; they are closed at the end of the scope. */
class Opened implements AsyncDisposable {
  readonly depots: readonly FramesDepot[];

  private constructor(depots: readonly FramesDepot[]) {
    this.depots = depots;
  }

  static async all(names: string[]): Promise<Opened> {
    return new Opened(await Promise.all(names.map((name) => FramesDepot.open(name))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.depots.map((depot) => depot.close()));
  }
}

for (const runtime of STARTED) {
  for (const count of [64, 256]) {
    depotTest(
      `${runtime} waits for ${count} depots with a thread for each ${WORDS_A_SLEEPER}, and reads files meanwhile`,
      async (_, another) => {
        if (ONE_WORD && runtime === "deno") return skip(FEW_THREADS);
        await using waiter = await Waiter.make(runtime, { names: many(another, count) });
        await using opened = await Opened.all(waiter.names);
        await waiter.wait();
        const sleepers = Math.ceil(count / WORDS_A_SLEEPER);
        await waiter.sleepingWith(sleepers);
        for (let frameNumber = 0; frameNumber < 4; frameNumber++) {
          const order = frameNumber % 3 === 2 ? opened.depots.toReversed() : opened.depots;
          await waiter.frames(order, frameNumber, frameNumber % 2 === 0);
        }
        // The other threads are the runtime's own.
        const { threads } = await waiter.sleepingWith(sleepers);
        assert(threads < 64, `${threads} threads`);
        await waiter.close();
      },
    );
  }
}

/** A limit on the threads of the processes in it. */
class ThreadLimit implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns the reason where none can be made */
  static make(name: string): ThreadLimit | string {
    if (process.platform !== "linux") return "only Linux has control groups";
    for (const root of ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"]) {
      const folder = `${root}/frames-depot-${name}`;
      try {
        mkdirSync(folder);
      } catch {
        continue; // read-only, or another version of control groups
      }
      if (existsSync(`${folder}/pids.max`)) return new ThreadLimit(folder);
      rmdirSync(folder);
    }
    return "this user may make no control group that limits threads";
  }

  /** A shell command that enters it. */
  get enter(): string {
    return `echo $$ > ${this.#folder}/cgroup.procs`;
  }

  set most(threads: number | "max") {
    writeFileSync(`${this.#folder}/pids.max`, String(threads));
  }

  get now(): number {
    return Number(readFileSync(`${this.#folder}/pids.current`, "utf8"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its processes have ended, but the system may not have seen that yet.
    for (let tries = 0; tries < 100; tries++) {
      try {
        return rmdirSync(this.#folder);
      } catch {
        await later(20);
      }
    }
  }
}

for (const runtime of STARTED) {
  depotTest(`${runtime} starts and waits for 64 depots where 32 threads are allowed`, async (name, another) => {
    const limit = ThreadLimit.make(name);
    if (typeof limit === "string") return skip(limit);
    await using _ = limit;
    limit.most = 32;
    await using waiter = await Waiter.make(runtime, { names: many(another, 64) }, { before: limit.enter });
    await using opened = await Opened.all(waiter.names);
    await waiter.wait();
    for (let frameNumber = 0; frameNumber < 3; frameNumber++) await waiter.frames(opened.depots, frameNumber);
    const { threads } = await waiter.sleepingWith(1);
    assertLessOrEqual(threads, 32);
    await waiter.close();
  });

  depotTest(
    `${runtime} gets its frames while no descriptor is available, and sleeps again when there is one`,
    async (_, another) => {
      if (process.platform !== "linux") return skip("needs Linux");
      await using waiter = await Waiter.make(runtime, { names: many(another, 8) }, { before: "ulimit -n 256" });
      await using opened = await Opened.all(waiter.names);
      try {
        assertEquals(await waiter.tell("open files"), { refused: "EMFILE" });
        await waiter.wait();
        for (let frameNumber = 0; frameNumber < 3; frameNumber++) await waiter.frames(opened.depots, frameNumber);
        await waiter.tell("close files");
        await waiter.sleepingWith(1);
        await waiter.frames(opened.depots, 3);
        await waiter.sleepingWith(1);
        await waiter.close();
      } catch (error) {
        // Deno ends if it needs a descriptor itself at this moment: that is no fault of the library.
        if (!String(error).includes("Deno has panicked")) throw error;
        skip("Deno ended for want of a descriptor of its own");
      }
    },
  );
}

/** Refuses the threads that the shim starts: the first one, and all while there is a file. */
const REFUSES = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  static int asked;
  size_t bytes = 0;
  if (attributes) pthread_attr_getstacksize(attributes, &bytes);
  if (bytes == 256 * 1024 && (!__atomic_exchange_n(&asked, 1, __ATOMIC_SEQ_CST) || !access(getenv("REFUSES"), F_OK))) {
    (void)!write(2, "refused\\n", 8);
    return EAGAIN;
  }
  return ((create *)dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, run, argument);
}
`;

/** A folder with that library and the file; undefined, and said, where there is no compiler for it. */
function refusing(): { folder: string; env: Record<string, string> } & Disposable | undefined {
  const folder = mkdtempSync(`${tmpdir()}/frames-depot-test-`);
  const made = {
    folder,
    env: { LD_PRELOAD: `${folder}/refuses.so`, REFUSES: `${folder}/while` },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
  writeFileSync(`${folder}/refuses.c`, REFUSES);
  const { status } = spawnSync("cc", ["-shared", "-fPIC", "-o", made.env.LD_PRELOAD, `${folder}/refuses.c`]);
  if (status === 0) return made;
  skip("no C compiler");
  made[Symbol.dispose]();
}

const refusals = (waiter: Waiter) => waiter.errors.split("\n").filter((line) => line === "refused").length;

depotTest("bun sleeps after the system has refused it a thread once", async (_, another) => {
  if (process.platform !== "linux") return skip("needs Linux");
  using refuses = refusing();
  if (refuses === undefined) return;
  const task = { names: many(another, 3), waiting: "park" } as const;
  await using waiter = await Waiter.make("bun", task, { env: refuses.env });
  await using opened = await Opened.all(waiter.names);
  await waiter.wait();
  for (let frameNumber = 0; frameNumber < 3; frameNumber++) {
    await waiter.sleepingWith(1);
    await waiter.frames(opened.depots, frameNumber);
  }
  assertEquals(refusals(waiter), 1);
  await waiter.close();
});

depotTest(
  "bun gets its frames while no thread is available, and sleeps again when there is one",
  async (_, another) => {
    if (process.platform !== "linux") return skip("needs Linux");
    using refuses = refusing();
    if (refuses === undefined) return;
    writeFileSync(refuses.env.REFUSES, "");
    const task = { names: many(another, 64), waiting: "park" } as const;
    await using waiter = await Waiter.make("bun", task, { env: refuses.env });
    await using opened = await Opened.all(waiter.names);
    await waiter.wait();
    for (let frameNumber = 0; frameNumber < 3; frameNumber++) {
      await waiter.sleepingWith(0);
      await waiter.frames(opened.depots, frameNumber);
    }
    // Not at each look of each depot: that would be thousands of tries by now.
    const asked = refusals(waiter);
    assert(asked >= 1 && asked < 1000, `${asked} refusals`);
    rmSync(refuses.env.REFUSES);
    await waiter.sleepingWith(1);
    await waiter.frames(opened.depots, 3);
    await waiter.sleepingWith(1);
    await waiter.close();
  },
);
