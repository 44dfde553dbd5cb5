/**
 * One way from process to process: a frame goes there and another one back, and half the time is one way.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises";
import { FramesDepot, type Waiting } from "../../mod.ts";
import { median } from "../../tools/support/statistics.ts";
import { assertSame, withDepot } from "./depot.ts";
import { startPartner } from "./partner.ts";

/** `tight`: tryNext again and again; `blocked`: nextSync; the others: for await. */
type How = Waiting | "tight" | "blocked";

const SHAPE = { frameSize: [64, 1, 1], maxSize: 16, whenFull: "wait" } as const;
/** Rounds of one figure when neither side sleeps: the clock costs too much for each. */
const BATCH = 300;
const SPIN_BATCHES = 1000;
const WARM_UP_BATCHES = 200;
const ROUNDS = 5000;
const WARM_UP = 1000;
/** A partner that says nothing for this time is gone. */
const LOST_MS = 10_000;
/** Looks between two at the clock. */
const LOOKS = 100_000;

const waitingOf = (how: How): Waiting => how === "tight" ? "spin" : how === "blocked" ? "park" : how;

function hit(depot: FramesDepot, frameNumber: number): void {
  const slot = depot.tryClaim({ frameNumber, timestampNs: 0 });
  if (slot === undefined) throw new Error("there is no room");
  slot.publish();
}

/** Sends every frame back, until one numbered -1. */
export async function echo(name: string, how: How): Promise<Record<string, number>> {
  await using there = await FramesDepot.open(`${name}`);
  await using back = await FramesDepot.open(`${name}-back`);
  const balls = there.frames({ timeoutMs: LOST_MS, waiting: waitingOf(how) });
  let seen = performance.now();
  for (let looks = 1;; looks++) {
    const ball = how === "tight" ? balls.tryNext() : how === "blocked" ? balls.nextSync() : (await balls.next()).value;
    if (ball === undefined) {
      if (how !== "tight" || looks % LOOKS === 0 && performance.now() - seen > LOST_MS) throw new Error("no ball");
      continue;
    }
    if (looks >= LOOKS) {
      looks = 0;
      seen = performance.now();
    }
    if (ball.frameNumber < 0) return {};
    hit(back, ball.frameNumber);
  }
}

async function play(how: How): Promise<number> {
  return await withDepot(SHAPE, async (there) => {
    await using back = await FramesDepot.create(`${there.name}-back`, SHAPE);
    const balls = back.frames({ timeoutMs: LOST_MS, waiting: waitingOf(how) });
    const partner = startPartner("echo", there.name, how);
    let number = 0;
    const spin = () => {
      hit(there, ++number);
      for (let looks = 1;; looks++) {
        const ball = balls.tryNext();
        if (ball === undefined && looks % LOOKS === 0 && partner.gone) throw new Error("the partner has gone");
        if (ball === undefined) continue;
        if (ball.frameNumber !== number) assertSame("the ball's number", ball.frameNumber, number);
        return;
      }
    };
    const wait = async () => {
      hit(there, ++number);
      const ball = how === "blocked" ? balls.nextSync() : (await balls.next()).value;
      if (ball?.frameNumber !== number) assertSame("the ball's number", ball?.frameNumber, number);
    };
    const times: number[] = [];
    await wait(); // the first answer shows that the partner is there
    if (how === "tight") {
      for (let batch = 0; batch < SPIN_BATCHES && !partner.gone; batch++) {
        const started = performance.now();
        for (let round = 0; round < BATCH; round++) spin();
        if (batch >= WARM_UP_BATCHES) times.push((performance.now() - started) * 1e6 / BATCH / 2);
        await turn();
      }
    } else {
      for (let round = 0; round < WARM_UP + ROUNDS; round++) {
        const started = performance.now();
        await wait();
        if (round >= WARM_UP) times.push((performance.now() - started) * 1e6 / 2);
      }
    }
    hit(there, -1);
    balls.release();
    await partner.end();
    return median(times);
  });
}

/** Nanoseconds one way, both processes looking all the time: without giving the event loop a turn, and with. */
export async function latencySpinning(): Promise<Record<string, number>> {
  return { "tryNext": await play("tight"), "for await, spin": await play("spin") };
}

/** Microseconds one way, both processes asleep in the kernel. */
export async function latencyParked(): Promise<Record<string, number>> {
  return {
    "for await, park": await play("park") / 1000,
    "nextSync, park": await play("blocked") / 1000,
    "for await, adaptive": await play("adaptive") / 1000,
  };
}
