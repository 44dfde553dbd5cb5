/**
 * The feeds of all depots at which clients look.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import { Feed, type FeedOptions } from "./feed.ts";
import type { Codec, Consumer } from "./renditions.ts";

/** A feed for each name at which a client looks. */
export class Feeds implements AsyncDisposable {
  readonly #options: FeedOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Begins to give pictures of a name to a consumer. @throws {RangeError} for what no depot can be called */
  add(name: string, consumer: Consumer, width: number, codec: Codec): Feed {
    FramesDepot.inspect(name);
    const feed = this.#feeds.get(name) ?? new Feed(name, this.#options);
    this.#feeds.set(name, feed);
    feed.add(consumer, width, codec);
    return feed;
  }

  /** Ends it; a depot that no consumer looks at is left. */
  remove(feed: Feed, consumer: Consumer): void {
    feed.remove(consumer);
    if (!feed.isEmpty || this.#feeds.get(feed.name) !== feed) return;
    this.#feeds.delete(feed.name);
    const ending: Promise<void> = feed.end().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  newestOf(name: string, id: string | undefined): number | undefined {
    return this.#feeds.get(name)?.newestOf(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#ending, ...this.#feeds.values().map((feed) => feed.end())]);
  }
}
