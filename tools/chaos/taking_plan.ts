/**
 * What a victim does where depots end and their names are taken, and where it dies, from a seed alone.
 *
 * @module
 */
import type { Geometry } from "../../ring/geometry.ts";
import type { Random } from "../support/random.ts";
import { METADATA_BYTES } from "../support/stamp.ts";

/**
 * A replacer takes the name and then stores frames, a successor only where producers are gone; an ender says that no
 * more comes.
 */
export const TAKING_ROLES = ["producer", "replacer", "successor", "ender", "reader"] as const;
/** One of them. */
export type TakingRole = typeof TAKING_ROLES[number];

/** A victim's plan. */
export type TakingPlan = {
  life: number;
  role: TakingRole;
  end: { step: string; count: number } | { afterMs: number } | "work done";
  /** Stands still at its step until it is killed, instead of dying at once. */
  freeze: boolean;
  frames: number;
  leaves: boolean;
  seed: number;
};

const STORE = ["C3", "C6", "C7", "C8", "C9", "C10", "C11", "W1"];
const LEAVE = ["P1", "P2"];

/** Where a victim can be stopped, by what it does. */
export const TAKING_STEPS: Record<TakingRole, readonly string[]> = {
  producer: [...STORE, ...STORE, ...LEAVE],
  replacer: ["T2", "T3a", "T3", "T4", "T5", "T2", "T3a", "T3", "T4", "T5", "N1", "W1", "join.id", ...STORE],
  successor: ["T2", "T3a", "T3", "T4", "T5", "join.id"],
  ender: ["N1", "N1", "W1", ...LEAVE],
  reader: ["R1", "R4", "R5", "R6", "J3", "J4", "L1"],
};

/** A life that no process lives: the depot that is noted as its own is the last one of a run. */
export const LAST_LIFE = 4;
/** The most lives of a round. */
export const TAKERS_A_ROUND = 4;

/** Where a producer that stands still has a slot in its hands. */
export const HELD_STEPS = ["C3", "C7", "C8", "C9", "C10"] as const;

/** Every step of every role, once. */
export function eachTakingStep(): { role: TakingRole; step: string }[] {
  return TAKING_ROLES.flatMap((role) => [...new Set(TAKING_STEPS[role])].map((step) => ({ role, step })));
}

/** A victim that dies where it is told to. */
export function takingPlanFor(random: Random, life: number, role: TakingRole, step: string): TakingPlan {
  const end = { step, count: role === "producer" || role === "reader" ? random.integer(1, 4) : 1 };
  return { life, role, end, freeze: false, frames: 10, leaves: true, seed: random.seed() };
}

/** A victim among many. */
export function takingPlanOf(random: Random, life: number): TakingPlan {
  const role = random.pick([...TAKING_ROLES, "producer", "producer", "replacer"] as const);
  const how = random.integer(1, 10);
  const plan = takingPlanFor(random, life, role, random.pick(TAKING_STEPS[role]));
  if (how > 9) return { ...plan, end: "work done", leaves: random.percent(50) };
  return how > 6 ? { ...plan, end: { afterMs: random.unit() * random.pick([1, 3, 15]) } } : plan;
}

/** A producer that stands still with a slot in its hands, in a depot that it has made itself. */
export function heldPlanOf(random: Random, life: number): TakingPlan {
  const end = { step: random.pick(HELD_STEPS), count: random.integer(1, 3) };
  return { ...takingPlanFor(random, life, "replacer", end.step), end, freeze: true };
}

/** One geometry among some: most names pass to a depot of another shape. */
export function geometryOf(random: Random): Geometry {
  const [width, height, channels] = random.pick([[64, 32, 1], [32, 16, 1], [16, 16, 3]]);
  return {
    width,
    height,
    channels,
    elementType: "uint8",
    pixelFormat: "",
    frameBytes: width * height * channels,
    variableLength: false,
    color: {},
    sampleAspectRatio: undefined,
    fieldOrder: undefined,
    maxSize: random.pick([2, 3, 8]),
    whenFull: random.pick(["wait", "wait", "drop"] as const),
    metadataBytes: METADATA_BYTES,
    maxReaders: 31,
    maxGroups: 1,
    firstSequence: 0,
  };
}
