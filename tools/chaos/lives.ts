/**
 * The lives of forked victims. They use the library as a depot object does, but without its promises: a fork has no
 * event loop.
 *
 * @module
 */
import { FramesDepot } from "../../depot/depot.ts";
import type { Frame } from "../../depot/frame.ts";
import { loadShim } from "../../ffi/load.ts";
import { Attachment } from "../../ring/attachment.ts";
import { openSegment } from "../../ring/segment.ts";
import { Board, NOTE, STATE } from "./board.ts";
import { Follower } from "./follower.ts";
import { die, sleepMs } from "./libc.ts";
import type { Plan } from "./plan.ts";
import { Random } from "../support/random.ts";
import { endAt, goOn } from "./steps.ts";
import { fill, flaw, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";

/** Tries of what may be refused for a while; with 0.2 ms between them. */
const TRIES = 1000;
const PAUSE_MS = 0.2;

/** A depot object over an attachment that was made without a promise. */
class Depot {
  readonly attachment: Attachment;
  readonly face: FramesDepot;

  constructor(name: string) {
    const attachment = patiently(() => {
      const outcome = openSegment(loadShim(), name, { stale: false, trustedOwners: [] });
      return outcome instanceof Attachment ? outcome : undefined;
    });
    if (attachment === undefined) throw new Error("the depot could not be opened: somebody holds the membership lock");
    this.attachment = attachment;
    this.face = Reflect.construct(FramesDepot, [attachment, undefined]);
  }

  /** Leaves; the memory stays mapped, as in a process that ends. */
  leave(): void {
    patiently(() => this.attachment.leave() || undefined);
  }
}

function patiently<T>(attempt: () => T | undefined, tries = TRIES): T | undefined {
  for (let index = 0; index < tries; index++) {
    const answer = attempt();
    if (answer !== undefined) return answer;
    sleepMs(PAUSE_MS);
  }
  return undefined;
}

/** A victim between its birth and its death. */
class Life {
  readonly #plan: Plan;
  readonly #name: string;
  readonly #board: Board;
  readonly #random: Random;

  constructor(name: string, board: Board, plan: Plan) {
    this.#name = name;
    this.#board = board;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
  }

  live(): void {
    const { life, end, freeze } = this.#plan;
    this.#board.write(life, NOTE.state, STATE.living);
    if (typeof end === "object" && "step" in end) {
      const note = {
        file: this.#board.path,
        at: Board.at(life, NOTE.state),
        value: freeze ? STATE.frozen : STATE.died,
      };
      endAt(end, freeze, note, () => this.#end());
    }
    this[this.#plan.role]();
    goOn();
    this.#board.write(life, NOTE.state, STATE.ended);
  }

  #end(): never {
    const { life, freeze } = this.#plan;
    this.#board.write(life, NOTE.state, freeze ? STATE.frozen : STATE.died);
    while (freeze) sleepMs(1000);
    die();
  }

  #verify(frame: Frame): void {
    const found = flaw(frame);
    if (found !== undefined) this.#board.accuse(`life ${this.#plan.life}, ${this.#plan.role}: ${found}`);
  }

  producer(): void {
    const { life, frames, leaves } = this.#plan;
    const depot = new Depot(this.#name);
    const frame = new Uint8Array(depot.face.frameBytes);
    for (let counter = 0; counter < frames;) {
      const details = this.#detailsOf(counter);
      this.#board.write(life, NOTE.attempted, counter + 1);
      if (this.#random.percent(10)) {
        using given = patiently(() => depot.face.tryClaim({ frameNumber: -1 }));
        given?.data.fill(255);
      }
      if (this.#random.percent(60)) {
        fill(frame, details.frameNumber);
        if (patiently(() => depot.face.tryEnqueue({ ...details, frame })) === undefined) break;
      } else {
        const slot = patiently(() => depot.face.tryClaim(details));
        if (slot === undefined) break;
        fill(slot.data, details.frameNumber);
        slot.publish();
      }
      this.#board.write(life, NOTE.acknowledged, ++counter);
    }
    if (leaves) depot.leave();
  }

  #detailsOf(counter: number) {
    const frameNumber = numberOf(this.#plan.life, counter);
    return { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
  }

  reader(): void {
    const { life, frames, mode, leaves } = this.#plan;
    const depot = new Depot(this.#name);
    const { whenFull } = depot.face;
    for (let left = frames; left > 0;) {
      const reader = depot.face.frames({
        mode,
        from: this.#random.pick(["oldest", "next"]),
      });
      const follower = new Follower(mode === "lossless" && whenFull !== "overwrite");
      const stay = this.#random.integer(1, left);
      left -= stay;
      for (let index = 0; index < stay; index++) {
        const frame = patiently(() => reader.tryNext(), 250);
        if (frame === undefined) break;
        this.#verify(frame);
        const wrong = follower.follow(frame);
        if (wrong !== undefined) this.#board.accuse(`life ${life}, ${mode} reader: ${wrong}`);
        if (this.#random.percent(10)) {
          sleepMs(this.#random.unit() * 3);
          this.#verify(frame);
        }
      }
      this.#board.write(life, NOTE.read, follower.frames);
      reader.release();
    }
    if (leaves) depot.leave();
  }

  lookup(): void {
    const { frames, leaves } = this.#plan;
    const depot = new Depot(this.#name);
    const { face } = depot;
    const reader = depot.face.frames({ mode: "lossy", from: "next" });
    const held: Frame[] = [];
    for (let index = 0; index < frames; index++) {
      const number = patiently(() => reader.tryNext(), 100)?.frameNumber;
      if (number === undefined) break;
      const frame = this.#random.percent(70) ? face.peekFrame(number) : face.getFrame(number);
      face.statusOf(number - 1);
      if (frame === undefined) continue;
      held.push(frame);
      if (held.length > 2) {
        const oldest = held.shift()!;
        this.#verify(oldest);
        oldest.release();
      }
    }
    for (const frame of held) this.#verify(frame);
    if (leaves) depot.leave();
  }

  visitor(): void {
    for (let index = 0; index < 4; index++) {
      const depot = new Depot(this.#name);
      const reader = depot.face.frames({ mode: "lossless" });
      const frame = reader.tryNext();
      if (frame !== undefined) this.#verify(frame);
      if (this.#random.percent(70)) reader.release();
      depot.leave();
      depot.attachment.unmap();
    }
  }

  recoverer(): void {
    const { life, frames, leaves } = this.#plan;
    const depot = new Depot(this.#name);
    this.#board.write(life, NOTE.state, STATE.frozen); // ready: now somebody may die
    for (let index = 0; index < frames; index++) {
      depot.attachment.peers.recoverDead();
      sleepMs(PAUSE_MS / 2);
    }
    if (leaves) depot.leave();
  }
}

/** Lives a plan in this process, which does not come back from it. */
export function live(name: string, board: Board, plan: Plan): void {
  try {
    new Life(name, board, plan).live();
  } catch (error) {
    board.accuse(
      `life ${plan.life}, ${plan.role}: ${error instanceof Error ? error.stack : String(error)}`.replaceAll("\n", " "),
    );
  }
}
