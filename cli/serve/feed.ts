/**
 * One depot's pictures for all clients: it is followed by its name, as a reader of the newest frame that no producer
 * waits for, and only while a client looks.
 *
 * @module
 */
import { DepotError, type Frame, type FrameFollower, FramesDepot } from "../../mod.ts";
import { withoutRemedy } from "../failure.ts";
import { dependsOnOthers, isJpeg } from "../video/frame_picture.ts";
import type { Counts } from "./counts.ts";
import { H264Encoder } from "./h264.ts";
import type { PictureMaker } from "./picture_maker.ts";
import { isAlone } from "./presence.ts";
import { type Codec, type Consumer, type LivePicture, Rendition, type Seen } from "./renditions.ts";
import { sizeOf } from "./sizes.ts";
import { type Snapshot, snapshotOf } from "./snapshot.ts";

/** What feeds share. */
export type FeedOptions = {
  maker: PictureMaker;
  quality: number;
  /** The maximum of pictures a second, for each depot and size. */
  mostPerSecond: number;
  counts: Counts;
};

/** Time between two looks at a depot that brings no frame. */
const LOOK_MS = 500;
/** After a failure. */
const AGAIN_MS = 1000;
/** Between two frames that ffmpeg decodes by a process of their own. */
const DECODING_MS = 500;

type Follower = FrameFollower & { readonly depot: FramesDepot | undefined };

/** Pictures of the depots of one name. */
export class Feed {
  readonly name: string;
  readonly #options: FeedOptions;
  readonly #renditions = new Map<string, Rendition>();
  readonly #encoders = new Map<Rendition, H264Encoder>();
  readonly #running: Promise<void>;
  #follower: Follower | undefined;
  /** The newest frame that was seen. */
  #newest: Seen | undefined;
  /** Why there are no pictures now. */
  #missing: string | undefined;
  #ended = false;
  #lookedMs = 0;
  #wake = () => {};

  constructor(name: string, options: FeedOptions) {
    this.name = name;
    this.#options = options;
    this.#running = this.#run();
  }

  /** The number of the newest frame that was seen of the depot of this id. */
  newestOf(id: string | undefined): number | undefined {
    return this.#newest?.id === id ? this.#newest?.number : undefined;
  }

  get isEmpty(): boolean {
    return this.#renditions.size === 0;
  }

  add(consumer: Consumer, width: number, codec: Codec): void {
    this.remove(consumer);
    const key = `${width} ${codec}`;
    const rendition = this.#renditions.get(key) ?? new Rendition(width, codec);
    this.#renditions.set(key, rendition);
    rendition.add(consumer);
    if (this.#missing !== undefined) consumer.gone(this.#missing);
    else this.#begin(rendition, consumer);
    this.#wake();
  }

  remove(consumer: Consumer): void {
    for (const [key, rendition] of this.#renditions) {
      rendition.remove(consumer);
      if (!rendition.isEmpty) continue;
      this.#renditions.delete(key);
      this.#encoders.get(rendition)?.end();
      this.#encoders.delete(rendition);
    }
  }

  /** A consumer can take pictures again. */
  wake(consumer: Consumer): void {
    for (const rendition of this.#renditions.values()) rendition.catchUp(consumer);
    this.#wake();
  }

  /** A consumer has shown another picture meanwhile: it gets the newest again. */
  again(consumer: Consumer): void {
    for (const rendition of this.#renditions.values()) {
      rendition.forget(consumer);
      rendition.catchUp(consumer);
      this.#begin(rendition, consumer);
    }
    this.#wake();
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#wake();
    this.#follower?.release();
    for (const encoder of this.#encoders.values()) encoder.end();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const follower = FramesDepot.follow(this.name, { mode: "latest", from: "latest" }) as Follower;
      this.#follower = follower;
      try {
        await this.#follow(follower);
      } catch (error) {
        this.#tellGone(error instanceof DepotError ? withoutRemedy(error) : (error as Error).message);
        await this.#sleep(AGAIN_MS);
      } finally {
        await follower.return();
      }
    }
  }

  /** Until it ends, or no other process has the depot any more. */
  async #follow(follower: Follower): Promise<void> {
    while (!this.#ended) {
      const dueMs = this.#dueMs();
      if (dueMs > 0) await this.#sleep(Math.min(dueMs, LOOK_MS));
      else {
        const behind = this.#behind();
        using frame = await follower.within(behind === undefined ? LOOK_MS : 0);
        if (frame !== undefined) {
          this.#take(follower.depot!, frame);
          continue;
        }
        if (behind !== undefined) {
          this.#makeNewest(behind);
          continue;
        }
        if (follower.id === undefined) this.#tellGone(`there is no depot "${this.name}"`);
      }
      if (this.#isOver(follower)) return this.#tellGone(`all other processes have left depot "${this.name}"`);
    }
  }

  /** Whether this process is the last one in the depot. */
  #isOver({ id }: Follower): boolean {
    const nowMs = performance.now();
    if (id === undefined || nowMs - this.#lookedMs < LOOK_MS) return false;
    this.#lookedMs = nowMs;
    return isAlone(this.name, id);
  }

  /** Milliseconds until a picture is wanted; Infinity where none is. */
  #dueMs(): number {
    const nowMs = performance.now();
    const wanting = this.#renditions.values().filter((rendition) => !rendition.busy && rendition.wants);
    return wanting.reduce((least, { notBefore }) => Math.min(least, Math.max(0, notBefore - nowMs)), Infinity);
  }

  /** A size that is due and whose picture is not that of the newest frame: it was busy when that frame came. */
  #behind(): Rendition | undefined {
    const nowMs = performance.now();
    return this.#renditions.values().find((rendition) => {
      return rendition.made !== this.#newest && !rendition.busy && rendition.wants && rendition.notBefore <= nowMs;
    });
  }

  /** Copies a frame for each size that is due. */
  #take(depot: FramesDepot, frame: Frame): void {
    this.#newest = { id: depot.id, number: frame.frameNumber };
    this.#missing = undefined;
    const nowMs = performance.now();
    for (const rendition of this.#renditions.values()) {
      if (rendition.busy || rendition.notBefore > nowMs || !rendition.wants) continue;
      void this.#make(rendition, this.#copy(depot, frame));
    }
  }

  /** The first picture of a consumer is that of the newest frame, if it is still there: no newer one may come. */
  #begin(rendition: Rendition, consumer: Consumer): void {
    if (!rendition.busy && rendition.lacks(consumer)) this.#makeNewest(rendition);
  }

  #makeNewest(rendition: Rendition): void {
    const depot = this.#follower?.depot;
    rendition.made = this.#newest;
    if (depot === undefined || this.#newest === undefined || depot.id !== this.#newest.id) return;
    try {
      using frame = depot.peekFrame(this.#newest.number);
      if (frame !== undefined) void this.#make(rendition, this.#copy(depot, frame));
    } catch (error) {
      if (!(error instanceof DepotError)) throw error; // closed, or full of readers: the next frame comes
    }
  }

  #copy(depot: FramesDepot, frame: Frame): Snapshot {
    return snapshotOf(depot, frame, (bytes) => this.#options.maker.room(bytes));
  }

  async #make(rendition: Rendition, snapshot: Snapshot): Promise<void> {
    const isDecoded = dependsOnOthers(snapshot.pixels.pixelFormat);
    rendition.busy = true;
    rendition.made = this.#newest;
    rendition.notBefore = performance.now() + (isDecoded ? DECODING_MS : 1000 / this.#options.mostPerSecond);
    try {
      rendition.give(await this.#pictureOf(rendition, snapshot));
    } catch (error) {
      rendition.notBefore = performance.now() + AGAIN_MS;
      if (!this.#ended) { for (const consumer of rendition.consumers) consumer.note((error as Error).message); }
    } finally {
      rendition.busy = false;
      this.#wake();
      const lacking = rendition.consumers.find((consumer) => rendition.lacks(consumer) && consumer.wants);
      if (lacking !== undefined) setTimeout(() => this.#begin(rendition, lacking), AGAIN_MS);
    }
  }

  async #pictureOf(rendition: Rendition, { which, pixels, data, before }: Snapshot): Promise<LivePicture> {
    const { maker, quality, counts } = this.#options;
    const size = sizeOf(pixels.frameSize, rendition.width);
    const asJpeg = { which, codec: "jpeg", key: true } as const;
    if (rendition.codec === "h264" && H264Encoder.takes(pixels)) {
      counts.encoded(this.name, "h264");
      const encoder = this.#encoders.get(rendition) ?? new H264Encoder();
      this.#encoders.set(rendition, encoder);
      const made = await encoder.encode({ which, pixels, data, before }, size, rendition.needsKey);
      maker.keep(data.buffer);
      return { which, codec: "h264", ...made };
    }
    if (isJpeg(pixels.pixelFormat) && size.width === which.fullWidth) {
      return { ...asJpeg, size, bytes: new Uint8Array(data.buffer as ArrayBuffer) };
    }
    counts.encoded(this.name, "jpeg");
    const { bytes, width, height } = await maker.make({ pixels, data, before, type: "jpeg", ...size, quality });
    return { ...asJpeg, bytes, size: { width, height } };
  }

  #tellGone(why: string): void {
    if (this.#missing === why || this.#ended) return;
    this.#missing = why;
    this.#newest = undefined;
    for (const rendition of this.#renditions.values()) {
      rendition.last = undefined;
      for (const consumer of rendition.consumers) consumer.gone(why);
    }
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#wake = wake;
      if (this.#ended) wake();
    });
  }
}
