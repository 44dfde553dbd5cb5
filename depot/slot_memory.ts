/**
 * One slot's memory, lent out as views and taken back.
 *
 * @module
 */
import { ELEMENT_BYTES } from "../ring/geometry.ts";
import type { Returned } from "../ring/payload.ts";
import type { Attachment } from "../ring/attachment.ts";
import type { FrameData } from "./options.ts";
import { CONSTRUCTORS, type Plane, planesOver } from "./planes.ts";

/** Keeps a lease alive as long as any view of its memory is in use: views refer to their buffer, this to the lease. */
const HOLDER = Symbol("lease");

/** The part that both kinds of lease share. Made when a view is first asked for: without one nothing can be reached. */
export class SlotMemory {
  readonly #attachment: Attachment;
  readonly #slot: number;
  #buffer: ArrayBuffer | undefined;
  #data: FrameData | undefined;
  #metadata: Uint8Array<ArrayBuffer> | undefined;
  #planes: readonly Plane[] | undefined;

  constructor(attachment: Attachment, slot: number) {
    this.#attachment = attachment;
    this.#slot = slot;
  }

  #take(holder: unknown): ArrayBuffer {
    if (this.#buffer === undefined) {
      this.#buffer = this.#attachment.payload.take(this.#slot);
      (this.#buffer as { [HOLDER]?: unknown })[HOLDER] = holder;
    }
    return this.#buffer;
  }

  /** The elements in the frame's first `byteLength` bytes; always the same view. */
  data(holder: unknown, byteLength: number): FrameData {
    if (this.#data !== undefined) return this.#data;
    const { elementType } = this.#attachment.geometry;
    const View = CONSTRUCTORS[elementType];
    return this.#data = new View(this.#take(holder), 0, byteLength / ELEMENT_BYTES[elementType]);
  }

  /** The planes of a whole frame, none where `byteLength` is less; always the same views. */
  planes(holder: unknown, byteLength: number): readonly Plane[] {
    const { geometry } = this.#attachment;
    return this.#planes ??= byteLength < geometry.frameBytes ? [] : planesOver(this.#take(holder), geometry);
  }

  /** The first `length` bytes of metadata; always the same view. */
  metadata(holder: unknown, length: number): Uint8Array<ArrayBuffer> {
    return this.#metadata ??= this.#attachment.payload.metadataIn(this.#take(holder), length);
  }

  /** Whether metadata has been asked for. */
  get lentMetadata(): boolean {
    return this.#metadata !== undefined;
  }

  /** Empties every view, if the engine allows it and the buffer is still there. */
  give(): Returned {
    return this.#buffer === undefined ? "given" : this.#attachment.payload.give(this.#slot, this.#buffer);
  }

  /** Tries again after {@linkcode SlotMemory.give} has answered "busy". */
  giveLate(): Returned {
    return this.#attachment.payload.giveLate(this.#buffer!);
  }
}
