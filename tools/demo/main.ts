/**
 * `deno task demo`: video frames from one process to three others through shared memory, each pixel checked on arrival.
 *
 * A producer makes frames; a Deno and a Bun process follow without losing any, and a third asks for single frames by
 * number. This process starts the four, shows how it goes, and adds up what they did.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import type { Runtime } from "../support/runtimes.ts";
import { Child, type Role } from "./child.ts";
import { LiveLine } from "./live.ts";
import { type Options, readOptions, USAGE, UsageError } from "./options.ts";
import { type Outcome, summarize } from "./summary.ts";
import { sizeOfVideo } from "./video.ts";
import type { Task } from "./wire.ts";

const DEFAULT_SIZE: [number, number] = [1920, 1080];
const LOOK_MS = 250;
/** Looks in a row at which nothing moved before something must be wrong: 15 seconds. */
const IDLE_LOOKS = 60;
/** Ctrl-C a second time means at once; but npx and `deno task` pass the first one on, so it may come twice. */
const IMPATIENT_MS = 1000;

function plan({ seconds, size, maxSize, video }: Options): Task {
  const depot = `demo-${process.pid}`;
  if (video === undefined) return { depot, size: size ?? DEFAULT_SIZE, maxSize, seconds };
  const own = sizeOfVideo(video);
  return { depot, size: size ?? own, maxSize, seconds, video, scale: size !== undefined };
}

/** The processes, and the ways in which they can be told to end. */
class Crew {
  readonly children: Child[] = [];
  /** Rejected when the user is in a hurry or nothing moves any more. */
  readonly #broken = Promise.withResolvers<never>();
  #interruptedAt: number | undefined;

  constructor() {
    this.#broken.promise.catch(() => {});
    process.on("SIGINT", this.#interrupt);
    process.on("SIGTERM", this.#interrupt);
  }

  #interrupt = () => {
    const now = performance.now();
    if (this.#interruptedAt === undefined) {
      this.#interruptedAt = now;
      this.#stopProducer();
    } else if (now - this.#interruptedAt > IMPATIENT_MS) {
      this.break("interrupted twice");
    }
  };

  #stopProducer(): void {
    this.children.find(({ role }) => role === "producer")?.send({ kind: "stop" });
  }

  async start(runtime: Runtime, role: Role, task: Task): Promise<Child> {
    const child = new Child(runtime, role, task);
    this.children.push(child);
    if (this.#interruptedAt !== undefined) this.#stopProducer();
    await this.until(child.ready);
    return child;
  }

  /** Ends every wait. */
  break(why: string): void {
    this.#broken.reject(new Error(why));
  }

  /** Waits for something that the children do, as long as all of them are well. */
  until<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#broken.promise, ...this.children.map(({ failure }) => failure)]);
  }

  async end(): Promise<void> {
    await Promise.all(this.children.map((child) => child.end()));
    process.off("SIGINT", this.#interrupt);
    process.off("SIGTERM", this.#interrupt);
  }
}

/** The four at work, from the first frame to the last; what the depot counted goes into `outcome`. */
async function play(crew: Crew, task: Task, outcome: Outcome): Promise<void> {
  const producer = await crew.start("deno", "producer", task);
  await using depot = await FramesDepot.open(task.depot);
  outcome.frameBytes = depot.frameBytes;
  const followers = await Promise.all([
    crew.start("deno", "follower", task),
    crew.start("bun", "follower", task),
  ]);
  const asker = await crew.start("bun", "asker", task);
  const line = new LiveLine(depot, crew.children);
  const timer = setInterval(() => {
    if (line.update() >= IDLE_LOOKS) crew.break(`nothing has moved for ${IDLE_LOOKS * LOOK_MS / 1000} seconds`);
  }, LOOK_MS);
  try {
    for (const child of [...followers, asker, producer]) child.send({ kind: "start" });
    const { frames } = await crew.until(producer.done);
    for (const follower of followers) follower.send({ kind: "last", frames });
    await crew.until(Promise.all(followers.map(({ done }) => done)));
    asker.send({ kind: "stop" });
    await crew.until(asker.done);
  } finally {
    clearInterval(timer);
    line.end();
    await crew.end();
    outcome.greatestLag = line.greatestLag;
    outcome.stats = depot.stats();
  }
}

/** What of a depot is still there, in words. */
function leftBehind(name: string): string | undefined {
  const found = FramesDepot.list().find((info) => info.name === name);
  if (found === undefined) return undefined;
  FramesDepot.unlink(name);
  return `depot "${name}", ${found.bytes} bytes: ${found.reason}`;
}

async function run(options: Options): Promise<boolean> {
  const task = plan(options);
  const [width, height] = task.size;
  console.log(`${width}x${height} rgb24, ${task.maxSize} slots, ${task.video ?? "drawn"}, ${task.seconds} s`);
  const outcome: Outcome = {
    children: [],
    stats: undefined,
    frameBytes: 0,
    greatestLag: 0,
    failures: [],
    leftBehind: undefined,
  };
  const crew = new Crew();
  outcome.children = crew.children;
  try {
    await play(crew, task, outcome);
  } catch (error) {
    outcome.failures.push((error as Error).message);
  } finally {
    await crew.end();
  }
  outcome.leftBehind = leftBehind(task.depot);
  return summarize(outcome);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else process.exitCode = await run(options) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n--help tells the options.`);
  process.exitCode = 2;
}
