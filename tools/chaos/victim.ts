/**
 * A victim with everything that a user's process has: the public interface, its promises, the runtime's threads. Killed
 * from outside at any moment, or by itself at a step; stopped and continued, too.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { Board, NOTE, STATE } from "./board.ts";
import { Follower } from "./follower.ts";
import type { Plan } from "./plan.ts";
import { Random } from "./random.ts";
import { endAt, goOn } from "./steps.ts";
import { fill, flaw, metadataOf, numberOf, type Seen, timestampOf } from "./stamp.ts";

/** What it is told. A holder holds a lease or a claim until it hears a line, then goes on for a while. */
export type VictimTask = { name: string; board: string; plan: Plan; holds: boolean };

const task: VictimTask = JSON.parse(process.argv[2]);
const { life, role, end, mode, frames, leaves, seed } = task.plan;
const board = new Board(task.board);
const random = new Random(seed);
const say = (message: unknown): void => console.log(JSON.stringify(message));

function accuse(what: string | undefined): void {
  if (what !== undefined) board.accuse(`life ${life}, ${role}: ${what}`);
}

if (typeof end === "object" && "step" in end) {
  endAt(end, false, { file: board.path, at: Board.at(life, NOTE.state), value: STATE.died }, () => {
    board.write(life, NOTE.state, STATE.died);
    process.kill(process.pid, "SIGKILL");
    for (;;);
  });
}

/** Until the other side says so; meanwhile this process is stopped and continued. */
async function hold(): Promise<void> {
  const heard = new Promise<void>((resolve) => process.stdin.once("data", () => resolve()));
  say({ holding: true });
  await heard;
  process.stdin.destroy();
}

async function produce(depot: FramesDepot): Promise<void> {
  for (let counter = 0; counter < frames; counter++) {
    const frameNumber = numberOf(life, counter);
    const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
    board.write(life, NOTE.attempted, counter + 1);
    let stored = false;
    while (!stored) {
      if (task.holds || random.percent(40)) {
        using slot = await depot.claim(details);
        if (slot === undefined) continue;
        const words = slot.data.byteLength >> 2;
        fill(slot.data, frameNumber, 0, words >> 1);
        if (task.holds && counter === 0) await hold();
        fill(slot.data, frameNumber, words >> 1);
        slot.publish();
        stored = true;
      } else {
        const frame = new Uint8Array(depot.frameBytes);
        fill(frame, frameNumber);
        stored = (await depot.enqueue({ ...details, frame })).state === "stored";
      }
    }
    board.write(life, NOTE.acknowledged, counter + 1);
  }
}

async function read(depot: FramesDepot): Promise<void> {
  const follower = new Follower(mode === "lossless" && depot.whenFull !== "overwrite");
  for await (const frame of depot.frames({ mode, timeoutMs: 1000 })) {
    accuse(flaw(frame));
    accuse(follower.follow(frame));
    if (task.holds && follower.frames === 3) {
      await hold();
      accuse(flaw(frame));
    }
    if (follower.frames >= frames) break;
  }
  board.write(life, NOTE.read, follower.frames);
}

async function look(depot: FramesDepot): Promise<void> {
  await using reader = depot.frames({ mode: "lossy", from: "next", timeoutMs: 1000 });
  for (let index = 0; index < frames; index++) {
    const { value } = await reader.next();
    if (value === undefined) break;
    using frame: (Seen & Disposable) | undefined = random.percent(70)
      ? depot.peekFrame(value.frameNumber)
      : depot.getFrame(value.frameNumber);
    if (frame === undefined) continue;
    if (random.percent(20)) await new Promise((resolve) => setTimeout(resolve, 1));
    accuse(flaw(frame));
  }
}

const depot = await FramesDepot.open(task.name, { timeoutMs: 20_000 });
board.write(life, NOTE.state, STATE.living);
say({ ready: true });
try {
  if (role === "producer") await produce(depot);
  else if (role === "lookup") await look(depot);
  else await read(depot);
} catch (error) {
  accuse(String((error as Error).stack).replaceAll("\n", " "));
}
if (!leaves) goOn();
if (leaves) await depot.close();
board.write(life, NOTE.state, STATE.ended);
say({ done: true });
await new Promise((resolve) => setTimeout(resolve, 60_000)); // to be killed
