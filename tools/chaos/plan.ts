/**
 * What a victim is to do and where it is to die, from a seed alone.
 *
 * @module
 */
import type { WhenFull } from "../../mod.ts";
import { HERE, type Runtime } from "../support/runtimes.ts";
import type { Random } from "../support/random.ts";

/** What victims do; a visitor comes and goes, a recoverer looks after the dead. */
const ROLES = ["producer", "reader", "lookup", "visitor", "recoverer"] as const;
/** One of them. */
export type Role = typeof ROLES[number];

/**
 * How a victim ends: at a named step of docs/internals/protocol.md, at a moment that its killer chooses, or after its
 * work.
 */
export type End = { step: string; count: number } | { afterMs: number } | "work done";

/** A victim's plan. */
export type Plan = {
  life: number;
  role: Role;
  end: End;
  /** Stands still at its step until it is killed, instead of dying at once. */
  freeze: boolean;
  mode: "lossless" | "lossy" | "latest";
  /** Frames to store or to read, looks after the dead. */
  frames: number;
  /** Whether it leaves in an orderly way before it is killed. */
  leaves: boolean;
  seed: number;
};

/** How a thread ends. */
export type Way = "terminate" | "close" | "exit" | "throw" | "reject";

/** The plan of a victim that is a thread of a process which lives on. */
export type ThreadPlan = Plan & { way: Way };

/**
 * The ways that end a thread wherever it stands, and all. Deno terminates a worker between two turns of its event loop,
 * and only its workers have `close()`.
 */
const WAYS: Record<Runtime, { anywhere: readonly Way[]; all: readonly Way[] }> = {
  deno: { anywhere: ["close", "exit"], all: ["terminate", "terminate", "close", "exit", "throw", "reject"] },
  bun: { anywhere: ["terminate", "exit"], all: ["terminate", "terminate", "exit", "throw", "reject"] },
  node: { anywhere: ["terminate", "exit"], all: ["terminate", "terminate", "exit", "throw", "reject"] },
};

const JOIN = ["join.lock", "join.id"];
const LEAVE = ["P1", "P2", "L1"];
const CLAIM = ["C3", "C6", "C7", "C8", "C9", "C10", "C11"];
const READ = ["R1", "R4", "R5", "R6"];
const GATE = ["J1", "J2", "G3", "J3", "J4"];

/** The most lives that a round of forked victims takes. */
export const LIVES_A_ROUND = 3;

/** Where a victim can be stopped, by what it does. Steps it does not come to cost nothing: it dies after its work. */
export const STEPS: Record<Role, readonly string[]> = {
  producer: [...CLAIM, ...CLAIM, ...CLAIM, "skip", "skip", "D2", "W1", "G3", "P2", ...JOIN],
  reader: [...READ, ...READ, ...GATE, ...LEAVE, "W1", ...JOIN],
  lookup: [...READ, ...GATE, ...LEAVE, "W1"],
  visitor: [...JOIN, ...GATE, ...LEAVE],
  recoverer: ["P1", "P2", "P1", "P2", "D2", "W1", "L1"],
};
/** With the steps of falling asleep, to which only a process with an event loop comes. */
export const STARTED_STEPS: Record<Role, readonly string[]> = {
  ...STEPS,
  producer: [...STEPS.producer, "S1", "S2", "S1", "S2"],
  reader: [...STEPS.reader, "S1", "S2", "S1", "S2"],
};
type Holder = "producer" | "reader" | "lookup";
/** Where others have to wait for a victim that stands still. */
export const BLOCKING: Record<Holder, readonly string[]> = {
  producer: ["C3", "C6", "C7", "C8", "C9", "C10"],
  reader: ["R1", "R4", "J2", "J3", "J4"],
  lookup: ["J2", "J3", "J4"],
};

/**
 * Where a thread can end: between two instructions of TypeScript, never in C. So it comes to `C8` when it has a slot,
 * and to `R4` when it has a frame.
 */
export const THREAD_STEPS: Record<Role, readonly string[]> = {
  producer: ["C8", "C8", "C8", "skip", "D2", "W1", "G3", "P2", "S1", "S2", ...JOIN],
  reader: ["R4", "R4", "R6", "R6", ...GATE, ...LEAVE, "W1", "S1", "S2", ...JOIN],
  lookup: ["R4", ...GATE, ...LEAVE, "W1"],
  visitor: [...JOIN, ...GATE, ...LEAVE],
  recoverer: ["P1", "P2", "P1", "P2", "W1", "L1"],
};
/** The steps of a thread's end, in `shim/owners.c`: where a process is killed while a worker of it ends. */
export const ENDING_STEPS = ["end.sleepers", "end.retired", "end.members", "end.peers", "end.closed"] as const;

/** Steps that come once or twice in a life. */
const RARE = new Set([...JOIN, ...LEAVE, ...GATE, "skip", "D2"]);

function stepOf(random: Random, steps: readonly string[]): { step: string; count: number } {
  const step = random.pick(steps);
  return { step, count: RARE.has(step) ? random.integer(1, 2) : random.integer(1, 12) };
}

/** Every step of every role, once: what a run begins with, so that none is left to chance. */
export function eachStep(): { role: Role; step: string }[] {
  return ROLES.flatMap((role) => [...new Set(STEPS[role])].map((step) => ({ role, step })));
}

/** Every step of every role at which a thread can end, once. */
export function eachThreadStep(): { role: Role; step: string }[] {
  return ROLES.flatMap((role) => [...new Set(THREAD_STEPS[role])].map((step) => ({ role, step })));
}

/** A victim that dies where it is told to, the first time it comes there. */
export function planFor(random: Random, life: number, role: Role, step: string): Plan {
  const end = { step, count: 1 };
  const frames = random.integer(20, 40);
  return { life, role, end, freeze: false, mode: "lossless", frames, leaves: true, seed: random.seed() };
}

/** A victim among many. */
export function planOf(random: Random, life: number, steps = STEPS, roles: readonly Role[] = ROLES): Plan {
  const role = random.pick(roles);
  const how = random.integer(1, 10);
  const end: End = how <= 6
    ? stepOf(random, steps[role])
    : how <= 9
    ? { afterMs: random.unit() * random.pick([2, 10, 40]) }
    : "work done";
  return {
    life,
    role,
    end,
    freeze: false,
    mode: random.pick(["lossless", "lossless", "lossy", "latest"]),
    frames: random.integer(1, 40),
    leaves: random.percent(50) || (typeof end === "object" && "step" in end && LEAVE.includes(end.step)),
    seed: random.seed(),
  };
}

/** A thread, for accusations. */
export function whoIs({ role, way, end }: ThreadPlan): string {
  return `${role} in a worker of ${HERE} that ends by ${way}, ${JSON.stringify(end)}`;
}

/** A thread among many. */
export function threadPlanOf(random: Random, life: number, runtime: Runtime): ThreadPlan {
  return withWay(random, runtime, planOf(random, life, THREAD_STEPS));
}

/** A thread that ends where it is told to. */
export function threadPlanFor(random: Random, life: number, runtime: Runtime, role: Role, step: string): ThreadPlan {
  return withWay(random, runtime, planFor(random, life, role, step));
}

function withWay(random: Random, runtime: Runtime, plan: Plan): ThreadPlan {
  const { anywhere, all } = WAYS[runtime];
  return { ...plan, way: random.pick(typeof plan.end === "object" && "step" in plan.end ? anywhere : all) };
}

/** A thread that is still at work when its process ends it, and one beside it. */
export function hostPlansOf(random: Random, life: number, runtime: Runtime): ThreadPlan[] {
  const busy: Plan = planOf(random, life, THREAD_STEPS, ["producer", "reader", "lookup", "recoverer"]);
  const first = withWay(random, runtime, { ...busy, end: "work done", frames: 1000 });
  return [first, threadPlanOf(random, life + 1, runtime)];
}

/** A thread that keeps what it has until others have to wait for it. */
export function frozenThreadPlanOf(random: Random, life: number, runtime: Runtime, whenFull: WhenFull): ThreadPlan {
  const role = whenFull === "overwrite" ? "producer" : random.pick(["producer", "reader"] as const);
  const seed = random.seed();
  const plan: Plan = {
    life,
    role,
    end: "work done",
    freeze: true,
    mode: "lossless",
    frames: 1000,
    leaves: false,
    seed,
  };
  return withWay(random, runtime, plan);
}

/** A victim that stands still where others have to wait for it. */
export function frozenPlanOf(random: Random, life: number, whenFull: WhenFull): Plan {
  // A depot that overwrites waits for no reader.
  const roles: Holder[] = ["producer", "producer", "reader", "lookup"];
  const role = whenFull === "overwrite" ? "producer" : random.pick(roles);
  const step = random.pick(BLOCKING[role]);
  const count = role === "lookup" || step.startsWith("J") ? 1 : random.integer(1, 10);
  return {
    life,
    role,
    end: { step, count },
    freeze: true,
    mode: "lossless",
    frames: 1000,
    leaves: false,
    seed: random.seed(),
  };
}

/** A victim that dies while it recovers the dead. */
export function recovererPlanOf(random: Random, life: number): Plan {
  const end: End = random.percent(80)
    ? { step: random.pick(STEPS.recoverer), count: 1 }
    : { afterMs: random.unit() * 5 };
  const frames = 2000;
  return { life, role: "recoverer", end, freeze: false, mode: "lossless", frames, leaves: false, seed: random.seed() };
}
