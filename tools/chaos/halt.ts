/**
 * When the others have come to a halt because they wait for a victim.
 *
 * @module
 */
import type { Observer, Progress } from "../support/observer.ts";
import type { Plan } from "./plan.ts";

/** When nothing moves for this time, the others wait for the victim. */
const HALT_MS = 30;
/** How long to wait for them to come to a halt. */
export const PATIENCE_MS = 300;
/** After this, recovery has failed. */
export const RECOVERY_MS = 10_000;

/** Whether something has moved that a victim of this role would hold up. */
export type Moves = (last: Progress, now: Progress) => boolean;

/** Producers may have room for a long time while readers wait for a dead one of them. */
export function movesPast({ role }: Plan): Moves {
  return (last, now) => last.cursor !== now.cursor || (role !== "producer" && last.head !== now.head);
}

/** Looks at each call whether nothing has moved for a while. */
export function haltOf(observer: Observer, moves: Moves): () => boolean {
  let since = performance.now();
  let last = observer.progress();
  return () => {
    const now = observer.progress();
    if (moves(last, now)) {
      last = now;
      since = performance.now();
    }
    return performance.now() - since > HALT_MS;
  };
}
