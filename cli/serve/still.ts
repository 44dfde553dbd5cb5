/**
 * Single pictures: of a stored frame, or of the newest one.
 *
 * @module
 */
import { EXIT, Failure } from "../failure.ts";
import { isJpeg } from "../video/frame_picture.ts";
import type { Counts } from "./counts.ts";
import { Gate } from "./gate.ts";
import type { MadePicture } from "./picture_job.ts";
import type { PictureMaker } from "./picture_maker.ts";
import { sizeOf } from "./sizes.ts";
import type { Snapshot, Which } from "./snapshot.ts";
import { newestFrame, storedFrame, type StoredFrames } from "./stored.ts";

/** A picture, and of which frame it is. */
export type Still = { which: Which; picture: MadePicture };

/** What is asked for: a JPEG of this width, or a PNG. */
export type StillWanted = { type: "jpeg"; width: number } | { type: "png" };

/** How many are made at a time, and how many wait. */
const [MOST, MOST_WAITING] = [2, 32];

/** Too many ask at one time. */
export class Overloaded extends Failure {}

/** Makes single pictures. Requests for the same one at one time share it. */
export class Stills {
  readonly #stored: StoredFrames;
  readonly #maker: PictureMaker;
  readonly #quality: number;
  readonly #counts: Counts;
  readonly #gate = new Gate(MOST, MOST_WAITING);
  readonly #making = new Map<string, Promise<Still | undefined>>();

  constructor(stored: StoredFrames, maker: PictureMaker, quality: number, counts: Counts) {
    this.#stored = stored;
    this.#maker = maker;
    this.#quality = quality;
    this.#counts = counts;
  }

  /**
   * A picture of the frame with this number, or of the newest.
   *
   * @returns undefined where there is no such frame
   * @throws {Failure | DepotError} where there is no such depot, or its frames are no pictures
   */
  async of(name: string, frame: number | "newest", wanted: StillWanted): Promise<Still | undefined> {
    const key = JSON.stringify([name, frame, wanted]);
    const making = this.#making.get(key);
    if (making !== undefined) return await making;
    const made = this.#inTurn(name, frame, wanted);
    this.#making.set(key, made);
    try {
      return await made;
    } finally {
      this.#making.delete(key);
    }
  }

  async #inTurn(name: string, frame: number | "newest", wanted: StillWanted): Promise<Still | undefined> {
    const done = await this.#gate.run(async () => {
      const room = (bytes: number) => this.#maker.room(bytes);
      const snapshot = await this.#stored.use(
        name,
        (depot) => frame === "newest" ? newestFrame(depot, room) : storedFrame(depot, frame, room),
      );
      return { still: snapshot === undefined ? undefined : await this.#make(snapshot, wanted) };
    });
    if (done === undefined) {
      throw new Overloaded("too many pictures are asked for at one time; ask again", EXIT.refused);
    }
    return done.still;
  }

  async #make({ which, pixels, data, before }: Snapshot, wanted: StillWanted): Promise<Still> {
    this.#counts.encoded(which.name, wanted.type);
    if (wanted.type === "png") {
      return { which, picture: await this.#maker.make({ pixels, data, before, type: "png" }) };
    }
    const size = sizeOf(pixels.frameSize, wanted.width);
    if (isJpeg(pixels.pixelFormat) && size.width === which.fullWidth) {
      return { which, picture: { bytes: new Uint8Array(data.buffer as ArrayBuffer), ...size } };
    }
    const job = { pixels, data, before, type: "jpeg", ...size, quality: this.#quality } as const;
    return { which, picture: await this.#maker.make(job) };
  }
}
