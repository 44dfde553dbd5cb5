/**
 * One depot of a storm: what its objects hold, and the look at all of it after every step.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type DepotOptions, type Frame, type FrameReader, FramesDepot, type FrameSlot } from "../../mod.ts";
import type { Random } from "../support/random.ts";
import { collect, HERE } from "../support/runtimes.ts";
import { numberOf, show } from "../support/stamp.ts";
import { Ended, HeldFrame, HeldView, type Holding, type Moved, Owner, scribble } from "./held.ts";
import type { KeeperLink } from "./keeper_link.ts";
import type { LatePipe } from "./pipe.ts";

/** What a run has done. */
export type Counts = Record<
  "leased" | "looks" | "published" | "moved" | "used" | "forgotten" | "released" | "closed" | "collected",
  number
>;

/** How a scene's depot is made. */
export type SceneOptions = DepotOptions & { frameSize: readonly [width: number, height: number, channels: number] };

/** What does not change within a run. */
export type Surroundings = {
  counts: Counts;
  keeper: KeeperLink;
  /** A folder for files, of this run alone. */
  folder: string;
  /** Where what is read for comes late; in Bun. */
  pipe: LatePipe | undefined;
  /** Called before each step. */
  tell: (step: string) => void;
};

/** A slot in hand. */
export type HeldSlot = { owner: Owner; slot: FrameSlot; frameNumber: number };
/** A stream being read. */
export type HeldStream = { owner: Owner; reader: ReadableStreamDefaultReader<Frame> };

/** How long an operation may keep a lease after it is over. */
const SETTLE_MS = 5000;
const ENDED = 40;
/** Buffers of closed depot objects that are looked at for a while. */
const REMAINS = 12;
const KNOWN = 24;

/** The first thing that is wrong, with what led to it. */
class StormError extends Error {
  override name = "StormError";
}

/** One depot while it lasts. */
export class Scene {
  readonly name: string;
  readonly options: SceneOptions;
  readonly life: number;
  readonly around: Surroundings;
  owners: Owner[] = [];
  held: HeldFrame[] = [];
  views: HeldView[] = [];
  slots: HeldSlot[] = [];
  streams: HeldStream[] = [];
  moved: Moved[] = [];
  /** Numbers of frames that may be there. */
  readonly known: number[] = [];
  /** Refusals in a row: every slot may be held. */
  refused = 0;
  /** What was found wrong beside the steps. */
  readonly wrong: string[] = [];
  /** Operations and moves under way. */
  readonly under: Set<Promise<void>> = new Set();
  ended: Ended[] = [];
  #counter = 0;
  readonly #trail: string[] = [];

  constructor(name: string, options: SceneOptions, life: number, around: Surroundings) {
    this.name = name;
    this.options = options;
    this.life = life;
    this.around = around;
  }

  get counts(): Counts {
    return this.around.counts;
  }

  get overwrites(): boolean {
    return this.options.whenFull === "overwrite";
  }

  /** A number that no frame has had. */
  nextNumber(): number {
    return numberOf(this.life, this.#counter++);
  }

  /** Notes a number that may be asked for. */
  know(frameNumber: number): void {
    this.known.push(frameNumber);
    if (this.known.length > KNOWN) this.known.shift();
  }

  /** Notes what is about to be done. */
  say(step: string): void {
    this.#trail.push(step);
    if (this.#trail.length > 60) this.#trail.shift();
    this.around.tell(step);
  }

  get lastStep(): string {
    return this.#trail.at(-1) ?? "";
  }

  async open(): Promise<Owner> {
    const owner = new Owner(await FramesDepot.open(this.name, { timeoutMs: 20_000 }));
    this.owners.push(owner);
    return owner;
  }

  /** Takes a frame in. */
  hold(owner: Owner, frame: Frame, loop?: FrameReader): HeldFrame {
    this.counts.leased++;
    this.know(frame.frameNumber);
    const held = new HeldFrame(owner, frame, loop);
    this.held.push(held);
    return held;
  }

  /** The frame that a reader releases when it goes on. */
  current(reader: FrameReader): HeldFrame | undefined {
    return this.held.find(({ loop }) => loop === reader);
  }

  /** A lease has ended: its views must be empty, and its frame must say so. */
  end(held: HeldFrame): void {
    this.held = this.held.filter((other) => other !== held);
    const { frame } = held;
    if (!frame.released) this.accuse(`frame ${show(held.frameNumber)} should have been released`);
    if (held.moved) held.owner.kept++;
    this.counts.released++;
    try {
      void frame.data;
      this.accuse(`the data of frame ${show(held.frameNumber)} can be had after its release`);
    } catch (error) {
      if (!(error instanceof TypeError) || !frame.released) throw error;
    }
    this.#remember(new Ended(held, held.used && HERE === "bun"));
  }

  #remember(ended: Ended): void {
    if (ended.views.length === 0) return;
    this.ended.push(ended);
    if (this.ended.length > ENDED) this.ended.shift();
  }

  release(held: HeldFrame): void {
    held.frame.release();
    this.end(held);
  }

  /** Drops a frame without a release; a view of it may be kept. What was looked at stays leased until close. */
  forget(held: HeldFrame, keepsView: boolean): void {
    this.held = this.held.filter((other) => other !== held);
    this.counts.forgotten++;
    if (keepsView && !held.moved) this.views.push(new HeldView(held));
    if (held.data !== undefined) held.owner.kept++;
  }

  /** Does something beside the steps. */
  beside(work: Promise<void>): void {
    const done = work.catch((error) => {
      this.wrong.push(error instanceof Error ? error.stack ?? error.message : String(error));
    }).finally(() => this.under.delete(done));
    this.under.add(done);
  }

  /** Looks at everything that is held, and at what is left of what was. */
  look(): void {
    for (const list of [this.held, this.views, this.moved, this.ended] as readonly (readonly Holding[])[]) {
      for (const holding of list) {
        const flaw = holding.check();
        if (flaw !== undefined) this.accuse(flaw);
        this.counts.looks++;
      }
    }
    this.wrong.push(...this.around.keeper.wrong.splice(0));
    if (this.wrong.length > 0) this.accuse(this.wrong.join("; "));
  }

  /** @throws {StormError} always */
  accuse(what: string): never {
    throw new StormError(`${what}\n  ${this.name}: ${JSON.stringify(this.options)}\n  ${this.#trail.join("\n  ")}`);
  }

  /**
   * Closes a depot object: nothing of it may be left but buffers that were moved away, over zeros.
   *
   * @param begin begins to close it in a way of its own
   */
  async close(owner: Owner, random: Random, begin: () => void = () => {}): Promise<void> {
    const moved = this.moved.filter((piece) => piece.owner === owner);
    await this.around.keeper.closing(owner);
    owner.state = "closing";
    begin();
    if (random.percent(30)) {
      // Between a collection and its finalizers.
      collect();
      this.counts.collected++;
    }
    await owner.depot.close();
    owner.state = "closed";
    this.counts.closed++;
    this.owners = this.owners.filter((other) => other !== owner);
    for (const held of this.held.filter((held) => held.owner === owner)) this.end(held);
    for (const view of this.views.filter((view) => view.owner === owner)) {
      this.#remember(new Ended(view, view.used && HERE === "bun"));
    }
    this.views = this.views.filter((view) => view.owner !== owner);
    for (const { slot, frameNumber } of this.slots.filter((held) => held.owner === owner)) {
      if (!slot.released || slot.data.length > 0) this.accuse(`the slot of ${show(frameNumber)} outlives its depot`);
    }
    this.slots = this.slots.filter((held) => held.owner !== owner);
    this.streams = this.streams.filter((stream) => stream.owner !== owner);
    for (const piece of moved) if (piece.scribbled && piece.buffer !== undefined) scribble(piece.buffer);
    this.look();
    const remains = this.moved.filter(({ owner }) => owner.state === "closed");
    const old = new Set(remains.slice(0, Math.max(0, remains.length - REMAINS)));
    this.moved = this.moved.filter((piece) => !old.has(piece));
  }

  /** Waits for what is under way. No operation keeps a lease for long when it is over. */
  async settle(): Promise<void> {
    while (this.under.size > 0) await Promise.race(this.under);
    this.look();
    const deadline = performance.now() + SETTLE_MS;
    while (this.ended.some(({ empty, owner }) => owner.state === "open" && !empty)) {
      if (performance.now() > deadline) this.accuse("an operation is over, and the lease that it kept has not ended");
      await sleep(5);
    }
  }
}
