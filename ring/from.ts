/**
 * Where readers begin, as their users say it.
 *
 * @module
 */

/**
 * Where a reader begins: the oldest frame still kept, the newest one, the next to come, or a frame number. What lies
 * before that place it has passed: when the last lossless reader leaves, it counts as consumed.
 */
export type From = "oldest" | "latest" | "next" | number;

/**
 * That a reader follows a name. `lost`: what was lost in the depot before and no frame has reported; then all of this
 * one counts. Undefined in the first depot, whose frames count from the reader's place on. A reader that has its place
 * before the last depot has been read is told later.
 */
export type Following = { lost: number | undefined };
