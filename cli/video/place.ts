/**
 * The depot that a command fills: made, or joined, and another one of the name where the shape of the frames changes.
 *
 * @module
 */
import { DEPOT_BOUNDS, DepotError, type DepotOptions, FramesDepot, type WhenFull } from "../../mod.ts";
import { EXIT, Failure, withoutRemedy } from "../failure.ts";
import type { Shape } from "./frame_source.ts";

/** Which depot is filled. An undefined value fits any depot that is joined. */
export type PlaceOptions = {
  maxSize?: number;
  /** Slots of a new depot where `maxSize` is undefined. */
  newMaxSize?: number;
  whenFull?: WhenFull;
  maxReaders?: number;
  /** Joins a depot that another process fills. */
  join?: boolean;
  /** Takes the name from any depot that has it. */
  replace?: boolean;
  /** The option that makes frames smaller, as `--size`, where there is one. */
  sizeOption?: string;
};

/**
 * Whether a depot has room for the readers that are waited for.
 *
 * @param has how many readers it has room for
 * @throws {Failure} where the wait would have no end
 */
export function checkWaitReaders(waitReaders: number, has: number): void {
  if (waitReaders <= has) return;
  throw new Failure(
    `--wait-readers ${waitReaders} waits for more readers than the depot has room for, --max-readers ${has}: ` +
      "raise that, or wait for fewer",
    EXIT.usage,
  );
}

/** Whether name and readers can be, before there is a frame: of the depot that would be made, or may be joined. */
export function checkFilling(
  name: string,
  { waitReaders, maxReaders }: { waitReaders?: number; maxReaders?: number },
): void {
  const found = FramesDepot.inspect(name); // which refuses a wrong name
  if (waitReaders === undefined) return;
  const made = maxReaders ?? DEPOT_BOUNDS.maxReaders.default;
  checkWaitReaders(waitReaders, Math.max(made, found?.maxReaders ?? 0));
}

/** The depot of the present frames. */
export class Place implements AsyncDisposable {
  /** Frames that were stored in the first depot before. */
  readonly head: number;
  readonly #options: PlaceOptions;
  #depot: FramesDepot;

  /** Makes the depot, or joins one that fits. @throws {Failure | DepotError} */
  static async find(name: string, shape: Shape, options: PlaceOptions): Promise<Place> {
    const { depot, head } = await makeOrJoin(name, shape, options);
    return new Place(depot, head, options);
  }

  private constructor(depot: FramesDepot, head: number, options: PlaceOptions) {
    this.#depot = depot;
    this.head = head;
    this.#options = options;
  }

  get depot(): FramesDepot {
    return this.#depot;
  }

  /**
   * Gives the name to a new depot, like the present one but for the shape. Readers get what is left of that.
   *
   * @throws {Failure} where another process fills it, too
   */
  async change(shape: Shape): Promise<void> {
    const before = this.#depot;
    const { name, maxSize, whenFull } = before;
    const other = fillerOf(before);
    if (other !== undefined && !this.#options.replace) {
      throw new Failure(
        `cannot go on with frames of another shape: process ${other} fills depot "${name}", too; ` +
          "--replace takes the name from it",
        EXIT.refused,
      );
    }
    const like = { maxSize, whenFull, maxReaders: FramesDepot.inspect(name)?.maxReaders, replace: true };
    this.#depot = await make(name, shape, like, this.#options.sizeOption);
    await before.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#depot.close();
  }
}

/**
 * Makes the depot, or joins one that is open elsewhere, fits, and has no other producer: its readers notice nothing.
 *
 * @returns `head`: the number of frames that were stored before
 */
async function makeOrJoin(
  name: string,
  shape: Shape,
  options: PlaceOptions,
): Promise<{ depot: FramesDepot; head: number }> {
  const { maxSize, newMaxSize, whenFull = "wait" as const, maxReaders, replace } = options;
  const made = { maxSize: maxSize ?? newMaxSize, whenFull, maxReaders, replace };
  for (;;) {
    const found = replace ? undefined : await FramesDepot.open(name).catch(unlessMissing);
    try {
      if (found !== undefined && fits(found, shape, options)) return { depot: found, head: found.stats().head };
    } catch (error) {
      await found?.close();
      throw error;
    }
    await found?.close();
    try {
      const depot = await make(name, shape, made, options.sizeOption);
      return { depot, head: 0 };
    } catch (error) {
      // Where it was made just now by another process, the next look says whether it fits.
      if (!(error instanceof DepotError && error.code === "EXISTS" && found === undefined)) throw error;
    }
  }
}

/** Makes a depot. What helps where there is no room for it is said in words of the command line. */
async function make(
  name: string,
  shape: Shape,
  options: Omit<DepotOptions, keyof Shape>,
  sizeOption: string | undefined,
): Promise<FramesDepot> {
  try {
    return await FramesDepot.create(name, { ...shape, frameSize: sizeOf(shape), ...options });
  } catch (error) {
    if (!(error instanceof DepotError && error.code === "NO_SPACE" && error.remedy !== undefined)) throw error;
    const { code, depot, errno, remedy } = error;
    const frame = sizeOption === undefined ? "frame" : `\`${sizeOption}\``;
    const inOptions = remedy.replace("maxSize or frame", `\`--max-size\` or ${frame}`);
    throw new DepotError(code, withoutRemedy(error), { depot, errno, remedy: inOptions });
  }
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof DepotError && error.code === "NOT_FOUND")) throw error;
}

/** Whether frames fit a depot; otherwise it must be replaced. @throws {Failure} where another process fills it */
function fits(depot: FramesDepot, shape: Shape, { maxSize, whenFull, join }: PlaceOptions): boolean {
  // Colours, aspect and fields are labels: frames fit without them.
  const { color: _color, sampleAspectRatio: _aspect, fieldOrder: _fields, ...memory } = shape;
  const differing = Object.entries({ ...memory, maxSize, whenFull }).find(([key, value]) => {
    const found = depot[key as "maxSize"];
    const same = key === "metadataBytes" ? Number(found) >= Number(value) : String(found) === String(value);
    return value !== undefined && !same;
  });
  const other = fillerOf(depot);
  if (other === undefined) return differing === undefined && !depot.ended;
  const refuse = (why: string, remedy: string) =>
    new Failure(`cannot fill depot "${depot.name}": process ${other} fills it${why}; ${remedy}`, EXIT.refused);
  if (differing !== undefined) {
    const [key, value] = differing;
    const why = `, and its ${key} is ${depot[key as "maxSize"]}, not ${value}`;
    throw refuse(why, "--replace takes the name from it, or choose another name");
  }
  if (!join) throw refuse("", "--join adds a second producer, --replace takes the name from it");
  return true;
}

/** The pid of another process that fills the depot. */
export function fillerOf(depot: FramesDepot): number | undefined {
  return depot.stats().peers.find(({ self, alive, producer }) => !self && alive && producer)?.pid;
}

/** The size as it was said when the recorded depot was made: what was not said is 0. */
function sizeOf({ frameSize }: Shape): Shape["frameSize"] | undefined {
  const said = frameSize.filter((pixels) => pixels > 0);
  return said.length === 0 ? undefined : said as Shape["frameSize"];
}
