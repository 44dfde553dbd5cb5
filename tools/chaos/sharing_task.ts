/**
 * What members of the group of `sharing.ts` are told.
 *
 * @module
 */
import type { Step } from "./steps.ts";

/** The group's name. */
export const GROUP = "sharers";

/** A member's task. It notes in a file what it has worked on, and may die at a step. */
export type SharerTask = { name: string; notes: string; seed: number; dies: Step | undefined };
